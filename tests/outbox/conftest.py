"""A desk on a real store, for tests of what goes out."""

from __future__ import annotations

from tests.engine.conftest import desk, server, store_url

__all__ = ["desk", "server", "store_url"]
