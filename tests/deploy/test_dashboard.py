"""The Grafana dashboard and what provisions it: every panel asks for what the service has, as Prometheus takes it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from app.api.codes import CODES
from app.api.lane_routes import LANES
from app.domain.fills import FillWarning
from app.domain.slice import Basis
from app.main import create_app
from app.outbox.webhooks.webhook import WebhookStatus
from app.settings import Settings
from app.workers.pages import UP
from tests.deploy.promql import OF_PROMETHEUS, grouped_by, labels_by_series, needs_promtool, selectors, wrong_names
from tests.deploy.test_alerts import ALERTS
from tests.docs.blocks import ROOT, text_of

GRAFANA = ROOT / "deploy" / "grafana"
DASHBOARD: dict[str, Any] = json.loads((GRAFANA / "dashboards" / "lem.json").read_text())
DATASOURCE_OF_A_PANEL = {"type": "prometheus", "uid": "${datasource}"}


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def targets() -> list[dict[str, Any]]:
    return [target for panel in panels() for target in panel["targets"]]


def expressions() -> list[str]:
    """Of the dashboard and of the alerts."""
    return [target["expr"] for target in targets()] + [rule["expr"] for rule in ALERTS.values()]


async def names_on_the_page(client: httpx.AsyncClient) -> set[str]:
    """The metrics that the running service tells of, by name."""
    page = (await client.get("/metrics")).text
    return set(re.findall(r"^# TYPE (\w+) ", page, re.MULTILINE)) | {UP.split()[2]} | set(OF_PROMETHEUS)


async def test_every_metric_that_is_asked_for_is_on_the_metrics_page(client: httpx.AsyncClient) -> None:
    there = await names_on_the_page(client)
    asked = {each.metric for text in expressions() for each in selectors(text)}

    assert asked
    assert {name for name in asked if re.sub(r"_(sum|count|bucket)$", "", name) not in there} == set()


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_a_panel_names_metrics_and_labels_that_exist(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        shown = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", target["legendFormat"]))
        named = selectors(target["expr"])

        assert wrong_names(target["expr"]) == []
        assert shown <= set[str]().union(*(labels_by_series()[each.metric] for each in named))
        assert shown <= grouped_by(target["expr"]) or not grouped_by(target["expr"])


def test_values_that_labels_are_compared_with_exist() -> None:
    document = create_app(Settings()).openapi()
    reasons = re.findall(r"^\| `(\w+)` \|", text_of("docs/operations.md"), re.MULTILINE)
    known = {
        ("lem_requests_refused_total", "lane"): {size.name for sizes in LANES.values() for size in sizes},
        ("lem_http_request_seconds_bucket", "route"): set(document["paths"]),
        ("lem_decisions_total", "basis"): set(Basis),
        ("lem_fill_warnings_total", "warning"): set(FillWarning),
        ("lem_not_ready", "reason"): set(reasons),
        ("lem_access_refused_total", "code"): set(CODES),
        ("lem_bars_refused_total", "code"): set(CODES),
        ("lem_webhooks", "status"): set(WebhookStatus),
        ("lem_connections_refused_total", "reason"): {"full", "half_sent", "pipelined", "unread"},
    }

    for expression in expressions():
        for each in selectors(expression):
            for label, _, _ in each.matchers:
                there = known.get((each.metric, label))
                assert there is None or set(each.values_of(label)) <= there, expression


@needs_promtool
def test_prometheus_takes_every_expression(tmp_path: Path) -> None:
    asked = [target["expr"].replace("$__rate_interval", "1m") for target in targets()]
    rules = [{"record": f"panel:{number}", "expr": expr} for number, expr in enumerate(asked)]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))

    checked = subprocess.run(
        ["promtool", "check", "rules", "--lint=none", file], capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_rows_are_those_that_an_operator_looks_for() -> None:
    assert [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"] == [
        *("Now", "Orders", "Slices and basis", "Feeds: age and lateness", "Latency of decisions", "Store"),
        *("Replicas and leases", "Requests and refusals"),
    ]


def test_panels_have_ids_of_their_own_and_stand_beside_each_other() -> None:
    every = DASHBOARD["panels"]
    lines = [[panel["gridPos"] for panel in every if panel["gridPos"]["y"] == y] for y in sorted(_lines(every))]

    assert len({panel["id"] for panel in every}) == len(every)
    for line in lines:
        assert sum(place["w"] for place in line) == 24
        assert all(one["x"] + one["w"] == other["x"] for one, other in pairwise(line))
    assert all(one[0]["y"] + one[0]["h"] == other[0]["y"] for one, other in pairwise(lines))


def _lines(every: list[dict[str, Any]]) -> Iterator[int]:
    yield from {panel["gridPos"]["y"] for panel in every}


def test_the_dashboard_can_be_imported_beside_any_prometheus() -> None:
    variables = {each["name"]: each for each in DASHBOARD["templating"]["list"]}

    assert variables["datasource"]["type"] == "datasource"
    assert all(each["datasource"] == DATASOURCE_OF_A_PANEL for each in [*panels(), *targets()])
    assert all('job=~"$job"' in target["expr"] for target in targets())
    assert "id" not in DASHBOARD
    assert "__inputs" not in DASHBOARD


def test_compose_provisions_grafana_with_the_files_of_deploy() -> None:
    compose = yaml.safe_load(text_of("docker-compose.yml"))
    grafana = compose["services"]["grafana"]
    files = {each["target"]: compose["configs"][each["source"]]["file"] for each in grafana["configs"]}
    provider = yaml.safe_load((GRAFANA / "provisioning" / "dashboards" / "lem.yml").read_text())["providers"][0]
    source = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text())["datasources"][0]

    assert grafana["profiles"] == ["grafana"]
    assert set(files.values()) == {f"./{file.relative_to(ROOT)}" for file in GRAFANA.rglob("*") if file.is_file()}
    assert f"{provider['options']['path']}/lem.json" in files
    assert {target.removeprefix("/etc/grafana/provisioning/") for target in files} >= {
        "dashboards/lem.yml",
        "datasources/prometheus.yml",
    }
    assert source["url"] == "http://prometheus:9090"
