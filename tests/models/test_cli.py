"""`lem train` and `lem export` as they are typed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
import typer.testing

from app.bundles.bundle import load_bundle
from models.lem_train import app
from models.training.checkpoint import read_checkpoint
from tests.models.tiny import QUICK_RUN, TINY_SIZES, a_plan


def typed(*words: object) -> typer.testing.Result:
    return typer.testing.CliRunner().invoke(app, [str(word) for word in words])


def a_plan_file(folder: Path) -> Path:
    a_plan(folder)  # writes the bars
    sections = {"training": QUICK_RUN, "model": TINY_SIZES}
    lines = [f'[markets.walks]\npath = "{folder}"\ntrain_end = 2024-01-10\nvalidation_end = 2024-01-17']
    for name, values in sections.items():
        lines += [f"[{name}]", *(f"{key} = {value}" for key, value in values.items())]
    file = folder / "plan.toml"
    file.write_text("\n".join(lines))
    return file


@pytest.mark.exports
@pytest.mark.trains
def test_a_plan_is_trained_shown_and_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder that one stands in is as good as any other for the bundle: it gives the model its name."""
    plan, run, bundle = a_plan_file(tmp_path), tmp_path / "run", tmp_path / "typed-1"
    bundle.mkdir()
    monkeypatch.chdir(bundle)

    trained = typed("train", "--config", plan, "--out", run, "--threads", 1)
    exported = typed("export", "--run", run, "--out", ".")

    assert trained.exit_code == 0, trained.output
    assert "gain_bps_mean" in trained.output
    assert re.search(r"orders 2 of 2 .* left .* utility -?\d", trained.output), "a log shows how far it is"
    assert exported.exit_code == 0, exported.output
    assert load_bundle(bundle).name in exported.output
    assert load_bundle(bundle).name.startswith("typed-1@")


@pytest.mark.trains
def test_a_finished_training_measures_again_and_trains_nothing(tmp_path: Path) -> None:
    plan, run = a_plan_file(tmp_path), tmp_path / "run"
    typed("train", "--config", plan, "--out", run, "--threads", 1)
    before = read_checkpoint(run / "checkpoint.pt")

    again = typed("train", "--config", plan, "--out", run, "--threads", 1)

    assert again.exit_code == 0, again.output
    after = read_checkpoint(run / "checkpoint.pt")
    assert after["step"] == before["step"] == QUICK_RUN["steps"]
    assert all(torch.equal(after["net"][name], value) for name, value in before["net"].items())


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("train", "--data", "bars", "--out", "run"), "--data needs --train-end and --validation-end"),
        (("train", "--data", "bars", "--config", "plan.toml", "--out", "run"), "not both"),
        (("train", "--config", "nowhere.toml", "--out", "run"), "cannot be read"),
        (
            (
                "train",
                "--data",
                "nowhere",
                "--train-end",
                "2024-01-01",
                "--validation-end",
                "2024-02-01",
                "--out",
                "run",
            ),
            "nowhere",
        ),
        (("export", "--run", "nowhere", "--out", "bundle"), "does not exist"),
    ],
)
def test_what_cannot_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)

    refused = typed(*words)

    assert refused.exit_code == 2
    assert reason in refused.output
    assert list(tmp_path.iterdir()) == []
