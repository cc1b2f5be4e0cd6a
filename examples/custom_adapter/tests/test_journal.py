"""What a journal brings back, and what it refuses."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from stem import Registry, Stem, definition, task
from stem.contracts.adapter import StoreOptions
from stem.contracts.store import Renewal
from stem.errors import ConfigError, StoreCorrupt, StoreUnavailable
from stem.stores.open import open_store
from stem.testing import ManualClock
from stem.testing.contracts import Bench
from stem.testing.contracts.build import SUCCESS, seconds


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"journal:///{tmp_path}/tasks.journal"


@task(name="tests.double")
async def double(number: int) -> int:
    """Something to do."""
    return 2 * number


async def test_what_was_done_is_there_after_a_restart(url: str) -> None:
    clock = ManualClock()
    store = await open_store(url, StoreOptions(clock=clock))
    before = Bench(store, clock)
    delivery = await before.running(tags=("a",), meta={"by": ["ada"]})
    clock.advance(5)
    store.keeper().renew([Renewal(delivery.fence, seconds(60))])
    await store.pause("other", reason="why not")
    waiting = await before.put(queue="other", delay=seconds(9))
    records = await before.everything()
    await store.aclose()

    clock.advance(20)
    again = await open_store(url, StoreOptions(clock=clock))
    after = Bench(again, clock)
    assert await after.everything() == records
    assert [pause.reason for pause in await again.pauses()] == ["why not"]
    await after.apply(SUCCESS, fence=delivery.fence)
    assert await again.resume("other")
    assert await after.leased_ids(queues={"other": 1}) == [waiting]
    await again.aclose()


async def test_a_line_that_a_crash_cut_off_was_never_answered_and_is_gone(url: str, tmp_path: Path) -> None:
    clock = ManualClock()
    store = await open_store(url, StoreOptions(clock=clock))
    task_id = await Bench(store, clock).put()
    await store.aclose()
    with (tmp_path / "tasks.journal").open("ab") as file:
        file.write(b'{"$":"map","of":{"at":17')

    again = await open_store(url, StoreOptions(clock=clock))
    assert set(await Bench(again, clock).everything()) == {task_id}
    await Bench(again, clock).put()
    await again.aclose()
    once_more = await open_store(url, StoreOptions(clock=clock))
    assert len(await Bench(once_more, clock).everything()) == 2
    await once_more.aclose()


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "{}",
        '{"$":"map","of":{"at":1,"call":"aclose","given":{"$":"map","of":{}}}}',
        '{"$":"Popen","args":["rm"]}',
    ],
)
async def test_a_file_that_is_no_journal_is_refused(line: str, url: str, tmp_path: Path) -> None:
    (tmp_path / "tasks.journal").write_text(f"{line}\n")
    with pytest.raises(StoreCorrupt):
        await open_store(url, StoreOptions())


async def test_a_file_that_another_has_is_refused(url: str) -> None:
    store = await open_store(url, StoreOptions())
    with pytest.raises(StoreUnavailable, match="another one that has it"):
        await open_store(url, StoreOptions())
    await store.aclose()


@pytest.mark.parametrize("url", ["journal://host/path", "journal://", "journal:///x?mode=ro"])
async def test_a_url_that_names_no_file_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="journal:///relative"):
        await open_store(url, StoreOptions())


async def test_an_application_works_on_it(url: str) -> None:
    async with Stem(url) as stem, stem.worker(Registry.of(double)):
        handle = await definition(double).enqueue(stem, 21)
        assert await handle.result(timeout=timedelta(seconds=30)) == 42
