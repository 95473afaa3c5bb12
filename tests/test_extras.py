"""What is said to install where a package is missing."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from app.backtest.ray_pool import RayPool
from app.domain.errors import InvalidInput
from app.extras import CHECKOUT, install_command


def test_a_cluster_without_ray_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)

    with pytest.raises(InvalidInput, match=r"needs the ray extra: .* -m pip install"):
        RayPool("auto")


def test_a_checkout_is_installed_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CHECKOUT)
    monkeypatch.setattr(sys, "executable", str(CHECKOUT / ".venv" / "bin" / "python"))

    assert install_command("train") == ".venv/bin/python -m pip install --editable '.[train]'"


def test_a_checkout_is_named_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    words = shlex.split(install_command("client"))

    assert words == [sys.executable, "-m", "pip", "install", "--editable", f"{CHECKOUT}[client]"]


def test_a_wheel_says_the_packages_since_it_is_on_no_index(tmp_path: Path) -> None:
    words = shlex.split(install_command("client", checkout=tmp_path))

    assert words[1:4] == ["-m", "pip", "install"]
    assert [word.partition("<")[0].partition(">")[0] for word in words[4:]] == ["httpx"]
