"""Where the released bundle lies."""

from __future__ import annotations

from pathlib import Path

import app

SHIPPED_BUNDLE = Path(app.__file__).resolve().parent.parent / "models" / "bundles" / "lem-2"
"""Beside the package, in a checkout and in an installed wheel alike."""
