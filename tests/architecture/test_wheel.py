"""The wheel, built and tried in an environment that has what it declares to need, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from app import __version__

ROOT = Path(__file__).parents[2]
PACKAGES = ("app", "lem_client", "models")
pytestmark = pytest.mark.spawns


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT], check=True
    )
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def lem(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of an installed wheel. What it depends on is not fetched anew but linked from this environment."""
    folder = tmp_path_factory.mktemp("empty") / "venv"
    venv.create(folder, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    site = next((folder / "lib").glob("python*/site-packages"))
    for there in _top_levels(_needed(distribution("lem-execution").requires or [])):
        (site / there.name).symlink_to(there)
    return folder / "bin" / "lem"


def _needed(requirements: list[str], extras: frozenset[str] = frozenset()) -> set[str]:
    """The names of the distributions that these requirements need, without extras that are not asked for."""
    found: set[str] = set()
    waiting = [(Requirement(each), extras) for each in requirements]
    while waiting:
        need, wanted = waiting.pop()
        if need.marker and not any(need.marker.evaluate({"extra": extra}) for extra in (*wanted, "")):
            continue
        if (key := str(Requirement(f"{need.name}[{','.join(sorted(need.extras))}]"))) not in found:
            found.add(key)
            theirs = distribution(need.name).requires or []
            waiting += [(Requirement(each), frozenset(need.extras)) for each in theirs]
    return {Requirement(each).name for each in found}


def _top_levels(names: set[str]) -> Iterator[Path]:
    """The files and folders in which these distributions lie."""
    seen: set[Path] = set()
    for name in names:
        installed = distribution(name)
        for file in installed.files or []:
            if file.parts[0] not in {"..", "__pycache__"}:
                seen.add(Path(str(installed.locate_file(file.parts[0]))))
    yield from seen


def tried(lem: Path, *words: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LEM_", "VIRTUAL"))}
    return subprocess.run(
        [lem, *words], cwd=folder, env=clean, capture_output=True, text=True, timeout=300, check=False
    )


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    """Bundles, plans, templates and pages among them."""
    files = {path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()}
    wanted = {str(path.relative_to(ROOT)) for path in files if "__pycache__" not in path.parts}

    packed = set(zipfile.ZipFile(wheel).namelist())

    assert {name for name in wanted if name.endswith(".onnx")}
    assert wanted - packed == set()


def test_an_installed_wheel_tells_its_version_and_its_commands(lem: Path, tmp_path: Path) -> None:
    version, serve = tried(lem, "--version", folder=tmp_path), tried(lem, "serve", "--help", folder=tmp_path)

    assert (version.returncode, version.stdout) == (0, f"lem {__version__}\n"), version.stderr
    assert serve.returncode == 0, serve.stderr
    assert "--workers" in serve.stdout


def test_an_installed_wheel_decides_with_the_shipped_bundle(lem: Path, tmp_path: Path) -> None:
    walks = tried(lem, "simulate", "--out", "walks", "--bars", "700", "--instruments", "1", folder=tmp_path)
    bars = next((tmp_path / "walks").glob("*.parquet"), tmp_path)

    words = ("--bars", bars, "--out", "runs", "--every", "50", "--min-steps", "6", "--sides", "buy")
    done = tried(lem, "backtest", *words, folder=tmp_path)

    assert walks.returncode == 0, walks.stderr
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "orders.parquet").exists()


def test_an_installed_wheel_says_packages_to_install_and_not_itself(lem: Path, tmp_path: Path) -> None:
    refused = tried(lem, "train", "--out", "run", folder=tmp_path)

    assert refused.returncode == 2, refused.stderr
    assert "-m pip install 'matplotlib" in refused.stderr
    assert "lem-execution[" not in refused.stderr
