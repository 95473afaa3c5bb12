"""Figures are kept under a digest of the code that they follow from: all of that code, and no other."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from models.evaluation.code_digest import ROOT, _imports, code_digest, import_closure
from models.evaluation.units import MEASURING


@pytest.fixture(name="copy", scope="module")
def a_copy_of_the_source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("source")
    for package in ("app", "models"):
        for path in (ROOT / package).rglob("*.py"):
            (root / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, root / path.relative_to(ROOT))
    return root


def closure() -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in import_closure(MEASURING)}


def digest_after_a_change(root: Path, path: Path) -> str:
    content = path.read_bytes()
    path.write_bytes(content + b"# changed\n")
    try:
        return code_digest(MEASURING, root)
    finally:
        path.write_bytes(content)


def test_what_decides_trades_and_measures_is_in_it() -> None:
    expected = {
        *("app/decision/decide.py", "app/bars/series.py", "app/bars/reader.py", "app/domain/projection.py"),
        *("app/bundles/bundle.py", "app/bundles/card.py", "app/backtest/run_series.py"),
        *("models/evaluation/measure.py", "models/evaluation/stops.py", "models/evaluation/backtest_run.py"),
    }
    policies = {path.relative_to(ROOT).as_posix() for path in (ROOT / "app/decision/policies").glob("*.py")}

    assert expected | policies <= closure()


def test_what_serves_stores_or_shows_is_not_in_it() -> None:
    outside = ("app/api/", "app/store/", "app/engine/", "models/network/", "models/training/", "models/evaluation/html")

    assert [path for path in closure() if path.startswith(outside)] == []


def test_a_change_in_any_of_its_modules_changes_the_digest(copy: Path) -> None:
    before = code_digest(MEASURING, copy)

    same = [path for path in import_closure(MEASURING, copy) if digest_after_a_change(copy, path) == before]

    assert same == []


def test_a_change_elsewhere_does_not(copy: Path) -> None:
    inside = set(import_closure(MEASURING, copy))
    outside = [path for path in copy.rglob("*.py") if path not in inside]

    before = code_digest(MEASURING, copy)
    for path in outside:
        path.write_bytes(path.read_bytes() + b"# changed\n")

    assert len(outside) > 50
    assert code_digest(MEASURING, copy) == before


def test_imports_inside_functions_and_of_packages_count(tmp_path: Path) -> None:
    for name, text in {
        "app/__init__.py": "",
        "app/one.py": "def use():\n    from app.rooms import two\n",
        "app/rooms/__init__.py": "import app.three\n",
        "app/rooms/two.py": "import json\nfrom app.one import use\n",
        "app/three.py": "",
        "app/four.py": "from app import one\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    found = [path.relative_to(tmp_path).as_posix() for path in import_closure("app.one", tmp_path)]

    assert found == ["app/__init__.py", "app/one.py", "app/rooms/__init__.py", "app/rooms/two.py", "app/three.py"]


def test_a_module_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no module app\.absent"):
        import_closure("app.absent", tmp_path)


def test_no_name_in_the_closure_is_built_at_run_time() -> None:
    """Such imports could not be read from the text."""
    assert [path for path in import_closure(MEASURING) if "import_module" in path.read_text()] == []


def test_it_is_quick() -> None:
    code_digest(MEASURING)
    _imports.cache_clear()

    began = time.process_time()
    code_digest(MEASURING)

    assert time.process_time() - began < 0.3
