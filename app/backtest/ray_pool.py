"""Workers on many machines: tasks on a Ray cluster, in the dress of an executor."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from app.domain.errors import InvalidInput
from app.extras import install_command

AUTO = "auto"
"""The cluster that this machine has joined."""
ANSWER_SECONDS = 5.0
RETRIES = 3
"""How often a task starts anew whose worker has died: the same task gives the same figures."""


class RayPool(Executor):
    """Runs functions on the cluster at `address`, `HOST:PORT` or `AUTO`, which this machine has joined.

    All machines have the same version of the project, and the same files at the same paths. Raises InvalidInput where
    Ray is not installed or nobody answers, and from a future whose worker has died `RETRIES` times after the first.
    """

    def __init__(self, address: str) -> None:
        try:
            import ray
        except ModuleNotFoundError as error:
            raise InvalidInput("needs_ray", f"--ray needs the ray extra: {install_command('ray')}") from error
        _require_answer(address)
        self._ray = ray
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise InvalidInput("no_ray", f"--ray {address}: {error}") from error
        resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]  # Ray has not typed it
        self.workers = max(1, int(resources.get("CPU", 1)))
        self._task = ray.remote(num_cpus=1, max_retries=RETRIES)(_attempt)

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        answer: Future[Any] = Future()
        task = self._task.remote(function, args, kwargs)
        task.future().add_done_callback(lambda done: _settle(answer, done))
        return answer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._ray.shutdown()


def _attempt(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[bool, Any]:
    """Whether the function has answered, and its answer or its error: Ray would wrap the error in a traceback."""
    try:
        return True, function(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - of whatever kind it is, it is raised again where the answer is read
        return False, error


def _settle(answer: Future[Any], done: Future[tuple[bool, Any]]) -> None:
    error = done.exception()
    if error is not None:
        answer.set_exception(InvalidInput("ray_failed", f"a worker of the Ray cluster died: {error}"))
        return
    succeeded, value = done.result()
    if succeeded:
        answer.set_result(value)
    else:
        answer.set_exception(value)


def _require_answer(address: str) -> None:
    """Ray itself would try for a minute. Raises InvalidInput."""
    if address == AUTO:
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise InvalidInput("bad_ray", f"--ray {address}: must be HOST:PORT of a Ray cluster, or {AUTO}")
    try:
        socket.create_connection((host, int(port)), timeout=ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise InvalidInput(
            "no_ray", f"--ray {address}: no Ray cluster answers there ({error}); start one with ray start --head"
        ) from error
