"""The clock that tests move."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest

from stem.testing import ManualClock

SECOND = 1_000_000


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_time_stands_still_until_it_is_moved() -> None:
    clock = ManualClock(start=5)
    assert (clock.now(), clock.now(), clock.elapsed()) == (5, 5, 0)


@pytest.mark.parametrize("by", [1.5, timedelta(seconds=1.5)])
def test_both_answers_move_together(by: float | timedelta) -> None:
    clock = ManualClock(start=0)
    clock.advance(by)
    assert (clock.now(), clock.elapsed()) == (1_500_000, 1_500_000)


def test_time_does_not_pass_backwards() -> None:
    with pytest.raises(ValueError, match="step"):
        ManualClock().advance(-1)


def test_a_step_sets_the_wall_clock_only() -> None:
    clock = ManualClock(start=10 * SECOND)
    clock.step(-3)
    assert (clock.now(), clock.elapsed()) == (7 * SECOND, 0)


async def test_a_sleeper_wakes_when_its_time_has_come_and_not_before() -> None:
    clock = ManualClock()
    sleeper = asyncio.ensure_future(clock.sleep(10 * SECOND))
    await turns()
    clock.advance(9.999999)
    await turns()
    assert not sleeper.done()
    clock.advance(0.000001)
    await turns()
    assert sleeper.done()


async def test_a_step_wakes_nobody() -> None:
    clock = ManualClock()
    sleeper = asyncio.ensure_future(clock.sleep(SECOND))
    await turns()
    clock.step(60)
    await turns()
    assert not sleeper.done()
    clock.advance(1)
    await sleeper


async def test_sleepers_wake_in_the_order_of_their_times() -> None:
    clock, woken = ManualClock(), list[int]()

    async def sleep(duration: int) -> None:
        await clock.sleep(duration * SECOND)
        woken.append(duration)

    sleepers = [asyncio.ensure_future(sleep(duration)) for duration in (3, 1, 2)]
    await turns()
    clock.advance(5)
    await asyncio.gather(*sleepers)
    assert woken == [1, 2, 3]


async def test_a_sleep_of_nothing_gives_the_loop_one_turn() -> None:
    ran: list[str] = []
    asyncio.get_running_loop().call_soon(ran.append, "other")
    await ManualClock().sleep(0)
    assert ran == ["other"]


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = ManualClock()
    sleeper = asyncio.ensure_future(clock.sleep(SECOND))
    await turns()
    sleeper.cancel()
    await turns()
    assert clock.next_wake() is None
    clock.advance(2)


async def test_next_wake_tells_when_the_next_sleeper_wakes() -> None:
    clock = ManualClock()
    sleepers = [asyncio.ensure_future(clock.sleep(n * SECOND)) for n in (4, 2)]
    await turns()
    assert clock.next_wake() == 2 * SECOND
    clock.advance(9)
    await asyncio.gather(*sleepers)


async def test_run_for_lets_a_periodic_job_run_as_often_as_its_period_fits() -> None:
    clock, ran = ManualClock(start=0), list[int]()

    async def job() -> None:
        while True:
            await clock.sleep(2 * SECOND)
            ran.append(clock.now() // SECOND)

    running = asyncio.ensure_future(job())
    await clock.run_for(timedelta(seconds=7))
    running.cancel()
    assert ran == [2, 4, 6]
    assert clock.now() == 7 * SECOND


async def test_another_thread_can_move_the_clock() -> None:
    clock = ManualClock()
    sleeper = asyncio.ensure_future(clock.sleep(SECOND))
    await turns()
    mover = threading.Thread(target=clock.advance, args=(1,))
    mover.start()
    await sleeper
    mover.join()
    assert clock.elapsed() == SECOND


def test_a_sleeper_whose_loop_is_gone_is_passed_over() -> None:
    clock = ManualClock()

    async def leave() -> None:
        asyncio.ensure_future(clock.sleep(SECOND)).add_done_callback(lambda _: None)
        await turns()

    asyncio.run(leave())
    clock.advance(2)
    assert clock.next_wake() is None
