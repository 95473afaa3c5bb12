"""What the documentation names exists, and what must be documented is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.api.codes import CODES
from app.cli import cli
from app.main import create_app
from app.metrics import ServiceMetrics
from app.settings import Settings
from models.evaluation.evaluation_plan import EvaluationPlan
from models.settings.train_plan import make_plan
from tests.architecture.test_imports import ARROWS
from tests.docs.blocks import COMMANDS, PICTURE, README, ROOT, blocks, documents

LEM = re.compile(r"(?<![\w/.-])(?:\.venv/bin/)?lem (?P<words>[a-z][^|;&`)]*)")
CODE_SPAN = re.compile(r"`([^`\n]+)`")
OPTION = re.compile(r"--[a-z][a-z-]*")
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
IN_THE_TREE = re.compile(r"^( *)([\w.]+/) ", re.MULTILINE)
README_LINES_MAX = 200


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose_of(path: Path) -> str:
    """Without its blocks."""
    return FENCED.sub("", path.read_text(encoding="utf-8"))


def named_commands() -> Iterator[list[str]]:
    """The words behind every `lem` that the documents have in code."""
    for path in documents():
        text = path.read_text(encoding="utf-8")
        code = [block.content.replace("\\\n", " ") for block in blocks(text) if block.kind in COMMANDS]
        for line in [*"\n".join(code).splitlines(), *CODE_SPAN.findall(prose_of(path))]:
            yield from (found["words"].split() for found in LEM.finditer(line))


@cache
def options_of(*command: str) -> set[str]:
    """Of a command of `lem`, or of a sub-command, as its help shows them."""
    asked = CliRunner(env={"COLUMNS": "200"}).invoke(cli, [*command, "--help"])
    assert asked.exit_code == 0, f"there is no lem {' '.join(command)}"
    return set(OPTION.findall(asked.output))


def test_every_lem_command_that_is_named_exists_and_takes_the_options_shown() -> None:
    there = {each.name or each.callback.__name__ for each in cli.registered_commands if each.callback}
    seen = set()
    for words in named_commands():
        command = words[:2] if words[0] == "data" else words[:1]
        shown = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert shown <= options_of(*command), f"lem {' '.join(words)}"
        seen.add(words[0])

    assert seen == there


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))

    named = {word for path in documents() for word in re.findall(r"\bmake ([a-z]+)(?=`| +#)", path.read_text())}

    assert {"demo", "quick", "test"} <= named
    assert named <= targets


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


def test_every_setting_of_an_evaluation_plan_is_in_its_table() -> None:
    rows = text_of("docs/training.md").partition("| setting | default |")[2].partition("\n\n")[0]

    named = {name for line in rows.splitlines() for name in re.findall(r"`(\w+)`", line.split("|")[1] if line else "")}

    assert named >= set(EvaluationPlan.model_fields)


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for found in LINK.finditer(prose_of(path)):
        target, _, heading = found["target"].partition("#")
        if target.startswith(("https:", "http:")):
            continue
        leads_to = (path.parent / target).resolve() if target else path
        assert leads_to.exists(), found["target"]
        if heading:
            assert heading in headings(leads_to), found["target"]


def headings(path: Path) -> set[str]:
    """The names by which links reach the headings."""
    titles = re.findall(r"^#+ (.+)$", prose_of(path), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_room_is_in_the_page_of_the_architecture() -> None:
    page = text_of("docs/architecture.md")
    rooms = [path.name for half in ("app", "models") for path in (ROOT / half).iterdir() if path.is_dir()]

    assert [room for room in rooms if not room.startswith("_") and f"`{room}/`" not in page] == []


def test_the_page_of_the_architecture_has_the_arrows_that_are_tested() -> None:
    """Those between rooms; a module that has no folder is no room."""
    rows = re.findall(r"^\| `(\w+)/` \| [^|]+ \| ([^|]+) \|$", text_of("docs/architecture.md"), re.MULTILINE)
    told = {f"app.{room}": {f"app.{name}" for name in re.findall(r"`(\w+)`", imports)} for room, imports in rows}
    rooms = {f"app.{path.name}" for path in (ROOT / "app").iterdir() if path.is_dir()}

    assert told.pop("app.demo") == {"app.app"}, "the demo may import all of app"
    assert told == {room: ARROWS[room] & rooms for room in ARROWS if room in rooms}


def test_every_path_that_is_named_in_code_exists() -> None:
    ours = re.compile(r"(?:app|models|tests|docs)/[\w./-]*\w")
    named = {
        span: path.name
        for path in documents()
        for span in CODE_SPAN.findall(prose_of(path))
        if ours.fullmatch(span.rstrip("/"))
    }

    assert named
    assert [f"{name} names {span}" for span, name in named.items() if not (ROOT / span).exists()] == []


def test_every_module_that_is_run_exists() -> None:
    named = {
        (path.name, module)
        for path in documents()
        for module in re.findall(r"python -m ([\w.]+)", path.read_text(encoding="utf-8"))
    }

    for name, module in named - {("CHANGELOG.md", "tests.readme")}:
        file = ROOT / Path(*module.split("."))
        assert file.with_suffix(".py").exists() or (file / "__main__.py").exists(), f"{name} names {module}"


def test_the_readme_has_two_screens_and_its_tree_is_there() -> None:
    text = text_of("README.md")
    tree = text.rpartition("## Files")[2]

    assert len(text.splitlines()) <= README_LINES_MAX
    parent = ""
    for indent, folder in IN_THE_TREE.findall(tree):
        parent = parent if indent else folder
        assert (ROOT / (f"{parent}{folder}" if indent else folder)).is_dir(), folder


def test_the_picture_shows_the_figures_that_the_readme_tells_of_it() -> None:
    caption = README.read_text(encoding="utf-8").partition("## Why stopping earns")[2].partition("\n## ")[0]
    drawn = PICTURE.read_text(encoding="utf-8")

    for figure in ("12,880 orders", "7.1", "95%", "plain TWAP: mean 0.0"):
        assert figure in drawn
    for figure in ("12,880", "7.1 bps on average", "95 %", "gain\n0.0"):
        assert figure in caption
