"""Bundles side by side: each is checked when it is first seen, and again once its files are others."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path

import pytest

from app.bundles.bundle import LemPolicy, bundle_name, load_bundle, read_card
from app.bundles.catalogue import Catalogue, CatalogueEntry, longest_lookback
from app.bundles.errors import BundleError
from app.bundles.shipped import SHIPPED_BUNDLE, SHIPPED_BUNDLES

OWN_NAME = bundle_name(read_card(SHIPPED_BUNDLE))
once = cache(load_bundle)


class Loader:
    """Loads, and tells what."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, folder: Path) -> LemPolicy:
        self.names.append(folder.name)
        return load_bundle(folder)


def catalogue(*shelves: Path, loader: Loader | None = None) -> Catalogue:
    return Catalogue(once(SHIPPED_BUNDLE), SHIPPED_BUNDLE, shelves, loader or load_bundle)


def copied(shelf: Path, name: str) -> Path:
    return Path(shutil.copytree(SHIPPED_BUNDLES / "lem-1", shelf / name))


def problems(found: list[CatalogueEntry]) -> dict[str, str | None]:
    return {entry.name: entry.problem for entry in found}


def test_the_service_s_own_bundle_comes_first_and_is_not_loaded_again() -> None:
    loader = Loader()

    found = catalogue(SHIPPED_BUNDLES, loader=loader).entries()

    assert [(entry.name, entry.own) for entry in found] == [
        (OWN_NAME, True),
        (once(SHIPPED_BUNDLES / "lem-1").name, False),
    ]
    assert loader.names == ["lem-1"]
    assert found[1].card["max_steps"] == 24
    assert not {"golden", "calibration"} & set(found[1].card)


def test_a_bundle_is_checked_once_until_its_files_change(tmp_path: Path) -> None:
    folder, loader = copied(tmp_path, "one"), Loader()
    side_by_side = catalogue(tmp_path, loader=loader)

    first, second = side_by_side.entries(), side_by_side.entries()
    (folder / "context.onnx").write_bytes(b"another file")
    third = side_by_side.entries()

    assert loader.names == ["one", "one"]
    assert first == second
    assert first[1].problem is None
    assert "has the checksum" in (third[1].problem or "")


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda card: card.pop("lookback"), "lookback"),
        (lambda card: card["golden"][0]["outputs"].update(context=[[0.0]]), "golden case 0"),
        (lambda card: card.update(history_min=10_000), "history_min"),
    ],
)
def test_a_bundle_that_is_wrong_is_listed_under_its_folder_with_what_is_wrong(
    tmp_path: Path, harm: object, reason: str
) -> None:
    card = copied(tmp_path, "wrong") / "card.json"
    told = json.loads(card.read_text())
    harm(told)  # type: ignore[operator]
    card.write_text(json.dumps(told))

    found = problems(catalogue(tmp_path).entries())

    assert reason in (found["wrong"] or "")


def test_of_two_folders_with_the_same_bundle_the_first_counts(tmp_path: Path) -> None:
    copied(tmp_path, "one")

    found = catalogue(SHIPPED_BUNDLES, tmp_path).entries()

    assert [entry.folder.name for entry in found] == ["lem-2", "lem-1"]


def test_a_folder_that_is_not_there_or_holds_no_bundle_takes_nothing_away(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()

    found = catalogue(tmp_path / "nowhere", tmp_path).entries()

    assert [entry.name for entry in found] == [OWN_NAME]


def test_a_bundle_whose_folder_holds_another_one_by_now_is_not_loaded(tmp_path: Path) -> None:
    folder = copied(tmp_path, "one")
    side_by_side = catalogue(tmp_path)
    [_, entry] = side_by_side.entries()
    shutil.rmtree(folder)
    shutil.copytree(SHIPPED_BUNDLE, folder)

    with pytest.raises(BundleError, match=r"holds lem-2@\w+ now, not lem-1@"):
        side_by_side.chain(entry)


def test_the_longest_lookback_is_read_from_the_cards_alone(tmp_path: Path) -> None:
    for name, text in (("a", '{"lookback": 600}'), ("b", '{"lookback": "many"}'), ("c", "no card"), ("d", "{}")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "card.json").write_text(text)

    assert longest_lookback([tmp_path, tmp_path / "nowhere"]) == 600
    assert longest_lookback([]) == 0
