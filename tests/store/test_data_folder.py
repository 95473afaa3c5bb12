"""Nobody but its owner opens the data folder, and a folder that was shared or planted is told or refused."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
from pathlib import Path

import pytest
from redis import Redis

from app.store.data_folder.errors import DataFolderNotPrivateError
from app.store.data_folder.left_over import kill_servers
from app.store.data_folder.privacy import make_private
from app.store.embedded import SOCKET_PATH_MAX, EmbeddedStore, server_binary

STRANGER = 65534


def open_to_others(folder: Path) -> list[str]:
    """What other users could read, write or enter; a socket is kept by its folder."""
    every = [folder, *folder.rglob("*")]
    return [path.name for path in every if not path.is_socket() and stat.S_IMODE(path.lstat().st_mode) & 0o077]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A private data folder with the files of a store."""
    folder = tmp_path / "data"
    (folder / "appendonlydir").mkdir(parents=True)
    for name in ("lock", "store.log", "appendonlydir/appendonly.aof.1.incr.aof"):
        (folder / name).touch()
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return folder


async def test_a_new_folder_and_all_in_it_are_for_the_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        async with EmbeddedStore(tmp_path / "data") as store:
            with Redis.from_url(store.url) as client:
                client.set("k", "v")
            seen = open_to_others(tmp_path / "data")
    finally:
        os.umask(before)

    assert seen == []


def test_a_folder_that_others_could_open_is_closed_and_that_is_told(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "temp-rewriteaof-bg-7.aof").touch()  # what a killed server leaves
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)

    with caplog.at_level(logging.WARNING):
        make_private(folder)

    assert open_to_others(folder) == ["temp-rewriteaof-bg-7.aof"], "which lies in a folder that nobody else can enter"
    assert f"other users could open {folder}" in caplog.text


def test_an_open_folder_with_other_files_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    (home / "letter.txt").touch()

    with pytest.raises(DataFolderNotPrivateError, match=r"letter\.txt.* data folder of its own"):
        make_private(home)

    assert stat.S_IMODE(home.stat().st_mode) == 0o755


def test_a_folder_that_all_users_share_is_refused(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)

    with pytest.raises(DataFolderNotPrivateError, match="shared"):
        make_private(shared)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("name", ["", "appendonlydir", "lock"])
def test_what_belongs_to_another_user_is_refused(folder: Path, name: str) -> None:
    os.chown(folder / name, STRANGER, STRANGER)

    with pytest.raises(DataFolderNotPrivateError, match=f"another user .uid {STRANGER}"):
        make_private(folder)


def test_a_link_in_the_place_of_a_file_is_refused(folder: Path, tmp_path: Path) -> None:
    """It would make the service write wherever somebody likes."""
    target = tmp_path / "target"
    (folder / "store.log").unlink()
    (folder / "store.log").symlink_to(target)

    with pytest.raises(DataFolderNotPrivateError, match="is a link"):
        make_private(folder)

    assert not target.exists()


async def test_the_socket_of_a_long_path_lies_in_a_folder_that_is_new_and_private(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    places = []
    for _ in range(2):
        async with EmbeddedStore(folder) as store:
            socket = Path(store.url.removeprefix("unix://"))
            places.append(socket)
            assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700

    assert len(str(folder)) > SOCKET_PATH_MAX
    assert places[0] != places[1]
    assert not any(place.parent.exists() for place in places)


def test_only_a_server_that_works_in_the_folder_is_killed(tmp_path: Path) -> None:
    """Another program in the folder, or the store's server in another folder, is somebody else's."""
    binary, folders = str(server_binary()), [tmp_path / "ours", tmp_path / "theirs"]
    for folder in folders:
        folder.mkdir()
    options = ["--port", "0", "--unixsocket", "socket", "--save", "", "--logfile", "log"]
    ours, theirs = (subprocess.Popen([binary, *options, "--dir", str(folder)], cwd=folder) for folder in folders)
    bystander = subprocess.Popen(["sleep", "60"], cwd=folders[0])
    try:
        killed = kill_servers(folders[0], server_binary())

        ended = ours.wait(10)
        others = theirs.poll(), bystander.poll()
    finally:
        for process in (ours, theirs, bystander):
            process.kill()
            process.wait()
    assert (killed, ended, others) == (1, -9, (None, None))
