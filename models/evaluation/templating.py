"""Jinja2 templates of the reports, and the filters that write figures in them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

FOLDER = Path(__file__).with_name("templates")


def rendered(template: str, **values: Any) -> str:
    """The text of a template. Values are escaped in templates of HTML, not in those of Markdown."""
    return _environment().get_template(template).render(values)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"fixed": fixed, "signed": signed, "plain": plain}
    return environment


def fixed(value: float | None, digits: int) -> str:
    """With so many digits after the point; empty for None and NaN."""
    return "" if value is None or math.isnan(value) else f"{value:z,.{digits}f}"


def signed(value: float | None, digits: int) -> str:
    """As `fixed`, with a plus where the value is positive."""
    return "" if value is None or math.isnan(value) else f"{value:+,.{digits}f}"


def plain(value: Any) -> str:
    """A word or a setting as it is; empty for None."""
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
