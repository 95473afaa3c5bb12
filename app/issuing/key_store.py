"""The store of a service, whether the service runs or not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from app.access.ports import KeyStore
from app.settings import Settings
from app.store.api_keys import RedisApiKeys
from app.store.connection import connect
from app.store.data_folder.errors import DataFolderInUseError
from app.store.data_folder.privacy import noted_socket
from app.store.embedded import EmbeddedStore
from app.store.replication import replication


@asynccontextmanager
async def opened_keys(settings: Settings) -> AsyncIterator[KeyStore]:
    """The keys in the store of `LEM_REDIS_URL`, else in the data folder: its server is asked where a service runs on
    the folder, and started for as long as this is open where none does.

    Raises DataFolderError, StoreStartError and OSError for a folder that cannot be used, ValueError for a url that is
    none."""
    async with AsyncExitStack() as stack:
        waits = replication(settings.wait_replicas, settings.wait_milliseconds)
        client = connect(await _url(settings, stack), waits)
        stack.push_async_callback(client.aclose)
        yield RedisApiKeys(client)


async def _url(settings: Settings, stack: AsyncExitStack) -> str:
    if settings.redis_url:
        return settings.redis_url.get_secret_value()
    try:
        embedded = await stack.enter_async_context(EmbeddedStore(settings.data_dir))
    except DataFolderInUseError:
        return f"unix://{noted_socket(settings.data_dir)}"
    return embedded.url
