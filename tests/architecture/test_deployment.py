"""What is deployed, read from its own files. No image is built here: that takes a Docker engine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture
def compose() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return services


@pytest.fixture
def final_stage() -> str:
    return (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2]


def test_serving_needs_no_torch() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    serving = [
        re.match(r"[\w-]+", need) for need in (*project["dependencies"], *project["optional-dependencies"]["demo"])
    ]

    assert not {"torch", "onnx", "onnxscript"} & {name.group() for name in serving if name}


def test_the_image_runs_as_a_user_that_is_not_root(final_stage: str) -> None:
    assert re.search(r"^USER (?!root|0)\w+$", final_stage, re.MULTILINE)


def test_the_image_holds_the_service_and_bundles_and_not_the_training_code() -> None:
    sent = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]

    assert sent[0] == "*"
    assert {line for line in sent if line.startswith("!models")} == {"!models/bundles"}


def test_the_image_is_healthy_only_when_the_service_is_ready(final_stage: str) -> None:
    assert "HEALTHCHECK" in final_stage
    assert "/readyz" in final_stage


@pytest.mark.spawns
@pytest.mark.parametrize(("extras", "more"), [([], []), (["otel"], ["opentelemetry-sdk"])])
def test_the_image_is_built_with_what_serving_needs_and_the_extras_asked_for(
    extras: list[str], more: list[str]
) -> None:
    written = re.search(r'RUN python -c "(.+?)" \\\n', (ROOT / "Dockerfile").read_text(), re.DOTALL)
    assert written
    code = written[1].replace("\\\n", "")

    printed = subprocess.run(
        [sys.executable, "-c", code, *extras], cwd=ROOT, capture_output=True, text=True, check=True
    )

    names = {re.split(r"[\[<>=]", line)[0] for line in printed.stdout.splitlines()}
    assert names >= {"fastapi", "redis", *more}
    assert ("opentelemetry-sdk" in names) == bool(extras)


def test_every_command_of_the_image_gets_the_signals_itself(final_stage: str) -> None:
    """The exec form: with a shell in between, SIGTERM would not reach the service."""
    commands = re.findall(r"^\s*(?:ENTRYPOINT|CMD) (.)", final_stage, re.MULTILINE)

    assert commands
    assert set(commands) == {"["}


def test_ports_are_published_on_the_loopback_only(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_store_keeps_an_append_only_file_in_a_volume_and_forgets_nothing(compose: dict[str, Any]) -> None:
    redis = compose["services"]["redis"]
    options = dict(zip(redis["command"][1::2], redis["command"][2::2], strict=True))

    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"
    assert redis["volumes"] == ["redis-data:/data"]


def test_each_service_waits_until_those_it_needs_are_healthy(compose: dict[str, Any]) -> None:
    services = compose["services"]
    waits = {
        (name, needed, terms["condition"])
        for name, service in services.items()
        for needed, terms in service.get("depends_on", {}).items()
    }

    assert waits == {
        ("lem", "redis", "service_healthy"),
        ("prometheus", "lem", "service_healthy"),
        ("grafana", "prometheus", "service_healthy"),
    }
    assert "healthcheck" in services["redis"]  # that of `lem` is in its image


def test_every_volume_and_configuration_that_is_named_exists(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert {volume.partition(":")[0] for volume in service.get("volumes", [])} <= set(compose["volumes"])
        assert {config["source"] for config in service.get("configs", [])} <= set(compose["configs"])


def test_prometheus_scrapes_the_service(compose: dict[str, Any]) -> None:
    config = yaml.safe_load(compose["configs"]["prometheus"]["content"])
    targets = [
        target for job in config["scrape_configs"] for group in job["static_configs"] for target in group["targets"]
    ]

    assert "lem:8000" in targets


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_takes_its_configuration(compose: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "prometheus.yml"
    [rules] = yaml.safe_load(compose["configs"]["prometheus"]["content"])["rule_files"]
    [mounted] = [each for each in compose["services"]["prometheus"]["configs"] if each["target"] == rules]
    here = str(ROOT / compose["configs"][mounted["source"]]["file"])
    file.write_text(compose["configs"]["prometheus"]["content"].replace(rules, here))

    checked = subprocess.run(["promtool", "check", "config", file], capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_check_of_a_clean_clone_can_be_run() -> None:
    script = ROOT / ".ci" / "run"

    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in script.read_text()
