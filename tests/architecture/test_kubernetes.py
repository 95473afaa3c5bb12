"""The manifests under deploy/kubernetes, read from their own files, fit the service. No cluster is asked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import app
from app.engine.health import STORE_SECONDS_MAX
from app.main import create_app
from app.serve import SHUTDOWN_SECONDS_MAX
from app.settings import Settings
from tests.deploy.promql import labels_by_series
from tests.docs.commands import options_of

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
FOLDERS = (FOLDER, FOLDER / "monitoring")
NO_MANIFESTS = {"kustomization.yaml", "adapter-rules.yaml"}


def manifests() -> dict[str, dict[str, Any]]:
    """By kind."""
    files = [file for folder in FOLDERS for file in folder.glob("*.yaml") if file.name not in NO_MANIFESTS]
    read = [each for file in files for each in yaml.safe_load_all(file.read_text())]
    assert len({each["kind"] for each in read}) == len(read)
    return {each["kind"]: each for each in read}


@pytest.fixture(scope="module")
def every() -> dict[str, dict[str, Any]]:
    return manifests()


@pytest.fixture
def pod(every: dict[str, dict[str, Any]]) -> dict[str, Any]:
    spec: dict[str, Any] = every["Deployment"]["spec"]["template"]["spec"]
    return spec


@pytest.fixture
def container(pod: dict[str, Any]) -> dict[str, Any]:
    [only] = pod["containers"]
    return dict(only)


def served() -> set[str]:
    return set(create_app(Settings()).openapi()["paths"])


def test_every_file_is_applied_but_for_the_examples() -> None:
    for folder in FOLDERS:
        named = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
        there = {file.name for file in folder.glob("*.yaml")} - NO_MANIFESTS

        assert set(named) == {name for name in there if ".example." not in name}


def test_probes_ask_routes_that_exist_on_the_port_of_the_service(container: dict[str, Any]) -> None:
    probes = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}

    assert {name: probe["path"] for name, probe in probes.items()} == {
        "startup": "/healthz",
        "liveness": "/healthz",
        "readiness": "/readyz",
    }
    assert {probe["path"] for probe in probes.values()} <= served()
    assert {probe["port"] for probe in probes.values()} == {"http"}


def test_a_store_that_hangs_is_not_ready_before_the_probe_gives_up(container: dict[str, Any]) -> None:
    assert container["readinessProbe"]["timeoutSeconds"] > STORE_SECONDS_MAX


def test_a_pod_has_the_time_to_end_in_order(pod: dict[str, Any], container: dict[str, Any]) -> None:
    [command, pause] = container["lifecycle"]["preStop"]["exec"]["command"]

    assert command == "sleep"
    assert pod["terminationGracePeriodSeconds"] >= int(pause) + SHUTDOWN_SECONDS_MAX + 10


def test_ports_fit_from_the_service_to_the_command(every: dict[str, dict[str, Any]], container: dict[str, Any]) -> None:
    [port] = container["ports"]
    [published] = every["Service"]["spec"]["ports"]
    words = container["args"]
    annotations = every["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    [endpoint] = every["ServiceMonitor"]["spec"]["endpoints"]

    assert words[words.index("--port") + 1] == str(port["containerPort"]) == annotations["prometheus.io/port"]
    assert published["targetPort"] == port["name"]
    assert endpoint["port"] == published["name"]
    assert {endpoint["path"], annotations["prometheus.io/path"]} == {"/metrics"} <= served()
    assert f"EXPOSE {port['containerPort']}" in (ROOT / "Dockerfile").read_text()
    assert {word for word in words if word.startswith("--")} <= options_of("serve")


def test_every_setting_exists_and_has_a_value_that_the_service_takes(
    every: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = every["ConfigMap"]["data"] | every["Secret"]["stringData"]
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    assert {name.removeprefix("LEM_").lower() for name in given} <= set(Settings.model_fields)
    assert Settings().redis_url is not None


def test_settings_and_secret_are_those_that_the_pod_reads(
    every: dict[str, dict[str, Any]], container: dict[str, Any]
) -> None:
    read = {next(iter(each.values()))["name"] for each in container["envFrom"]}

    assert read == {every["ConfigMap"]["metadata"]["name"], every["Secret"]["metadata"]["name"]}


def test_no_secret_is_applied_or_written_down(every: dict[str, dict[str, Any]]) -> None:
    assert "PASSWORD" in every["Secret"]["stringData"]["LEM_REDIS_URL"]
    assert not {name for name in every["ConfigMap"]["data"] if name == "LEM_REDIS_URL"}


def test_the_pod_runs_as_the_user_of_the_image_and_can_do_nothing_else(
    pod: dict[str, Any], container: dict[str, Any]
) -> None:
    own = container["securityContext"]

    assert pod["securityContext"]["runAsNonRoot"]
    assert f"--uid {pod['securityContext']['runAsUser']} " in (ROOT / "Dockerfile").read_text()
    assert own["readOnlyRootFilesystem"]
    assert not own["allowPrivilegeEscalation"]
    assert own["capabilities"]["drop"] == ["ALL"]
    assert {each["mountPath"] for each in container["volumeMounts"]} == {"/tmp", "/data"}  # noqa: S108 -- of the pod
    assert not pod["enableServiceLinks"], "LEM_PORT of a service named lem is no setting"


def test_all_select_the_pods_of_the_deployment(every: dict[str, dict[str, Any]]) -> None:
    labels = every["Deployment"]["spec"]["template"]["metadata"]["labels"]
    selectors = [
        every["Deployment"]["spec"]["selector"]["matchLabels"],
        every["Service"]["spec"]["selector"],
        every["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        every["ServiceMonitor"]["spec"]["selector"]["matchLabels"],
    ]

    assert selectors == [labels] * 4
    assert every["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == every["Deployment"]["metadata"]["name"]


def test_a_node_can_be_drained_and_the_autoscaler_alone_says_how_many_pods_there_are(
    every: dict[str, dict[str, Any]],
) -> None:
    assert "replicas" not in every["Deployment"]["spec"]
    assert (
        every["HorizontalPodAutoscaler"]["spec"]["minReplicas"] > every["PodDisruptionBudget"]["spec"]["maxUnavailable"]
    )


def test_every_metric_that_is_named_exists(every: dict[str, dict[str, Any]]) -> None:
    rules = yaml.safe_load((FOLDER / "monitoring" / "adapter-rules.yaml").read_text())["rules"]["custom"]
    made = {rule["name"]["as"] for rule in rules}
    scaled_by = {
        each["pods"]["metric"]["name"]
        for each in every["HorizontalPodAutoscaler"]["spec"]["metrics"]
        if each["type"] == "Pods"
    }
    expressions = [rule["expr"] for group in every["PrometheusRule"]["spec"]["groups"] for rule in group["rules"]]
    asked = [rule[name] for rule in rules for name in ("seriesQuery", "metricsQuery")]
    named = {name for text in expressions + asked for name in re.findall(r"\blem_\w+", text)}

    assert named
    assert named <= set(labels_by_series())
    assert scaled_by == made


def test_the_lag_is_measured_on_a_route_that_exists() -> None:
    rules = (FOLDER / "monitoring" / "adapter-rules.yaml").read_text()

    assert set(re.findall(r'route="([^"]+)"', rules)) <= served()


def test_the_image_is_that_of_this_version(container: dict[str, Any]) -> None:
    images = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["images"]

    assert [(each["name"], each["newTag"]) for each in images] == [(container["image"], app.__version__)]
