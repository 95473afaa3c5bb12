"""Imports point one way. What a package may import is written down here, and nothing else passes."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

DOMAIN, DECISION, BARS, BUNDLES, ENGINE = "app.domain", "app.decision", "app.bars", "app.bundles", "app.engine"
DECIDING = {DOMAIN, DECISION, BARS, BUNDLES}

ACCESS, OUTBOX = "app.access", "app.outbox"
FILES, TERMINAL = "app.files", "app.terminal"

ARROWS: dict[str, set[str]] = {
    DOMAIN: set(),
    FILES: set(),
    TERMINAL: set(),
    DECISION: {DOMAIN},
    BARS: {DOMAIN, DECISION},
    BUNDLES: {DOMAIN, DECISION},
    ENGINE: {DOMAIN, DECISION, BARS},
    ACCESS: {DOMAIN, ENGINE},
    OUTBOX: {DOMAIN, ENGINE},
    "app.clock": {DOMAIN, ENGINE},
    "app.store": {DOMAIN, ENGINE, ACCESS, OUTBOX},
    "app.api": {DOMAIN, ENGINE, ACCESS, OUTBOX},
    "app.desk": {DOMAIN, ENGINE, ACCESS, OUTBOX, "app.api"},
    "app.metrics": {DOMAIN, ENGINE},
    "app.extras": set(),
    "app.tracing": {ENGINE, "app.extras"},
    "app.settings": {BUNDLES},
    "app.logs": {"app.settings"},
    "app.backtest": {*DECIDING, TERMINAL, "app.extras"},
    "lem_client": set(),
    "models.data": {DOMAIN, BARS, FILES, TERMINAL},
    "models.settings": {DOMAIN},
    "models.tapes": {*DECIDING, "models.settings"},
    "models.network": {DOMAIN, DECISION, BUNDLES, "models.settings"},
    "models.objective": {*DECIDING, "models.settings", "models.tapes", "models.network"},
    "models.fits": {"models.settings", "models.network", "models.objective"},
    "models.training": {
        *(*DECIDING, FILES, "app.backtest"),
        *("models.settings", "models.tapes", "models.network", "models.objective", "models.fits"),
    },
    "models.evaluation": {
        *(*DECIDING, FILES, TERMINAL, "app.backtest"),
        *("models.settings", "models.tapes", "models.network", "models.objective", "models.training"),
    },
    "models.calibration": {*DECIDING, FILES, TERMINAL, "app.backtest", "models.settings", "models.tapes"},
    "models.release": {
        *(*DECIDING, FILES, "app.backtest"),
        *("models.settings", "models.tapes", "models.network", "models.objective", "models.training"),
        "models.evaluation",
    },
    "models.lem_train": {
        *(*DECIDING, TERMINAL, "app.backtest"),
        *("models.settings", "models.training", "models.evaluation", "models.release"),
    },
}
"""Package: what it may import of the project, besides itself and the bare `app`. No arrow leads back."""

WIRING = {
    "app.main",
    "app.serve",
    "app.workers",
    "app.cli",
    "app.bench",
    "app.demo",
    "app.quoting",
    "app.issuing",
    "app.replaying",
}
"""These put the parts together, and may import all of `app`. Nothing else of `app` uses the client."""

MODULES_OUTSIDE_MAX = 6
CLOCKS_AND_CHANCE = {"asyncio", "logging", "os", "random", "secrets", "socket", "subprocess", "threading", "time"}


@cache
def sources() -> list[tuple[str, ast.Module]]:
    """Every module of `app`, `lem_client` and `models` by its dotted name."""
    paths = [path for folder in ("app", "lem_client", "models") for path in sorted((ROOT / folder).rglob("*.py"))]
    return [(_module(path), ast.parse(path.read_text())) for path in paths]


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def imports_of(tree: ast.Module) -> tuple[str, ...]:
    """Every name imported anywhere in the module, functions included."""
    return tuple(_imports_of(tree))


def _imports_of(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def of_the_project(name: str) -> bool:
    return within(name, {"app", "lem_client", "models", "tests"})


def modules_of(package: str) -> list[tuple[str, ast.Module]]:
    return [(name, tree) for name, tree in sources() if within(name, {package})]


@pytest.mark.parametrize("package", ARROWS)
def test_a_package_imports_only_what_its_arrows_point_to(package: str) -> None:
    permitted = ARROWS[package] | {package, "app.__version__"}  # `import app` itself gives nothing else away

    crossings = [
        f"{module} imports {name}"
        for module, tree in modules_of(package)
        for name in imports_of(tree)
        if of_the_project(name) and name != "app" and not within(name, permitted)
    ]

    assert crossings == []


def test_every_module_belongs_to_a_package_whose_arrows_are_written_down() -> None:
    watched = set(ARROWS) | WIRING

    assert [name for name, _ in sources() if name not in {"app", "models"} and not within(name, watched)] == []


def test_no_arrows_run_in_a_circle() -> None:
    order = list(TopologicalSorter(ARROWS | {package: set(ARROWS) for package in WIRING}).static_order())

    assert set(order) >= set(ARROWS)


def test_no_modules_import_one_another_in_a_circle() -> None:
    modules = {name for name, _ in sources()}
    needs = {
        name: {found for each in imports_of(tree) if (found := _module_of(each, modules)) and found != name}
        for name, tree in sources()
    }

    order = list(TopologicalSorter(needs).static_order())

    assert set(order) == modules


def _module_of(imported: str, modules: set[str]) -> str | None:
    """The module that is imported, or the one that holds the imported name; None for what is not ours."""
    return imported if imported in modules else imported.rpartition(".")[0] if of_the_project(imported) else None


def test_models_keeps_its_modules_in_folders() -> None:
    outside = [path.name for path in (ROOT / "models").glob("*.py")]

    assert len(outside) <= MODULES_OUTSIDE_MAX, outside


def test_the_service_never_imports_models_tests_or_torch() -> None:
    forbidden = {"models", "tests", "torch", "onnx", "onnxscript"}

    crossings = [
        f"{module} imports {name}"
        for module, tree in modules_of("app")
        for name in imports_of(tree)
        if within(name, forbidden)
    ]

    assert crossings == []


def test_the_domain_imports_the_standard_library_only_and_no_clock_chance_or_input() -> None:
    crossings = [
        f"{module} imports {name}"
        for module, tree in modules_of(DOMAIN)
        for name in imports_of(tree)
        if not of_the_project(name)
        and (name.split(".")[0] not in sys.stdlib_module_names or name.split(".")[0] in CLOCKS_AND_CHANCE)
    ]

    assert crossings == []


def test_the_client_needs_nothing_but_httpx() -> None:
    packages = {name.split(".")[0] for _, tree in modules_of("lem_client") for name in imports_of(tree)}

    assert packages - set(sys.stdlib_module_names) - {"lem_client"} == {"httpx"}


def test_the_domain_asks_nobody_what_time_it_is() -> None:
    asked = [
        module
        for module, tree in modules_of(DOMAIN)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}
    ]

    assert asked == []


def test_pydantic_and_fastapi_stay_at_the_edge() -> None:
    """What comes from outside is requests, the environment, and a bundle's card."""
    edge = {"app.api", "app.desk", "app.settings", BUNDLES} | WIRING

    crossings = [
        f"{module} imports {name}"
        for module, tree in modules_of("app")
        for name in imports_of(tree)
        if within(name, {"pydantic", "pydantic_settings", "fastapi", "starlette"}) and not within(module, edge)
    ]

    assert crossings == []
