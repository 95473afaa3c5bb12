"""What a PromQL expression names: metrics, and the labels that it asks of each."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pytest

from app.metrics import ServiceMetrics
from app.workers.pages import UP

OF_THE_TARGET = {"job", "instance", "namespace", "pod", "worker"}
"""Labels that Prometheus gives every series of a target, and `worker` that of `lem serve --workers`."""
OF_PROMETHEUS = {"up": set[str]()}
ENDINGS = {"counter": ("_total", "_created"), "gauge": ("",), "histogram": ("_sum", "_count", "_bucket")}

SELECTOR = re.compile(r"\b(?P<name>(?:lem|process)_\w+|up)\b(?:\{(?P<matchers>[^}]*)\})?")
MATCHER = re.compile(r'(?P<label>\w+)\s*(?P<sign>=~|!~|!=|=)\s*"(?P<value>(?:[^"\\]|\\.)*)"')
GROUPED = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")

needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric in an expression, with (label, sign, value) of each of its matchers."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]

    def values_of(self, label: str) -> list[str]:
        """The values that the label is compared with; alternatives one by one, patterns and variables left out."""
        texts = [value for name, _, value in self.matchers if name == label]
        return [each for text in texts for each in text.split("|") if re.fullmatch(r"[\w/{} .-]+", each)]


def selectors(expression: str) -> list[Selector]:
    bare = GROUPED.sub("", expression)
    return [
        Selector(found["name"], tuple(MATCHER.findall(found["matchers"] or ""))) for found in SELECTOR.finditer(bare)
    ]


def grouped_by(expression: str) -> set[str]:
    """The labels of all `by (...)` and their like."""
    return {label.strip() for found in GROUPED.findall(expression) for label in found.split(",") if label.strip()}


@cache
def labels_by_series() -> dict[str, set[str]]:
    """Every series that Prometheus may find, by name: its labels, those of its target included."""
    metrics = ServiceMetrics()
    labels = {
        collector._name: set(collector._labelnames)
        for collector in vars(metrics).values()
        if hasattr(collector, "_labelnames")
    }
    found = dict(_series(metrics, labels)) | {UP.split()[2]: set[str]()} | OF_PROMETHEUS
    return {name: every | OF_THE_TARGET for name, every in found.items()}


def _series(metrics: ServiceMetrics, labels: dict[str, set[str]]) -> Iterator[tuple[str, set[str]]]:
    for family in metrics.registry.collect():
        for ending in ENDINGS.get(family.type, ("",)):
            bucket = {"le"} if ending == "_bucket" else set[str]()
            yield family.name + ending, labels.get(family.name, set()) | bucket


def wrong_names(expression: str) -> list[str]:
    """Metrics and labels of the expression that the service does not have."""
    there = labels_by_series()
    asked = selectors(expression)
    unknown = [each.metric for each in asked if each.metric not in there]
    labels = [
        f"{each.metric}{{{label}}}"
        for each in asked
        for label, _, _ in each.matchers
        if label not in there.get(each.metric, {label})
    ]
    of_all = set[str]().union(*(there.get(each.metric, set()) for each in asked))
    return [*unknown, *labels, *sorted(grouped_by(expression) - of_all)]
