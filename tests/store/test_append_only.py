"""What a loss of power leaves in the append-only file is mended; what lost acknowledged changes is not passed over."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis

from app.store.data_folder.append_only import MANIFEST, mend
from app.store.data_folder.commands import extent_of
from app.store.data_folder.errors import DataFolderDamagedError
from app.store.data_folder.sizes import noted_sizes
from app.store.embedded import EmbeddedStore

KEYS = 5
SET = b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$2\r\nab\r\n"
MULTI, EXEC = b"*1\r\n$5\r\nMULTI\r\n", b"*1\r\n$4\r\nEXEC\r\n"


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a store with a few keys that has ended in order."""
    folder = tmp_path_factory.mktemp("ended") / "data"

    async def fill() -> None:
        async with EmbeddedStore(folder) as store:
            with Redis.from_url(store.url) as client:
                for number in range(KEYS):
                    client.set(f"key-{number}", "value")

    asyncio.run(fill())
    return folder


@pytest.fixture
def folder(ended: Path, tmp_path: Path) -> Path:
    """A copy for one test."""
    return Path(shutil.copytree(ended, tmp_path / "data", ignore=shutil.ignore_patterns("*.sock")))


def increment_of(folder: Path) -> Path:
    return next(folder.glob("appendonlydir/*.incr.aof"))


def base_of(folder: Path) -> Path:
    return next(folder.glob("appendonlydir/*.base.rdb"))


async def keys_in(folder: Path) -> int:
    async with EmbeddedStore(folder) as store:
        with Redis.from_url(store.url) as client:
            found: list[bytes] = client.keys("key-*")
            return len(found)


