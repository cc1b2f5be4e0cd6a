"""A unique key has one holder, whoever asks for it at the same time, until that one has ended, however it ends."""

from __future__ import annotations

import pytest

from stem.app import Stem
from stem.contracts.changes import Bury, Cancel, Duplicate, Refused, Replay, Reschedule, UniqueKey, Write
from stem.contracts.queries import TaskFilter
from stem.tasks.state import TaskState
from stem.tasks.status import Failure
from stem.testing.contracts.build import FAILURE, Bench, publish, seconds
from tests.scenarios.support.engines import EVERYWHERE, SHARED
from tests.scenarios.support.producer import KEYS, stands_ready
from tests.scenarios.support.waiting import eventually
from tests.scenarios.support.yard import Yard

KEY = UniqueKey("key")
BROKEN = Failure("ConnectionError", "not now")

everywhere = pytest.mark.parametrize("engine", EVERYWHERE)


@pytest.mark.parametrize("engine", SHARED)
async def test_of_three_processes_that_ask_for_the_same_keys_at_once_one_gets_each(yard: Yard, stem: Stem) -> None:
    producers = [yard.start_producer() for _ in range(3)]
    await eventually(lambda: all(stands_ready(each.name).exists() for each in producers), what=yard.said())
    yard.open_gate()
    assert [await each.exit_code() for each in producers] == [0, 0, 0], yard.said()
    assert len([record async for record in stem.inspect.every_task(TaskFilter())]) == len(KEYS)


@everywhere
@pytest.mark.parametrize("end", [FAILURE, Bury("crashed", BROKEN)], ids=["failed", "in the dead letters"])
async def test_the_key_of_what_has_failed_is_free(bench: Bench, end: Write) -> None:
    await bench.put(unique=KEY)
    await bench.finish(end)
    assert await bench.leased_ids() == []
    second = await bench.put(unique=KEY)
    assert await bench.leased_ids() == [second]


@everywhere
async def test_the_key_of_what_was_cancelled_is_free(bench: Bench) -> None:
    first = await bench.put(unique=KEY)
    await bench.apply(Cancel(first))
    second = await bench.put(unique=KEY)
    assert await bench.leased_ids() == [second]


@everywhere
async def test_of_two_that_want_the_key_again_the_one_that_waits_for_its_retry_keeps_it(bench: Bench) -> None:
    first = await bench.put(unique=KEY)
    await bench.finish(Bury("crashed", BROKEN))
    second = await bench.put(unique=KEY)
    await bench.finish(Reschedule(seconds(5), BROKEN))
    assert await bench.write(publish(unique=KEY)) == Duplicate(second)
    assert isinstance(await bench.write(Replay(first, 0)), Refused)
    bench.clock.advance(5)
    assert await bench.finish_all() == [second]
    await bench.apply(Replay(first, 0))
    assert await bench.finish_all() == [first]
    assert await bench.state(first) is TaskState.SUCCEEDED
