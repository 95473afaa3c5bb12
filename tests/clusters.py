"""Real clusters and sentinels for tests: processes on free ports of the loopback, without persistence, with short
time-outs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from app.store.embedded import server_binary
from tests.servers import START_SECONDS_MAX

SLOTS = 16_384
SETTLE_SECONDS_MAX = 60.0
NODE_TIMEOUT_MILLISECONDS = 700
PAUSE_SECONDS = 0.02
PORTS_OF_A_WORKER = 300


@dataclass
class Node:
    """A server process; `port` stays its own when it is started again."""

    port: int
    command: list[str]
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        eventually(self.answers, START_SECONDS_MAX)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def client(self) -> Redis:
        return Redis(port=self.port, decode_responses=True, socket_timeout=SETTLE_SECONDS_MAX)

    def answers(self) -> bool:
        with self.client() as client:
            return bool(client.ping())

    def asked(self, *command: str | int) -> str:
        with self.client() as client:
            return str(client.execute_command(*command))

    def info(self, section: str) -> dict[str, str]:
        with self.client() as client:
            return {name: str(value) for name, value in client.info(section).items()}


def eventually(fact: Callable[[], bool], seconds: float = SETTLE_SECONDS_MAX) -> None:
    """Servers that agree among themselves send no event: they are asked until they do."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if fact():
                return
        except RedisError:
            pass
        assert time.monotonic() < deadline, "the servers do not agree"
        time.sleep(PAUSE_SECONDS)


def binary_of(kind: str) -> str:
    """`valkey` (the embedded binary) or `redis` (the system's); skips where it is missing."""
    binary = str(server_binary()) if kind == "valkey" else shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not installed")
    return binary


def free_ports(count: int) -> list[int]:
    """Below those that the system gives away, and with room for a cluster's bus 10,000 above. Each worker of pytest
    has a range of its own: a port is free until somebody listens."""
    found: list[int] = []
    first = 17_000 + PORTS_OF_A_WORKER * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for port in range(first, first + PORTS_OF_A_WORKER):
        if _free(port) and _free(port + 10_000):
            found.append(port)
        if len(found) == count:
            return found
    pytest.skip("no free ports")


def _free(port: int) -> bool:
    with socket.socket() as tried:
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@dataclass
class Cluster:
    """`masters[i]` has `replicas[i]` for its replica, where there are replicas."""

    masters: list[Node]
    replicas: list[Node]

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.masters)

    @property
    def nodes(self) -> list[Node]:
        return [*self.masters, *self.replicas]

    def master_of(self, key: str) -> Node:
        """By what the first node that lives says."""
        alive = next(node for node in self.nodes if node.process.poll() is None)
        with alive.client() as client:
            slot = client.execute_command("CLUSTER KEYSLOT", key)
            for first, last, master, *_ in client.execute_command("CLUSTER", "SLOTS"):
                if first <= slot <= last:
                    return next(node for node in self.nodes if node.port == master[1])
        raise AssertionError(f"nobody has slot {slot}")

    def settled(self) -> bool:
        alive = [node for node in self.nodes if node.process.poll() is None]
        return all("cluster_state:ok" in node.asked("CLUSTER", "INFO") for node in alive)

    def flush(self) -> None:
        for node in self.nodes:
            if node.process.poll() is None and node.info("replication")["role"] == "master":
                node.asked("FLUSHALL")


@contextmanager
def a_cluster(kind: str, *options: str, replicas: bool = False) -> Iterator[Cluster]:
    """Three masters, and a replica of each where they are wanted."""
    binary, count = binary_of(kind), 6 if replicas else 3
    with ExitStack() as stack:
        own = ("--cluster-enabled", "yes", "--cluster-node-timeout", str(NODE_TIMEOUT_MILLISECONDS))
        nodes = [stack.enter_context(_a_node(binary, port, *own, *options)) for port in free_ports(count)]
        cluster = Cluster(nodes[:3], nodes[3:])
        for index, node in enumerate(cluster.masters):
            first, last = index * SLOTS // 3, (index + 1) * SLOTS // 3 - 1
            node.asked("CLUSTER", "ADDSLOTSRANGE", first, last)
            node.asked("CLUSTER", "SET-CONFIG-EPOCH", index + 1)
        for node in nodes[1:]:
            node.asked("CLUSTER", "MEET", "127.0.0.1", nodes[0].port)
        for master, replica in zip(cluster.masters, cluster.replicas, strict=False):
            name = master.asked("CLUSTER", "MYID")
            eventually(partial(_follows, replica, name))
        eventually(cluster.settled)
        for node in nodes:
            eventually(partial(_knows, node, count))
        for replica in cluster.replicas:
            eventually(partial(_linked, replica))
        yield cluster


