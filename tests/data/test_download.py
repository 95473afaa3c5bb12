"""Archives over real HTTP: verified, retried within bounds, never asked for twice, never half kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from app.domain.errors import InvalidInput, LemError, Unavailable
from models.data.download import SOURCE_DOWN, Downloader, Got, Patience
from tests.data.klines import CUT, Host, a_month, a_zip, an_archive

ZIP = an_archive().path
CHECKSUM = f"{ZIP}.CHECKSUM"
WHOLE = a_zip(a_month())


@pytest_asyncio.fixture
async def source(host: Host, tmp_path: Path) -> AsyncIterator[Downloader]:
    """Three attempts without a wait in between."""
    async with httpx.AsyncClient(timeout=5.0) as client:
        yield Downloader(
            client=client,
            base_url=host.url,
            folder=tmp_path,
            patience=Patience(attempts=3, first_wait_seconds=0.0),
        )


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def refused(source: Downloader) -> LemError:
    with pytest.raises(LemError) as refusal:
        await source.get(an_archive())
    return refusal.value


async def test_an_archive_is_kept_with_its_checksum(host: Host, source: Downloader, tmp_path: Path) -> None:
    host.publish(an_archive(), WHOLE)

    assert await source.get(an_archive()) is Got.FETCHED

    assert source.path_of(an_archive()).read_bytes() == WHOLE
    assert files_in(tmp_path) == [ZIP, CHECKSUM]


async def test_a_kept_archive_is_not_asked_for_again(host: Host, source: Downloader) -> None:
    host.publish(an_archive(), WHOLE)
    await source.get(an_archive())
    host.asked.clear()

    assert await source.get(an_archive()) is Got.KEPT

    assert host.asked == []


async def test_a_kept_archive_that_rotted_is_fetched_anew(host: Host, source: Downloader) -> None:
    host.publish(an_archive(), WHOLE)
    await source.get(an_archive())
    source.path_of(an_archive()).write_bytes(WHOLE[:-1])

    assert await source.get(an_archive()) is Got.FETCHED

    assert source.path_of(an_archive()).read_bytes() == WHOLE


async def test_a_month_that_is_not_published_is_absent_at_once(host: Host, source: Downloader, tmp_path: Path) -> None:
    assert await source.get(an_archive()) is Got.ABSENT

    assert host.asked == [CHECKSUM, ZIP]
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("trouble", [500, 503, 429, CUT])
@pytest.mark.parametrize("path", [ZIP, CHECKSUM])
async def test_a_passing_trouble_is_retried(host: Host, source: Downloader, trouble: int | str, path: str) -> None:
    host.publish(an_archive(), WHOLE)
    host.troubles[path] = [trouble, trouble]

    assert await source.get(an_archive()) is Got.FETCHED

    assert host.asked.count(path) == 3


@pytest.mark.parametrize("trouble", [500, CUT])
async def test_patience_ends(host: Host, source: Downloader, tmp_path: Path, trouble: int | str) -> None:
    host.publish(an_archive(), WHOLE)
    host.troubles[ZIP] = [trouble] * 10

    error = await refused(source)

    assert isinstance(error, Unavailable)
    assert error.code == SOURCE_DOWN
    assert "tried 3 times" in error.detail
    assert host.asked.count(ZIP) == 3
    assert files_in(tmp_path) == []


async def test_a_host_that_is_not_there_is_unavailable(source: Downloader, tmp_path: Path) -> None:
    nowhere = Downloader(client=source.client, base_url="http://127.0.0.1:1", folder=tmp_path, patience=source.patience)

    assert (await refused(nowhere)).code == SOURCE_DOWN


async def test_an_answer_that_is_too_slow_is_given_up(host: Host, source: Downloader, tmp_path: Path) -> None:
    host.publish(an_archive(), WHOLE)
    async with httpx.AsyncClient(timeout=httpx.Timeout(5.0, read=1e-9)) as hasty:
        impatient = Downloader(client=hasty, base_url=host.url, folder=tmp_path, patience=source.patience)

        error = await refused(impatient)

    assert (error.code, "Timeout" in error.detail) == (SOURCE_DOWN, True)


async def test_a_wrong_checksum_keeps_nothing(host: Host, source: Downloader, tmp_path: Path) -> None:
    host.publish(an_archive(), WHOLE, checksum="0" * 64)

    error = await refused(source)

    assert error.code == "checksum_mismatch"
    assert "its CHECKSUM says 000" in error.detail
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({CHECKSUM: b"<html>"}, "bad_checksum"),
        ({CHECKSUM: b"0" * 10_000}, "bad_checksum"),
        ({ZIP: b"0" * (an_archive().bytes_max + 1)}, "oversize"),
    ],
)
async def test_what_a_retry_would_not_change_is_refused_at_once(
    host: Host, source: Downloader, tmp_path: Path, change: dict[str, bytes], code: str
) -> None:
    host.publish(an_archive(), WHOLE)
    host.files |= change

    error = await refused(source)

    assert isinstance(error, InvalidInput)
    assert error.code == code
    assert len(host.asked) <= 2
    assert files_in(tmp_path) == []


async def test_an_archive_without_a_checksum_is_not_trusted(host: Host, source: Downloader, tmp_path: Path) -> None:
    host.publish(an_archive(), WHOLE)
    del host.files[CHECKSUM]

    assert (await refused(source)).code == "no_checksum"
    assert files_in(tmp_path) == []


async def test_a_forbidden_archive_is_refused_with_the_status(host: Host, source: Downloader) -> None:
    host.publish(an_archive(), WHOLE)
    host.troubles[ZIP] = [403]

    error = await refused(source)

    assert (error.code, "answers 403" in error.detail) == ("refused", True)


def test_waits_double_up_to_a_bound() -> None:
    patience = Patience(first_wait_seconds=1.0, wait_seconds_max=5.0)

    assert [patience.wait_seconds(failed) for failed in (1, 2, 3, 4, 5)] == [1.0, 2.0, 4.0, 5.0, 5.0]