@pytest.mark.parametrize(
    "tail",
    [
        b"\0" * 1500,
        b"\0" * 70_000,
        bytes(range(256)) * 3,
        SET[:-4],
        SET[:7],
        b"*",
        SET[:-4] + b"\0" * 100,
        MULTI + SET,
        MULTI + SET + SET[:-1],
        MULTI + SET + b"\0" * 9,
    ],
    ids=[
        "zeros",
        "pages of zeros",
        "garbage",
        "torn",
        "torn early",
        "a byte",
        "torn, zeros",
        "open",
        "open, torn",
        "x",
    ],
)
def test_what_is_behind_the_last_whole_change_is_cut_told_and_kept(
    folder: Path, tail: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    file = increment_of(folder)
    whole = file.read_bytes()
    file.write_bytes(whole + tail)

    mend(folder)

    [kept] = file.parent.glob("*.cut-*")
    assert file.read_bytes() == whole
    assert kept.read_bytes() == tail
    assert f"cut {len(tail)} bytes" in caplog.text
    assert kept.name in caplog.text


@pytest.mark.parametrize(
    "named", [base_of, lambda folder: folder / "appendonlydir" / MANIFEST], ids=["base", "manifest"]
)
def test_zeros_behind_a_file_that_never_grows_are_cut_too(
    folder: Path, named: Callable[[Path], Path], caplog: pytest.LogCaptureFixture
) -> None:
    whole = named(folder).read_bytes()
    named(folder).write_bytes(whole + b"\0" * 4096)

    mend(folder)

    assert named(folder).read_bytes() == whole
    assert "cut 4096 bytes" in caplog.text


async def test_a_change_is_noted_while_the_store_runs(tmp_path: Path) -> None:
    """So that a file that is cut after a crash is known to be too short."""
    folder = tmp_path / "data"
    async with EmbeddedStore(folder) as store:
        with Redis.from_url(store.url) as client:
            client.set("key", "value")
        size = increment_of(folder).stat().st_size
        async with asyncio.timeout(10):
            while noted_sizes(folder).get(increment_of(folder).name) != size:  # noqa: ASYNC110 -- the store's own pace
                await asyncio.sleep(0.02)


async def test_with_zeros_behind_the_last_change_the_store_starts_with_all_it_had(folder: Path) -> None:
    with increment_of(folder).open("ab") as file:
        file.write(b"\0" * 1500)

    assert await keys_in(folder) == KEYS


def test_a_sound_folder_is_left_as_it_is_and_nothing_is_said(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = increment_of(folder).read_bytes()

    mend(folder)

    assert increment_of(folder).read_bytes() == before
    assert caplog.text == ""


def test_a_change_that_was_acknowledged_and_is_torn_is_told_as_lost(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = increment_of(folder)
    file.write_bytes(file.read_bytes()[:-3])

    mend(folder)
    mend(folder)

    lost = [record for record in caplog.records if "acknowledged changes are lost" in record.message]
    assert [record.levelno for record in lost] == [logging.ERROR]


def _damage_the_middle(folder: Path) -> None:
    content = increment_of(folder).read_bytes()
    at = content.index(b"key-2")
    increment_of(folder).write_bytes(content[: at - 12] + b"\0" * 12 + content[at:])


def _empty(file: Callable[[Path], Path]) -> Callable[[Path], object]:
    return lambda folder: file(folder).write_bytes(b"")


def _halve_at_a_change(folder: Path) -> None:
    content = increment_of(folder).read_bytes()
    increment_of(folder).write_bytes(content[: content.rindex(b"*3\r\n")])


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (_damage_the_middle, "whole changes follow"),
        (_empty(base_of), "has 0 bytes"),
        (_empty(increment_of), "has 0 bytes and had at least"),
        (_halve_at_a_change, "had at least"),
        (lambda folder: base_of(folder).write_bytes(base_of(folder).read_bytes()[:40]), "has 40 bytes"),
        (lambda folder: (folder / "appendonlydir" / MANIFEST).unlink(), "manifest is missing"),
        (lambda folder: (folder / "appendonlydir" / MANIFEST).write_text(""), "cannot be read"),
        (lambda folder: base_of(folder).unlink(), "is missing"),
        (lambda folder: increment_of(folder).unlink(), "is missing"),
        (lambda folder: (folder / "appendonlydir").rename(folder.parent / "elsewhere"), "is missing"),
    ],
    ids=[
        *("middle", "empty base", "empty increment", "cut", "cut base", "no manifest", "empty manifest", "no base"),
        *("no increment", "nothing"),
    ],
)
def test_a_folder_that_lost_acknowledged_changes_is_refused_with_what_to_do(
    folder: Path, damage: Callable[[Path], object], named: str
) -> None:
    damage(folder)
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    with pytest.raises(DataFolderDamagedError, match=named) as refused:
        mend(folder)

    assert "Put a backup of the folder in its place, or " in str(refused.value)
    assert {path: path.read_bytes() for path in files} == files, "nothing is changed"


def test_data_without_a_manifest_is_refused_without_a_note_too(folder: Path) -> None:
    """As in a folder of a release before the note."""
    (folder / "sizes.json").unlink()
    (folder / "appendonlydir" / MANIFEST).unlink()

    with pytest.raises(DataFolderDamagedError, match=r"manifest is missing while .*incr\.aof is there"):
        mend(folder)


def test_without_the_note_what_is_there_is_taken(folder: Path) -> None:
    """How an operator says to go on without what is lost."""
    _halve_at_a_change(folder)
    (folder / "sizes.json").unlink()

    mend(folder)

    assert json.loads((folder / "sizes.json").read_text())["files"][increment_of(folder).name] > 0


@pytest.mark.parametrize("note", ["", "{}", "[]", '{"v": 2, "files": {}}', '{"v": 1, "files": {"a": "b"}}'])
def test_a_note_that_cannot_be_read_stops_nothing(folder: Path, note: str) -> None:
    (folder / "sizes.json").write_text(note)

    mend(folder)

    assert json.loads((folder / "sizes.json").read_text())["v"] == 1


def test_a_service_that_was_killed_before_its_first_manifest_starts(folder: Path) -> None:
    (folder / "appendonlydir" / MANIFEST).unlink()
    (folder / "sizes.json").unlink()
    increment_of(folder).write_bytes(b"")

    mend(folder)

    assert not (folder / "sizes.json").exists()


async def test_the_files_of_a_rewrite_are_read_and_noted(folder: Path) -> None:
    async with EmbeddedStore(folder) as store:
        with Redis.from_url(store.url) as client:
            client.bgrewriteaof()
            while client.info("persistence")["aof_rewrite_in_progress"]:
                pass
            client.set("key-new", "value")

    noted = json.loads((folder / "sizes.json").read_text())["files"]
    assert noted == {base_of(folder).name: base_of(folder).stat().st_size, increment_of(folder).name: len(_new_key())}
    assert await keys_in(folder) == KEYS + 1


def _new_key() -> bytes:
    return b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nset\r\n$7\r\nkey-new\r\n$5\r\nvalue\r\n"


def test_text_in_a_torn_change_that_looks_like_a_change_is_none(tmp_path: Path) -> None:
    """Sizes and names in orders never hold a line's end; whatever else stands in them is no command."""
    file = tmp_path / "file"
    file.write_bytes(SET + b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$900\r\n*3 $3 SET *1\n$4\nEXEC")

    extent = extent_of(file)

    assert (extent.whole, extent.readable, extent.resumes) == (len(SET), len(SET), False)


@pytest.mark.parametrize(
    "tail", [b"*0\r\n", b"+OK\r\n", b":1\r\n", b"$2\r\nhi\r\n", b"*1\r\n:1\r\n", b"*1\r\n$-1\r\n", MULTI]
)
def test_what_the_server_does_not_write_is_no_command(tmp_path: Path, tail: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(SET * 2 + tail)

    assert extent_of(file).whole == len(SET * 2)


def test_a_sound_file_is_whole_however_long_its_commands_are(tmp_path: Path) -> None:
    file, long = tmp_path / "file", SET.replace(b"$2\r\nab", b"$200000\r\n" + b"x" * 200_000)
    file.write_bytes(MULTI + SET + long + EXEC + long)

    extent = extent_of(file)

    assert extent.whole == extent.readable == extent.size == file.stat().st_size > 2 * 200_000


def test_the_server_s_notes_of_the_time_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"#TS:1736640000\r\n" + SET)

    assert extent_of(file).whole == file.stat().st_size


def test_a_long_file_is_read_at_a_hundred_thousand_changes_a_second(tmp_path: Path) -> None:
    """Else a large store would be long in starting."""
    file = tmp_path / "file"
    file.write_bytes((MULTI + SET * 4 + EXEC) * 20_000 + b"\0" * 100_000)

    extent = extent_of(file)

    assert extent.whole == extent.readable == len(MULTI + SET * 4 + EXEC) * 20_000
    assert not extent.resumes
