"""What can be set from outside. Read once, by the composition root."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.bundles.shipped import SHIPPED_BUNDLE


class ClockKind(StrEnum):
    """`wall`: live. `bars`: the time is the close of the newest bar, for replays."""

    WALL = "wall"
    BARS = "bars"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def said_of(error: ValidationError) -> str:
    """What is wrong with the settings, in one line for a terminal."""
    wrong = (f"LEM_{str(entry['loc'][0]).upper()}: {entry['msg']}" for entry in error.errors())
    return "; ".join(wrong).replace("Input should be", "must be")


class Settings(BaseSettings):
    """Each field is also an environment variable, `LEM_` and its name in capitals. Without `redis_url` the service
    starts its embedded store, with its files in `data_dir`. The url may hold a password, so that it shows its text to
    whoever asks for its secret value only. With `wait_replicas`, what is written is acknowledged when so many replicas
    have it, and refused when they do not say so within `wait_milliseconds`. `bundle` is the folder of
    the bundle that decides unless another one is activated, `bundles` a folder with further ones, each in a
    folder of its own, besides those that are shipped. `grace_seconds` is how long orders wait for
    a late bar, `gap_days_max` how far a bar may be ahead of the one before it. With `allow_no_keys` others than this
    machine may call although there are no API keys, with `open_metrics` the metrics need no key. `audit_file` takes a
    line for every write; without it these are lines of the log at `info`."""

    model_config = SettingsConfigDict(env_prefix="LEM_", extra="forbid", frozen=True)

    redis_url: SecretStr | None = None
    wait_replicas: Annotated[int, Field(ge=0, le=16)] = 0
    wait_milliseconds: Annotated[int, Field(ge=1, le=3_000)] = 1_000
    allow_lossy_store: bool = False
    bundle: Path = SHIPPED_BUNDLE
    bundles: Path | None = None
    data_dir: Path = Path("data")
    clock: ClockKind = ClockKind.WALL
    log_level: LogLevel = LogLevel.WARNING
    audit_file: Path | None = None
    grace_seconds: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)] | None = None
    gap_days_max: Annotated[int, Field(ge=1, le=36_500)] | None = None
    allow_no_keys: bool = False
    open_metrics: bool = False
