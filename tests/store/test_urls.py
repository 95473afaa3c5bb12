"""Where the store is, as operators write it."""

from __future__ import annotations

import pytest

from app.store.connection import connect
from app.store.urls import Kind, store_url


def test_the_nodes_of_a_cluster_are_reached_with_the_login_and_the_options_of_the_url() -> None:
    url = store_url("redis+cluster://lem:s%2Fcret@one:7000,two,[::1]:7002?protocol=3")

    assert url.kind is Kind.CLUSTER
    assert [url.at(host) for host in url.hosts] == [
        "redis://lem:s%2Fcret@one:7000?protocol=3",
        "redis://lem:s%2Fcret@two:6379?protocol=3",
        "redis://lem:s%2Fcret@[::1]:7002?protocol=3",
    ]


def test_sentinels_are_asked_by_the_name_of_the_master() -> None:
    url = store_url("rediss+sentinel://:secret@one:26380,two/lem/3")

    assert (url.kind, url.service) == (Kind.SENTINEL, "lem")
    assert url.hosts == (("one", 26380), ("two", 26379))
    assert url.at(("master", 6379)) == "rediss://:secret@master:6379/3"


@pytest.mark.parametrize("text", ["redis://host:6379/0", "rediss://host", "unix:///run/store.sock?password=x"])
def test_one_server_is_what_redis_py_makes_of_it(text: str) -> None:
    assert store_url(text).kind is Kind.SINGLE


@pytest.mark.parametrize(
    "text",
    [
        "redis+cluster://",
        "redis+cluster://host:port",
        "redis+cluster://host/lem",
        "redis+cluster://user:s@cret@host",
        "redis+cluster://host?nonsense=1",
        "redis+sentinel://host",
        "redis+sentinel://host:26379/lem/first",
        "redis+sentinel://host/lem?nonsense=1",
        "http+cluster://host",
    ],
)
def test_what_is_no_url_is_refused_with_what_to_write_and_without_its_password(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be like redis://") as refused:
        connect(text)

    assert "cret" not in str(refused.value)
    assert refused.value.__cause__ is None


async def test_what_is_right_connects_to_nobody_yet() -> None:
    for text in (
        "redis+cluster://nobody:1",
        "redis+sentinel://nobody:1/lem?sentinel_password=x",
        "rediss+sentinel://n/lem",
    ):
        await connect(text).aclose()
