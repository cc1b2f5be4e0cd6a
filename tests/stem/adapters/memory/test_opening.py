"""Opening the memory engine."""

import pytest

from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import Change
from stem.contracts.queries import TaskFilter
from stem.errors import ConfigError
from stem.stores.open import find_adapter, open_store
from stem.testing.contracts import publish


async def test_two_stores_share_nothing() -> None:
    first, second = [await open_store("memory://", StoreOptions()) for _ in range(2)]
    await first.commit([Change((publish(),))])
    assert (await second.list_tasks(TaskFilter(), limit=5)).records == ()


@pytest.mark.parametrize("url", ["memory://shared", "memory:///file", "memory://?a=b"])
async def test_a_url_with_more_in_it_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="memory://"):
        await open_store(url, StoreOptions())


async def test_memory_has_no_schema_to_migrate() -> None:
    assert await find_adapter("memory://").migrate("memory://", StoreOptions()) == ()


async def test_a_cursor_that_is_none_of_ours_is_refused() -> None:
    store = await open_store("memory://", StoreOptions())
    with pytest.raises(ConfigError, match="after"):
        await store.list_tasks(TaskFilter(), limit=5, after="x; DROP TABLE")
