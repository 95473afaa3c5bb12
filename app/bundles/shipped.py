"""Where the released bundles lie."""

from __future__ import annotations

from pathlib import Path

import app

SHIPPED_BUNDLES = Path(app.__file__).resolve().parent.parent / "models" / "bundles"
SHIPPED_BUNDLE = SHIPPED_BUNDLES / "lem-2"
"""Beside the package, in a checkout and in an installed wheel alike."""
