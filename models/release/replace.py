"""Put a drafted bundle in the place of another one, once it loads and the gate has nothing against it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from app.bundles.bundle import LemPolicy, load_bundle
from app.bundles.errors import BundleError
from app.domain.errors import InvalidInput
from models.release.draft import CARD

Gate = Callable[[Path, LemPolicy], list[str]]
"""Takes the draft's folder and the bundle in it, returns the reasons against a release."""


def draft_folder(directory: Path) -> Path:
    """Where the bundle that will replace `directory` is drafted: beside it, so that a rename is enough."""
    return directory.with_name(directory.name + ".draft")


def require_replaceable(directory: Path) -> None:
    """Raises InvalidInput where `directory` holds anything but a bundle: a mistyped folder must not cost its owner what
    lies there."""
    if not directory.exists() or (directory / CARD).is_file():
        return
    if not directory.is_dir() or any(directory.iterdir()):
        raise InvalidInput("not_a_bundle", f"{directory} exists and is no bundle: nothing there is overwritten")


def replace_bundle(directory: Path, draft: Path, gate: Gate = lambda _draft, _policy: []) -> None:
    """Load the draft as the service does, ask the gate, and rename it to `directory`.

    A draft that is refused is deleted, and what was in `directory` stays. Raises BundleError with all reasons,
    InvalidInput where `directory` holds anything but a bundle.
    """
    require_replaceable(directory)
    try:
        _require_passed(gate(draft, load_bundle(draft)))
    except BaseException:
        shutil.rmtree(draft)
        raise
    shutil.rmtree(directory, ignore_errors=True)
    draft.rename(directory)


def _require_passed(reasons: list[str]) -> None:
    if reasons:
        raise BundleError("; ".join(reasons))
