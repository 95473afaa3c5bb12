"""What can be set from outside. Read once, by the composition root."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import SecretStr
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


class Settings(BaseSettings):
    """Each field is also an environment variable, `LEM_` and its name in capitals. Without `redis_url` the service
    starts its embedded store, with its files in `data_dir`. The url may hold a password, so that it shows its text to
    whoever asks for its secret value only."""

    model_config = SettingsConfigDict(env_prefix="LEM_", extra="forbid", frozen=True)

    redis_url: SecretStr | None = None
    allow_lossy_store: bool = False
    bundle: Path = SHIPPED_BUNDLE
    data_dir: Path = Path("data")
    clock: ClockKind = ClockKind.WALL
    log_level: LogLevel = LogLevel.WARNING
