"""`lem keys` beside services that run: what it makes and revokes counts in every process within seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from app.demo.server import Server, listening, serving
from tests.clusters import a_cluster
from tests.processes.replicas import PATIENT_SECONDS, until
from tests.servers import a_server

pytestmark = pytest.mark.spawns


def lem(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {name: value for name, value in os.environ.items() if not name.startswith("LEM_")} | environment
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *words], capture_output=True, text=True, check=False, env=known
    )


def made(*words: str, **environment: str) -> str:
    ran = lem("keys", "create", "--scopes", "orders,operations", *words, **environment)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def revoked(key: str, *words: str, **environment: str) -> None:
    ran = lem("keys", "revoke", key[:16], *words, **environment)
    assert ran.returncode == 0, ran.stderr


def statuses(servers: Sequence[Server], key: str | None, calls: int = 1) -> list[int]:
    """Of so many calls of each service, each on a connection of its own, so that every worker has some."""
    header = {"Authorization": f"Bearer {key}"} if key else {}
    return [
        httpx.get(f"{server.address}/v1/orders", headers=header, timeout=PATIENT_SECONDS).status_code
        for server in servers
        for _ in range(calls)
    ]


def test_keys_are_made_and_revoked_on_the_folder_of_a_running_service(tmp_path: Path) -> None:
    """Also where the folder's path is too long for a socket, which then lies elsewhere."""
    folder = tmp_path / ("long" * 30)
    words = ("--data-dir", str(folder))
    before = made(*words)
    with serving(data_dir=folder) as server:
        key = made(*words, "--name", "oms")
        with_keys = statuses([server], before) + statuses([server], key)
        without = statuses([server], None)
        listed = lem("keys", "list", *words).stdout
        revoked(key, *words)
        until(lambda: statuses([server], key) == [401])
        still_good = statuses([server], before)
    after = lem("keys", "list", *words).stdout

    assert (with_keys, without, still_good) == ([200, 200], [401], [200])
    assert f"{key[:16]}  oms" in listed
    assert key[16:] not in listed
    assert [line.split()[7] for line in after.splitlines()[1:]] == ["good", "revoked"]
    assert key not in (folder / "serve.log").read_text()


def test_every_worker_knows_a_key_and_forgets_a_revoked_one(tmp_path: Path) -> None:
    words = ["serve", "--port", "0", "--clock", "bars", "--data-dir", str(tmp_path / "data"), "--workers", "2"]
    with listening("app.cli", *words, log=tmp_path / "log", environment={"LEM_REDIS_URL": ""}) as server:
        key = made("--data-dir", str(tmp_path / "data"))
        known = statuses([server], key, calls=20)
        until(lambda: set(statuses([server], None, calls=20)) == {401})
        revoked(key, "--data-dir", str(tmp_path / "data"))

        until(lambda: set(statuses([server], key, calls=20)) == {401})

    assert known == [200] * 20


def test_services_that_share_a_store_share_its_keys(tmp_path: Path) -> None:
    with (
        a_server("valkey") as url,
        serving(data_dir=tmp_path / "1", redis_url=url) as one,
        serving(data_dir=tmp_path / "2", redis_url=url) as two,
    ):
        key = made(LEM_REDIS_URL=url)
        known = statuses([one, two], key)
        revoked(key, LEM_REDIS_URL=url)
        until(lambda: statuses([one, two], key) == [401, 401])

    assert known == [200, 200]


def test_keys_lie_on_a_cluster_too(tmp_path: Path) -> None:
    with a_cluster("valkey") as cluster, serving(data_dir=tmp_path, redis_url=cluster.url) as server:
        key = made(LEM_REDIS_URL=cluster.url, LEM_WAIT_REPLICAS="0")
        known, unknown = statuses([server], key), statuses([server], f"{key[:-2]}xx")

    assert (known, unknown) == ([200], [401])


def test_a_service_for_others_starts_with_a_key_or_where_it_is_told_to_do_without(tmp_path: Path) -> None:
    words = ["serve", "--host", "0.0.0.0", "--port", "0", "--clock", "bars", "--data-dir", str(tmp_path)]  # noqa: S104
    refused = lem(*words)
    with_workers = lem(*words, "--workers", "2")
    environment = {"LEM_REDIS_URL": ""}
    with listening("app.cli", *words, "--allow-no-keys", log=tmp_path / "log", environment=environment) as server:
        port = server.address.rpartition(":")[2]
        open_to_all = httpx.get(f"http://127.0.0.1:{port}/v1/orders", timeout=PATIENT_SECONDS).status_code
    key = made("--data-dir", str(tmp_path))
    with listening("app.cli", *words, log=tmp_path / "log", environment=environment) as server:
        port = server.address.rpartition(":")[2]
        url = f"http://127.0.0.1:{port}/v1/orders"
        closed = httpx.get(url, timeout=PATIENT_SECONDS).status_code
        opened = httpx.get(url, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENT_SECONDS).status_code

    for ended in (refused, with_workers):
        assert ended.returncode == 2
        assert ended.stderr.startswith("lem: others than this machine could call the service")
        assert ended.stderr.count("\n") == 1
    assert (open_to_all, closed, opened) == (200, 401, 200)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("create", "--scopes", "orders,all"), "there is no scope 'all'"),
        (("create", "--scopes", "orders", "--account", ""), "--account must not be empty"),
        (("create", "--scopes", "orders", "--name", "a\nb"), "--name must have at most 128 printable characters"),
        (("revoke", "lem_000000000000"), "no key has the prefix lem_000000000000"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    ended = lem("keys", *words, LEM_DATA_DIR=str(tmp_path / "data"))

    assert ended.returncode == 2
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""