def _follows(replica: Node, master_id: str) -> bool:
    return replica.asked("CLUSTER", "REPLICATE", master_id) in ("OK", "True")


def _knows(node: Node, count: int) -> bool:
    return node.asked("CLUSTER", "NODES").count(" connected") >= count


def _linked(replica: Node) -> bool:
    return replica.info("replication").get("master_link_status") == "up"


@dataclass
class Watched:
    """A master, its replica, and sentinels that watch them under the name `lem`."""

    master: Node
    replica: Node
    sentinels: list[Node]

    @property
    def url(self) -> str:
        return "redis+sentinel://" + ",".join(f"127.0.0.1:{node.port}" for node in self.sentinels) + "/lem"


SENTINEL_FILE = """
port {port}
bind 127.0.0.1
sentinel myid {port:040x}
sentinel monitor lem 127.0.0.1 {master} 2
sentinel down-after-milliseconds lem 500
sentinel failover-timeout lem 3000
sentinel known-replica lem 127.0.0.1 {replica}
"""
ANOTHER_SENTINEL = "sentinel known-sentinel lem 127.0.0.1 {port} {port:040x}\n"
"""Who knows the others from the start need not wait to hear of them, which takes seconds."""


def _sentinel_file(port: int, sentinels: Sequence[int], master: Node, replica: Node) -> str:
    others = (ANOTHER_SENTINEL.format(port=other) for other in sentinels if other != port)
    return SENTINEL_FILE.format(port=port, master=master.port, replica=replica.port) + "".join(others)


@contextmanager
def a_watched_master(kind: str, *options: str) -> Iterator[Watched]:
    """A master with one replica and three sentinels that agree."""
    binary, ports = binary_of(kind), free_ports(5)
    with ExitStack() as stack:
        master = stack.enter_context(_a_node(binary, ports[0], *options))
        replica = stack.enter_context(
            _a_node(
                binary, ports[1], "--replicaof", f"127.0.0.1 {ports[0]}", "--repl-diskless-sync-delay", "0", *options
            )
        )
        eventually(partial(_linked, replica))
        sentinels = []
        for port in ports[2:]:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lem-", ignore_cleanup_errors=True)))
            (folder / "sentinel.conf").write_text(_sentinel_file(port, ports[2:], master, replica))
            sentinels.append(_node(binary, port, str(folder / "sentinel.conf"), "--sentinel"))
            sentinels[-1].start()
            stack.callback(sentinels[-1].kill)
        for sentinel in sentinels:
            eventually(partial(_sees, sentinel))
        yield Watched(master, replica, sentinels)


def _sees(sentinel: Node) -> bool:
    """It could take part in putting the replica into the master's place."""
    with sentinel.client() as client:
        master, replicas = client.sentinel_master("lem"), client.sentinel_slaves("lem")
        others = client.sentinel_sentinels("lem")
    flags = [master["flags"], *(each["flags"] for each in (*replicas, *others))]
    in_line = [each["master-link-status"] for each in replicas] == ["ok"]
    return in_line and flags == ["master", "slave", "sentinel", "sentinel"]


@contextmanager
def _a_node(binary: str, port: int, *options: str) -> Iterator[Node]:
    with tempfile.TemporaryDirectory(prefix="lem-", ignore_cleanup_errors=True) as folder:
        node = _node(
            binary,
            port,
            *("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder),
            *("--repl-diskless-sync-delay", "0", *options),
        )
        node.start()
        try:
            yield node
        finally:
            node.kill()


def _node(binary: str, port: int, *words: str) -> Node:
    return Node(port, [binary, *words])
