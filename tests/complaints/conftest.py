from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.complaints.oms import Oms, an_oms


@pytest.fixture
async def oms(tmp_path: Path) -> AsyncIterator[Oms]:
    async with an_oms(tmp_path) as opened:
        yield opened
