"""What the documentation names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.cli import cli
from tests.docs.blocks import CODE_SPAN, PICTURE, README, ROOT, documents, prose_of, text_of
from tests.docs.commands import named_commands, options_of

LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
IN_THE_TREE = re.compile(r"^( *)([\w.]+/) ", re.MULTILINE)
README_LINES_MAX = 200


def test_every_lem_command_that_is_named_exists_and_takes_the_options_shown() -> None:
    there = {each.name or each.callback.__name__ for each in cli.registered_commands if each.callback}
    seen = set()
    for words in named_commands():
        command = words[:2] if words[0] in {"data", "keys"} else words[:1]
        shown = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert shown <= options_of(*command), f"lem {' '.join(words)}"
        seen.add(words[0])

    assert seen == there


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))

    named = {word for path in documents() for word in re.findall(r"\bmake ([a-z]+)(?=`| +#)", path.read_text())}

    assert {"demo", "quick", "test"} <= named
    assert named <= targets


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
    section = README.read_text(encoding="utf-8").partition("## Why stopping earns")[2].partition("\n## ")[0]
    caption = " ".join(section.split())
    drawn = PICTURE.read_text(encoding="utf-8")

    for label in ("12,880 orders<", ">LEM: mean 7.1, better in 95%<", ">plain TWAP: mean 0.0,"):
        assert label in drawn
    assert "all 12,880 orders" in caption
    assert "those of the LEM gain 7.1 bps on average and 95 % of them beat VWAP" in caption
    assert "those of a plain TWAP gain 0.0." in caption
