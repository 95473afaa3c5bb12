"""A scrape of any worker tells the series of all, each with the label of its worker."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from app.metrics import ServiceMetrics
from app.workers.pages import Pages, merged
from app.workers.place import Place


def counted(bars: int) -> bytes:
    """The page of a worker that has taken so many bars."""
    metrics = ServiceMetrics()
    metrics.bar_ingested('A"B{C', bars)
    metrics.ready(())
    return metrics.page()


def test_each_series_has_its_worker_and_each_family_is_told_once() -> None:
    page = merged({0: counted(3).decode(), 1: counted(4).decode(), 2: None})

    families = {family.name: family for family in text_string_to_metric_families(page)}
    bars = {
        sample.labels["worker"]: (sample.labels["instrument"], sample.value)
        for sample in families["lem_bars_ingested"].samples
        if sample.name == "lem_bars_ingested_total"
    }
    assert bars == {"0": ('A"B{C', 3.0), "1": ('A"B{C', 4.0)}
    assert page.count("# TYPE lem_ready gauge") == 1
    assert [sample.value for sample in families["lem_worker_up"].samples] == [1.0, 1.0, 0.0]
    assert all("worker" in sample.labels for family in families.values() for sample in family.samples)


async def test_workers_ask_each_other_and_leave_out_who_does_not_answer(tmp_path: Path) -> None:
    async def three() -> bytes:
        return counted(3)

    async def four() -> bytes:
        return counted(4)

    first, second = (
        Pages(Place(number=number, count=3, folder=tmp_path, store_url=None), own)
        for number, own in enumerate((three, four))
    )
    async with first.served(), second.served():
        by_first, by_second = await first.all(), await second.all()

    for page in (by_first.decode(), by_second.decode()):
        assert 'lem_bars_ingested_total{worker="0",instrument="A\\"B{C"} 3.0' in page
        assert 'lem_bars_ingested_total{worker="1",instrument="A\\"B{C"} 4.0' in page
        assert 'lem_worker_up{worker="2"} 0' in page
