"""Figures in a document: a Markdown table of those that have a target, between two lines that mark its place."""

from __future__ import annotations

from pathlib import Path

from app.bench.failures import BenchFailed
from app.bench.figures import Figure
from app.bench.results_file import Results
from app.files import written_whole

BEGIN, END = "<!-- figures -->\n", "<!-- /figures -->\n"
HEAD = "| case | orders | figure | measured | target |\n|---|---|---|---|---|\n"
READ_AS = {
    ("slices_next", "cpu_ratio"): "CPU against a bare handler",
    ("bar", "p50"): "from the bar to all slices committed, median",
    ("polling", "p50"): "100 clients, from the bar to the slice in hand, median",
    ("polling", "p99"): "100 clients, from the bar to the slice in hand, p99",
    ("store", "order_of_10_slices"): "an order of 10 slices",
    ("store", "bar"): "a bar",
    ("memory", "service"): "memory of the service",
    ("ready", "p50"): "from the command on, median",
    ("orders", "cpu_ratio"): "CPU against a bare POST",
    ("instruments", "service_cpu"): "CPU of a bar of each of 1,000 instruments",
    ("instruments", "service_memory"): "memory of the service",
    ("overload", "healthz_p99"): "`/healthz` under floods, p99",
    ("events", "p50"): "from an event's commit to a client, median",
    ("workers", "time_of_two_to_one"): "time with two workers against one",
    ("takeover", "worst"): "from `kill -9` of the owner to the next slice, worst",
}
"""What figures with a target are called for readers; those that are missing here keep their name."""


def table_of(results: Results) -> str:
    """The figures that have a target, and when and on what they were measured."""
    model = f", `{results.model.partition('@')[0]}`" if results.model else ""
    told = f"{results.measured_at.partition('T')[0]}{model}, {results.cores} cores:\n\n"
    return told + HEAD + "".join(_row(figure) for figure in results.figures if figure.target is not None)


def _row(figure: Figure) -> str:
    words = READ_AS.get((figure.case, figure.name), f"`{figure.name}`")
    orders = "" if figure.orders is None else f"{figure.orders:,}"
    target = "" if figure.target is None else figure.shown(figure.target)
    cells = (f"`{figure.case}`", orders, words, figure.shown(figure.value), target)
    return f"| {' | '.join(cells)} |\n"


def publish(results: Results, document: Path) -> None:
    """Write the table between the document's marks. Raises OSError, and BenchFailed where it has none."""
    before, after = around(document)
    with written_whole(document) as draft:
        draft.write_text(f"{before}{BEGIN}\n{table_of(results)}\n{END}{after}", encoding="utf-8")


def around(document: Path) -> tuple[str, str]:
    """What stands before the marks and after them. Raises OSError, and BenchFailed where there are none."""
    before, began, rest = document.read_text(encoding="utf-8").partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (began and ended):
        raise BenchFailed(f"{document} needs a line {BEGIN.strip()} and below it {END.strip()}: the table goes between")
    return before, after
