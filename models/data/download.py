"""Download archives over HTTP into a folder that keeps them, verified and within bounds."""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import httpx

from app.domain.errors import InvalidInput, Unavailable
from models.data.archives import Archive
from models.data.drafts import own_draft

CHECKSUM = re.compile(r"\s*([0-9a-fA-F]{64})\b")
CHECKSUM_BYTES_MAX = 1_024
CHUNK_BYTES = 1 << 16
TIMEOUT_SECONDS = 30.0
SOURCE_DOWN = "source_down"


class Got(StrEnum):
    """How an archive came to be here, or that the source does not have it."""

    FETCHED = "fetched"
    KEPT = "kept"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often to try, and how long to wait in between: the wait doubles from one attempt to the next."""

    attempts: int = 5
    first_wait_seconds: float = 1.0
    wait_seconds_max: float = 20.0

    def wait_seconds(self, failed: int) -> float:
        return min(self.first_wait_seconds * 2.0 ** (failed - 1), self.wait_seconds_max)


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloader:
    """`folder` keeps finished archives under the paths they have at `base_url`, each with its checksum beside it."""

    client: httpx.AsyncClient
    base_url: str
    folder: Path
    patience: Patience = field(default_factory=Patience)

    def path_of(self, archive: Archive) -> Path:
        return self.folder / archive.path

    async def get(self, archive: Archive) -> Got:
        """Download the archive, unless it is kept and agrees with its checksum.

        Answers that may be better next time (5xx, 429, no or half an answer, another checksum) are retried. Raises
        Unavailable when patience ends, with the code `SOURCE_DOWN` unless this archive alone is wrong, and InvalidInput
        for an answer that a retry would not change.
        """
        if await asyncio.to_thread(_is_kept, self.path_of(archive)):
            return Got.KEPT
        for attempt in range(1, self.patience.attempts + 1):
            try:
                return await self._try(archive)
            except httpx.RequestError as error:
                code, reason = SOURCE_DOWN, str(error) or type(error).__name__
            except Unavailable as error:
                code, reason = error.code, error.detail
            if attempt < self.patience.attempts:
                await asyncio.sleep(self.patience.wait_seconds(attempt))
        raise Unavailable(code, f"{archive.path}: {reason}; tried {self.patience.attempts} times")

    def forget(self, archive: Archive) -> None:
        _checksum_path(self.path_of(archive)).unlink(missing_ok=True)
        self.path_of(archive).unlink(missing_ok=True)

    async def _try(self, archive: Archive) -> Got:
        path = self.path_of(archive)
        digest = await self._checksum(archive)
        with own_draft(path) as draft:
            found = await self._stream(archive, draft)
            if found is None:
                return Got.ABSENT
            if digest is None:
                raise InvalidInput("no_checksum", f"{archive.path} has no CHECKSUM beside it")
            if found != digest:
                raise Unavailable("checksum_mismatch", f"its sha256 is {found}, its CHECKSUM says {digest}")
            _checksum_path(path).write_text(f"{digest}  {path.name}\n")
            draft.replace(path)
        return Got.FETCHED

    async def _checksum(self, archive: Archive) -> str | None:
        async with self.client.stream("GET", f"{self.base_url}/{archive.path}.CHECKSUM") as answer:
            if _absent(answer):
                return None
            text = b""
            async for chunk in answer.aiter_bytes(CHECKSUM_BYTES_MAX):
                text += chunk
                if len(text) > CHECKSUM_BYTES_MAX:
                    break
        matched = CHECKSUM.match(text.decode("ascii", "replace"))
        if not matched:
            raise InvalidInput("bad_checksum", f"{archive.path}.CHECKSUM does not begin with a sha256")
        return matched[1].lower()

    async def _stream(self, archive: Archive, draft: Path) -> str | None:
        """The sha256 of what was written to `draft`; None where the source does not have the archive."""
        digest, size = hashlib.sha256(), 0
        async with self.client.stream("GET", f"{self.base_url}/{archive.path}") as answer:
            if _absent(answer):
                return None
            draft.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as file:
                async for chunk in answer.aiter_raw(CHUNK_BYTES):
                    size += len(chunk)
                    if size > archive.bytes_max:
                        raise InvalidInput("oversize", f"{archive.path} is larger than {archive.bytes_max} bytes")
                    digest.update(chunk)
                    file.write(chunk)
        return digest.hexdigest()


def _absent(answer: httpx.Response) -> bool:
    if answer.status_code == httpx.codes.NOT_FOUND:
        return True
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
        raise Unavailable(SOURCE_DOWN, f"the server answers {answer.status_code}")
    if answer.status_code != httpx.codes.OK:
        raise InvalidInput("refused", f"{answer.url} answers {answer.status_code}")
    return False


def _is_kept(path: Path) -> bool:
    try:
        matched = CHECKSUM.match(_checksum_path(path).read_text())
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return False
    return matched is not None and matched[1].lower() == found


def _checksum_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.CHECKSUM")
