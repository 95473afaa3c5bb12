"""The alert rules: each names what exists, has a section of the runbook, and fires when it must and only then."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.promql import needs_promtool, wrong_names
from tests.docs.blocks import ROOT, text_of
from tests.docs.test_promises import headings

RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
KUBERNETES = ROOT / "deploy" / "kubernetes" / "monitoring" / "alerts.yaml"


def groups() -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())["groups"]
    return read


ALERTS = {rule["alert"]: rule for group in groups() for rule in group["rules"]}

Series = dict[str, str]
"""A series and its values, a minute apart, in promtool's words: `0+2x60` is 0, 2, 4 and so on for an hour."""

HEALTHY: Series = {
    'up{job="lem", instance="a"}': "1x60",
    'up{job="lem", instance="b"}': "1x60",
    'lem_ready{instance="a"}': "1x60",
    'lem_ready{instance="b"}': "1x60",
    'lem_worker_up{instance="a", worker="0"}': "1x60",
    'process_start_time_seconds{job="lem", instance="a"}': "1000x60",
    'process_open_fds{job="lem", instance="a"}': "100x60",
    'process_max_fds{job="lem", instance="a"}': "1000x60",
    'lem_bundle_info{instance="a", digest="one"}': "1x60",
    'lem_bundle_info{instance="b", digest="one"}': "1x60",
    'lem_audit_failed_total{instance="a"}': "0x60",
    'lem_store_up{instance="a"}': "1x60",
    'lem_commit_seconds_bucket{instance="a", le="0.1"}': "0+60x60",
    'lem_commit_seconds_bucket{instance="a", le="1.0"}': "0+60x60",
    'lem_commit_seconds_bucket{instance="a", le="+Inf"}': "0+60x60",
    'lem_feeds_silent{instance="a"}': "0x60",
    'lem_bars_late_total{instance="a", instrument="BTC-USDT"}': "0x15 1x60",
    'lem_gaps_filled_total{instance="a", instrument="BTC-USDT"}': "0x15 2x60",
    'lem_bars_refused_total{instance="a", code="bar_not_closed"}': "0+1x60",
    'lem_bars_refused_total{instance="a", code="high_below_low"}': "0x15 2x60",
    'lem_decisions_total{instance="a", basis="model"}': "0+60x60",
    'lem_decisions_total{instance="a", basis="fallback"}': "0+1x60",
    'lem_orders_set_aside{instance="a"}': "0x60",
    'lem_orders_behind{instance="a"}': "0x60",
    'lem_instruments_failed{instance="a"}': "0x60",
    'lem_slices_late_total{instance="a"}': "3x60",
    'lem_decision_seconds_bucket{instance="a", le="0.1"}': "0+60x60",
    'lem_decision_seconds_bucket{instance="a", le="2.5"}': "0+60x60",
    'lem_decision_seconds_bucket{instance="a", le="+Inf"}': "0+60x60",
    'lem_fill_warnings_total{instance="a", warning="below_lot"}': "0+1x60",
    'lem_requests_refused_total{instance="a", lane="bars"}': "7x60",
    'lem_requests_refused_total{instance="a", lane="quotes"}': "0+6x60",
    'lem_http_requests_total{instance="a", method="GET", route="/v1/orders", status="200"}': "0+600x60",
    'lem_http_requests_total{instance="a", method="GET", route="/v1/orders", status="503"}': "0+6x60",
    'lem_http_request_seconds_bucket{instance="a", method="POST", route="/v1/bars", le="1.0"}': "0+60x60",
    'lem_http_request_seconds_bucket{instance="a", method="POST", route="/v1/bars", le="5.0"}': "0+60x60",
    'lem_http_request_seconds_bucket{instance="a", method="POST", route="/v1/bars", le="+Inf"}': "0+60x60",
    'lem_connections_refused_total{instance="a", reason="unread"}': "0+1x60",
    'lem_access_refused_total{instance="a", code="key_unknown"}': "5x15 9x60",
    'lem_access_refused_total{instance="a", code="cross_site"}': "0+5x60",
    'lem_webhooks{instance="a", status="active"}': "2x60",
    'lem_webhooks{instance="a", status="failing"}': "0x60",
    'lem_instruments_unowned{instance="a"}': "0x60",
    'lem_owner_lag_seconds{instance="a"}': "0.1x60",
    'lem_takeovers_total{instance="a"}': "4x60",
    'lem_processes{instance="a"}': "2x60",
    'lem_processes{instance="b"}': "2x60",
    'lem_notices_missed_total{instance="a"}': "2x60",
}


