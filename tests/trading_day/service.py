"""The service as its users start it, in a process that can be killed and started again at the same address."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

LISTENING = b"listening on "
END_SECONDS_MAX = 60.0
"""How long a service may take to end in order, on a busy machine."""


class Service:
    """`lem serve` on the clock of its bars, with a store of its own in the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = _free_port()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Return when it listens."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        options = ("--port", str(self._port), "--clock", "bars", "--data-dir", str(self._folder))
        with (self._folder / "serve.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "app.cli", "serve", *options),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=os.environ | {"LEM_REDIS_URL": ""},
                start_new_session=True,
            )
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            if line.startswith(LISTENING):
                return
        raise RuntimeError(f"the service ended with {await self._process.wait()}; see {self._folder / 'serve.log'}")

    async def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """With SIGKILL as a crash, with SIGTERM in order."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.send_signal(how)
        async with asyncio.timeout(END_SECONDS_MAX):
            await process.wait()

    async def restart(self, how: signal.Signals) -> None:
        await self.end(how)
        await self.start()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
