"""What the documentation must hold is there: every setting, call, field, code, metric and room."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

import pytest

from app.api.codes import CODES
from app.bars.gaps import GAP_WINDOWS_MAX
from app.domain.order_words import OrderWarning
from app.domain.quote import QuoteWarning
from app.main import create_app
from app.metrics import ServiceMetrics
from app.settings import Settings
from models.evaluation.evaluation_plan import EvaluationPlan
from models.settings.train_plan import make_plan
from tests.architecture.test_imports import ARROWS, WIRING
from tests.docs.blocks import CODE_SPAN, ROOT, prose_of, text_of
from tests.docs.commands import OPTION, options_of


def test_every_setting_is_in_the_table_of_operations() -> None:
    named = set(re.findall(r"^\| `LEM_(\w+)`", text_of("docs/operations.md"), re.MULTILINE))

    assert named == {name.upper() for name in Settings.model_fields}


def test_every_option_of_the_service_is_in_the_table_of_operations() -> None:
    table = text_of("docs/operations.md").partition("## Configuration")[2].partition("\n## ")[0]

    assert options_of("serve") - {"--help"} == set(OPTION.findall(table))


def test_every_metric_is_in_the_table_of_operations() -> None:
    named = set(re.findall(r"^\| `(lem_\w+)`", text_of("docs/operations.md"), re.MULTILINE))
    families = [family for family in ServiceMetrics().registry.collect() if family.name.startswith("lem_")]

    assert named == {family.name + "_total" * (family.type == "counter") for family in families}


def test_the_longest_gap_that_is_filled_is_told_as_it_is() -> None:
    assert f"A gap of\n  more than {GAP_WINDOWS_MAX} windows is not filled" in text_of("docs/operations.md")


def test_every_call_is_in_the_table_of_the_http_page() -> None:
    calls = [line.partition("`")[2] for line in text_of("docs/http.md").splitlines() if line.startswith("| `")]
    named = {re.split(r"[?`]", call)[0] for call in calls}
    paths = create_app(Settings()).openapi()["paths"]

    served = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}

    assert {call for call in named if re.match(r"(GET|PUT|POST|DELETE) /", call)} == served


def test_every_field_of_the_interface_is_named_on_the_http_page() -> None:
    named = set(re.findall(r"\w+", " ".join(CODE_SPAN.findall(prose_of(ROOT / "docs" / "http.md")))))
    schemas = create_app(Settings()).openapi()["components"]["schemas"]

    fields_there = {name for schema in schemas.values() for name in schema.get("properties", {})}

    assert fields_there - named == set()


def test_every_code_of_an_error_is_in_the_table_of_the_http_page() -> None:
    named = re.findall(r"^\| (\d{3}) \| `(\w+)` \|", text_of("docs/http.md"), re.MULTILINE)

    assert {code: int(status) for status, code in named} == {code: status for code, (status, _) in CODES.items()}


@pytest.mark.parametrize("table", ["training", "model"])
def test_every_setting_of_a_training_plan_is_in_its_table_with_its_default(table: str) -> None:
    plan = make_plan({}, "no markets")
    values: Any = {"training": plan.settings, "model": plan.config}[table]
    rows = text_of("docs/training.md").partition(f"| `[{table}]` | default |")[2].partition("\n\n")[0]

    named = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", rows, re.MULTILINE))

    assert {name: float(value) for name, value in named.items()} == {
        field.name: float(getattr(values, field.name)) for field in fields(values)
    }


def test_every_warning_of_a_quote_is_in_its_table() -> None:
    table = text_of("docs/http.md").partition("| warning | meaning |\n|---|---|\n| `not_calibrated`")

    assert {f"{warning}" for warning in QuoteWarning} <= set(re.findall(r"`(\w+)`", "".join(table[1:])))


def test_every_warning_of_a_dry_run_is_in_its_table() -> None:
    table = text_of("docs/http.md").partition("#### Dry runs\n")[2].partition("\n#### ")[0]

    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(OrderWarning)


def test_every_setting_of_an_evaluation_plan_is_in_its_table() -> None:
    rows = text_of("docs/training.md").partition("| setting | default |")[2].partition("\n\n")[0]

    named = {name for line in rows.splitlines() for name in re.findall(r"`(\w+)`", line.split("|")[1] if line else "")}

    assert named >= set(EvaluationPlan.model_fields)


def test_every_room_is_in_the_page_of_the_architecture() -> None:
    page = text_of("docs/architecture.md")
    rooms = {path.parent.name for half in ("app", "models") for path in (ROOT / half).glob("*/__init__.py")}

    assert [room for room in rooms if f"`{room}/`" not in page] == []


def test_the_page_of_the_architecture_has_the_arrows_that_are_tested() -> None:
    """Those between rooms; a module that has no folder is no room."""
    rows = re.findall(r"^\| `(\w+)/` \| [^|]+ \| ([^|]+) \|$", text_of("docs/architecture.md"), re.MULTILINE)
    told = {f"app.{room}": {f"app.{name}" for name in re.findall(r"`(\w+)`", imports)} for room, imports in rows}
    rooms = {f"app.{path.name}" for path in (ROOT / "app").iterdir() if path.is_dir()}

    for wiring in WIRING & rooms:
        assert told.pop(wiring) == {"app.app"}, "it may import all of app"
    assert told == {room: ARROWS[room] & rooms for room in ARROWS if room in rooms}
