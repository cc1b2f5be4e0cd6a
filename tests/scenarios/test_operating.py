"""What operators decided stays decided, and cleaning up never touches what lives nor holds up what works."""

from __future__ import annotations

import pytest

from stem import Registry, Stem
from stem.contracts.changes import Change
from stem.tasks.state import TaskState
from stem.testing.contracts.build import START, SUCCESS, Bench, publish, seconds
from tests.scenarios.support.engines import EVERYWHERE
from tests.scenarios.support.jobs import QUICK, quick
from tests.scenarios.support.pauses import assert_paused_until_resumed, pause
from tests.scenarios.support.unlucky import as_time_passes, without

everywhere = pytest.mark.parametrize("engine", EVERYWHERE)

TWO_DAYS = 2 * 86_400.0


async def test_a_paused_queue_is_paused_when_everybody_was_gone_and_until_it_is_resumed(place: str) -> None:
    task_id = await pause(place)
    await assert_paused_until_resumed(place, task_id)


@everywhere
async def test_what_is_old_goes_in_bounded_portions_and_nothing_that_lives_goes_with_it(bench: Bench) -> None:
    old = [publish() for _ in range(250)]
    await bench.store.commit([Change((write,)) for write in old])
    await bench.finish_all()
    running = await bench.running()
    live = {running.fence.task_id, await bench.put(), await bench.put(delay=seconds(30 * 86_400))}
    bench.clock.advance(TWO_DAYS)
    assert [await bench.store.retain(100) for _ in range(4)] == [100, 100, 50, 0]
    assert (await bench.everything()).keys() == live
    await bench.apply(SUCCESS, fence=running.fence)


@everywhere
async def test_cleaning_up_that_always_fails_keeps_no_task_from_being_rescued(bench: Bench) -> None:
    broken = without("retain")
    task = await bench.put(name=QUICK.name, payload=b'{"number":7}', max_retries=50)
    lost = await bench.delivery(worker="worker-dead")
    await bench.apply(START, fence=lost.fence)

    async def rescued() -> bool:
        return await bench.state(task) is TaskState.SUCCEEDED

    stem = Stem("memory://", clock=bench.clock, wrap=lambda _: broken.around(bench.store))
    async with stem, stem.worker(Registry.of(quick)):
        await as_time_passes(rescued, bench)
    assert {point.method for point in broken.record} == {"retain"}
