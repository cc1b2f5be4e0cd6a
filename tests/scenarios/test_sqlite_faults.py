"""One SQLite file that others keep locked, and processes that die in the middle of writing it."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from stem import Stem
from stem.adapters.sqlite import open_store
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import Change
from stem.errors import StoreUnavailable
from stem.tasks.state import TaskState
from stem.testing.contracts import publish
from tests.scenarios.support.jobs import WORK, registry
from tests.scenarios.support.journal import Journal
from tests.scenarios.support.outcomes import assert_each_ended_once
from tests.scenarios.support.waiting import eventually
from tests.scenarios.support.yard import ROOT, Yard

pytestmark = pytest.mark.usefixtures("journal")

MINUTE = timedelta(seconds=60)
ENQUEUE_FOR_EVER = """
import asyncio, sys
from stem import Stem
from tests.scenarios.support.jobs import WORK

async def main():
    async with Stem(sys.argv[1]) as stem:
        while True:
            batch = await stem.enqueue_many([WORK.call(0.0)] * 10)
            print(*[handle.id for handle in batch], flush=True)

asyncio.run(main())
"""


@contextmanager
def locked(file: Path) -> Generator[None]:
    """Somebody else writes, and does not come to an end."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.close()


async def test_work_waits_for_a_file_that_somebody_keeps_locked_and_goes_on_when_it_is_let_go(
    tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "connect", partial(_connect_impatiently, sqlite3.connect))
    url = f"sqlite:///{tmp_path}/stem.db"
    other = await open_store(url, StoreOptions())
    async with Stem(url) as stem, stem.worker(registry, concurrency=4):
        batch = [*await stem.enqueue_many([WORK.call(0.02)] * 60)]
        await eventually(lambda: len(journal.ended()) >= 4)
        with locked(tmp_path / "stem.db"):
            waiting = asyncio.create_task(WORK.enqueue(stem, 0.0))
            for _ in range(3):
                with pytest.raises(StoreUnavailable, match="busy timeout"):
                    await other.commit([Change((publish(),))])
            assert not waiting.done()
        batch.append(await waiting)
        await assert_each_ended_once(batch, stem, journal)
    await other.aclose()


def _connect_impatiently(
    connect: Callable[..., sqlite3.Connection], *args: object, **options: object
) -> sqlite3.Connection:
    """A connection that waits for a lock for a tenth of a second."""
    return connect(*args, **{**options, "timeout": 0.1})


async def test_what_was_accepted_before_the_only_process_was_killed_is_found_in_its_journal_and_run(
    tmp_path: Path, yard: Yard
) -> None:
    command = (sys.executable, "-c", ENQUEUE_FOR_EVER, yard.url)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        accepted = [task_id for _ in range(15) for task_id in process.stdout.readline().split()]
        process.kill()
        accepted += [task_id for line in process.stdout if line.endswith("\n") for task_id in line.split()]
    assert (tmp_path / "stem.db-wal").stat().st_size > 0
    async with Stem(yard.url) as stem:
        yard.start("-c", "50")
        results = [stem.handle(task_id).result(timeout=MINUTE) for task_id in accepted]
        assert len(await asyncio.gather(*results)) == len(accepted) >= 150
        (count,) = await stem.inspect.queues()
        await eventually(lambda: _all_ended(stem), what="the end of what nobody knows to have been accepted")
        assert sum(count.counts.values()) % 10 == 0, "a batch is there whole or not at all"


async def _all_ended(stem: Stem) -> bool:
    (count,) = await stem.inspect.queues()
    return set(count.counts) == {TaskState.SUCCEEDED}