HARMED = 16


@dataclass(frozen=True, slots=True)
class Case:
    """From minute `HARMED` on these series take the place of healthy ones. `after` so many minutes the alert fires."""

    alert: str
    series: Series
    after: int


CASES = [
    Case("LemDown", {'up{job="lem", instance="b"}': "1x15 0x60"}, after=1),
    Case("LemNotReady", {f'lem_ready{{instance="{each}"}}': "1x15 0x60" for each in "ab"}, after=1),
    Case("LemOneNotReady", {'lem_ready{instance="b"}': "1x15 0x60"}, after=5),
    Case("LemWorkerDown", {'lem_worker_up{instance="a", worker="0"}': "1x15 0x60"}, after=1),
    Case("LemRestarts", {'process_start_time_seconds{job="lem", instance="a"}': "1000x15 1100 1200 1300x58"}, after=2),
    Case("LemFilesRunOut", {'process_open_fds{job="lem", instance="a"}': "100x15 950x60"}, after=5),
    Case("LemBundlesDiffer", {'lem_bundle_info{instance="c", digest="two"}': "_x16 1x60"}, after=30),
    Case("LemAuditFails", {'lem_audit_failed_total{instance="a"}': "0x15 1x60"}, after=0),
    Case("LemStoreAway", {'lem_store_up{instance="a"}': "1x15 0x60"}, after=1),
    Case("LemStoreFull", {'lem_not_ready{instance="a", reason="store_disk_full"}': "_x16 1x60"}, after=0),
    Case("LemStoreForgets", {'lem_not_ready{instance="a", reason="store_evicts"}': "_x16 1x60"}, after=1),
    Case("LemStoreSlow", {'lem_commit_seconds_bucket{instance="a", le="0.1"}': "0+60x15 900x60"}, after=5),
    Case("LemStoreLost", {'lem_store_lost_total{instance="a", kind="order"}': "_x16 3x60"}, after=0),
    Case("LemStoreUnreadable", {'lem_store_unreadable_total{instance="a", kind="order"}': "_x16 1x60"}, after=0),
    Case("LemFeedsSilent", {'lem_feeds_silent{instance="a"}': "0x15 2x60"}, after=1),
    Case("LemFeedLate", {'lem_bars_late_total{instance="a", instrument="BTC-USDT"}': "0x15 3x60"}, after=0),
    Case("LemFeedGaps", {'lem_gaps_filled_total{instance="a", instrument="BTC-USDT"}': "0x15 9x60"}, after=0),
    Case("LemBarsRefused", {'lem_bars_refused_total{instance="a", code="misaligned_bar"}': "_x16 3x60"}, after=0),
    Case(
        "LemModelSilent",
        {
            'lem_decisions_total{instance="a", basis="model"}': "0x60",
            'lem_decisions_total{instance="a", basis="fallback"}': "0x15 0+60x60",
        },
        after=6,
    ),
    Case("LemFallbacks", {'lem_decisions_total{instance="a", basis="fallback"}': "0x15 0+300x60"}, after=6),
    Case("LemOrdersSetAside", {'lem_orders_set_aside{instance="a"}': "0x15 1x60"}, after=2),
    Case("LemInstrumentsFailed", {'lem_instruments_failed{instance="a"}': "0x15 1x60"}, after=2),
    Case("LemSlicesLate", {'lem_slices_late_total{instance="a"}': "3x15 3+1x60"}, after=6),
    Case("LemDecisionsSlow", {'lem_decision_seconds_bucket{instance="a", le="0.1"}': "0+60x15 900x60"}, after=5),
    Case("LemOverFilled", {'lem_fill_warnings_total{instance="a", warning="over_filled"}': "_x16 1x60"}, after=0),
    Case("LemOrdersBehind", {'lem_orders_behind{instance="a"}': "0x15 1x60"}, after=1),
    Case("LemQueueFull", {'lem_requests_refused_total{instance="a", lane="bars"}': "7x15 7+30x60"}, after=3),
    Case("LemRequestsRefused", {'lem_requests_refused_total{instance="a", lane="quotes"}': "0x15 0+600x60"}, after=11),
    Case(
        "LemErrors",
        {'lem_http_requests_total{instance="a", method="GET", route="/v1/orders", status="503"}': "0x15 0+300x60"},
        after=6,
    ),
    Case(
        "LemInternalErrors",
        {'lem_http_requests_total{instance="a", method="POST", route="/v1/orders", status="500"}': "_x16 1x60"},
        after=0,
    ),
    Case(
        "LemBarsSlow",
        {'lem_http_request_seconds_bucket{instance="a", method="POST", route="/v1/bars", le="1.0"}': "0+60x15 900x60"},
        after=5,
    ),
    Case("LemConnectionsFull", {'lem_connections_refused_total{instance="a", reason="full"}': "0x15 0+5x60"}, after=3),
    Case("LemKeysRefused", {'lem_access_refused_total{instance="a", code="key_unknown"}': "5x15 5+4x60"}, after=3),
    Case("LemWebhooksFail", {'lem_webhooks{instance="a", status="failing"}': "0x15 1x60"}, after=15),
    Case("LemInstrumentsUnowned", {'lem_instruments_unowned{instance="a"}': "0x15 5x60"}, after=1),
    Case("LemOwnerLags", {'lem_owner_lag_seconds{instance="a"}': "0.1x15 4x60"}, after=1),
    Case("LemTakeovers", {'lem_takeovers_total{instance="a"}': "4x15 6x60"}, after=0),
    Case("LemProcessesDisagree", {'lem_processes{instance="b"}': "2x15 1x60"}, after=2),
    Case("LemNoticesMissed", {'lem_notices_missed_total{instance="a"}': "2x15 9x60"}, after=0),
]


def promtool_test(case: Case | None) -> dict[str, Any]:
    """What promtool is to check: nothing fires while all is well, nor a minute before the alert does."""
    series = HEALTHY | (case.series if case else {})
    fires = {HARMED + case.after: case.alert} if case else {}
    quiet = [HARMED + case.after - 1] if case else []
    return {
        "name": case.alert if case else "all is well",
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": 'group by (alertname, severity) (ALERTS{alertstate="firing"})',
                "eval_time": f"{minute}m",
                "exp_samples": [{"labels": _labels_of(fires[minute]), "value": 1}] if minute in fires else [],
            }
            for minute in (*quiet, *(fires or [60]))
        ],
    }


def _labels_of(alert: str) -> str:
    return f'{{alertname="{alert}", severity="{ALERTS[alert]["labels"]["severity"]}"}}'


def promtool(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)


@needs_promtool
@pytest.mark.spawns  # promtool takes seconds for all cases: too long for `make quick`
def test_every_alert_fires_after_its_harm_and_nothing_else_does(tmp_path: Path) -> None:
    tests = [promtool_test(case) for case in (None, *CASES)]
    file = tmp_path / "cases.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}))

    checked = promtool("test", "rules", file)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_alert_has_a_case() -> None:
    assert [case.alert for case in CASES] == list(ALERTS)


@needs_promtool
def test_prometheus_takes_the_rules() -> None:
    checked = promtool("check", "rules", RULES)

    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_names_metrics_and_labels_that_exist(alert: str) -> None:
    assert wrong_names(ALERTS[alert]["expr"]) == []


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_how_bad_it_is_what_it_means_and_where_to_read_on(alert: str) -> None:
    rule = ALERTS[alert]
    page, _, section = rule["annotations"]["runbook"].partition("#")

    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"].endswith(".")
    assert section == alert.lower()
    assert section in headings(ROOT / page)


def test_every_section_of_the_runbook_is_of_an_alert() -> None:
    runbook = text_of("docs/operations.md").partition("\n## Alerts\n")[2].partition("\n## ")[0]

    assert re.findall(r"^#### (\w+)$", runbook, re.MULTILINE) == list(ALERTS)


def test_the_rules_for_the_operator_on_kubernetes_are_the_same() -> None:
    assert yaml.safe_load(KUBERNETES.read_text())["spec"]["groups"] == groups()
