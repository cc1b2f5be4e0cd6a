"""Handlers that raise, hang or are too slow harm nobody: neither the worker nor each other."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading

import pytest

from stem.signals import Event, Signals
from stem.signals.events import TaskStartedEvent
from stem.signals.waiting import KEPT_FREE, MOST_WAITING
from stem.testing import ManualClock
from tests.stem.signals.support import ready, started
from tests.stem.worker.support import eventually, turns

secret: contextvars.ContextVar[str] = contextvars.ContextVar("secret", default="nothing")


async def test_a_handler_that_raises_is_logged_and_hears_on(signals: Signals, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Event] = []

    def fail(event: Event) -> None:
        heard.append(event)
        raise ValueError("no such channel")

    connection = signals.task_started.connect(fail)
    signals.task_started.connect(heard.append)
    for number in range(3):
        signals.tell(started(task_id=str(number)))
    await signals.drain()
    assert len(heard) == 6
    assert connection.errors == 3
    assert caplog.text.count("fail: raised (1 times so far)") == 1  # and then not for ten seconds
    assert caplog.text.count("ValueError: no such channel") == 1


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError(), StopIteration()])
@pytest.mark.parametrize("kind", ["coroutine", "plain"])
async def test_not_even_what_ends_programs_gets_out_of_a_handler(
    signals: Signals, error: BaseException, kind: str
) -> None:
    heard: list[Event] = []

    def plain(_: Event) -> None:
        raise error

    async def coroutine(_: Event) -> None:
        raise error

    connection = signals.task_started.connect(plain if kind == "plain" else coroutine)
    signals.task_started.connect(heard.append)
    signals.tell(started())
    await signals.drain()
    assert (heard, connection.errors) == ([started()], 1)


async def test_a_coroutine_that_hangs_is_cancelled_after_five_seconds(
    signals: Signals, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    ended, heard = asyncio.Event(), list[Event]()

    async def hang(_: Event) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    connection = signals.task_started.connect(hang)
    signals.task_started.connect(heard.append)
    signals.tell(started())
    await clock.run_for(4.9)
    assert not ended.is_set()
    assert heard == []

    await clock.run_for(0.2)
    await eventually(lambda: heard != [])

    assert ended.is_set()
    assert heard == [started()]
    assert (connection.errors, connection.missed) == (1, 0)
    assert "took longer than 5 s" in caplog.text


async def test_a_coroutine_that_ignores_its_cancellation_holds_up_nobody(signals: Signals, clock: ManualClock) -> None:
    gate, heard = asyncio.Event(), list[Event]()

    async def stubborn(_: Event) -> None:
        while not gate.is_set():
            try:
                await gate.wait()
            except asyncio.CancelledError:
                continue

    signals.task_started.connect(stubborn)
    signals.task_started.connect(heard.append)
    signals.tell(started())
    await clock.run_for(5)
    await eventually(lambda: heard != [])
    gate.set()


async def test_what_was_given_up_and_ends_late_does_not_end_the_watch_over_others(
    signals: Signals, clock: ManualClock
) -> None:
    gate, ended, heard = asyncio.Event(), asyncio.Event(), list[Event]()

    async def stubborn(_: Event) -> None:
        while not gate.is_set():
            try:
                await gate.wait()
            except asyncio.CancelledError:
                continue
        ended.set()

    async def hang(_: Event) -> None:
        await asyncio.Event().wait()

    for handler in (stubborn, hang, heard.append):
        signals.task_started.connect(handler)
    signals.tell(started())
    await clock.run_for(5)
    gate.set()
    await eventually(ended.is_set)
    await clock.run_for(5)
    await eventually(lambda: heard != [])


async def test_a_thread_that_hangs_is_left_out_until_its_call_has_ended(signals: Signals, clock: ManualClock) -> None:
    gate, calls, heard = threading.Event(), list[Event](), list[Event]()

    def hang(event: Event) -> None:
        calls.append(event)
        gate.wait(60)

    connection = signals.task_started.connect(hang)
    signals.task_started.connect(heard.append)
    signals.tell(started(task_id="1"))
    await eventually(lambda: calls != [])
    await clock.run_for(5)
    await eventually(lambda: len(heard) == 1)

    clock.advance(61)  # its rest is over, its call is not
    signals.tell(started(task_id="2"))
    await eventually(lambda: len(heard) == 2)
    assert (len(calls), connection.missed) == (1, 1)

    gate.set()
    await eventually(lambda: _hears_again(signals, calls))
    assert connection.is_connected


def _hears_again(signals: Signals, calls: list[Event]) -> bool:
    signals.tell(started(task_id="again"))
    return len(calls) > 1


async def test_a_handler_that_took_too_long_rests_for_a_minute(signals: Signals, clock: ManualClock) -> None:
    calls: list[str] = []

    async def slow(event: TaskStartedEvent) -> None:
        calls.append(event.task_id)
        if event.task_id == "1":
            await asyncio.Event().wait()

    connection = signals.task_started.connect(slow)
    signals.tell(started(task_id="1"))
    await clock.run_for(5)
    await eventually(lambda: connection.errors == 1)
    signals.tell(started(task_id="2"))
    await signals.drain()
    assert (calls, connection.missed) == (["1"], 1)

    clock.advance(60)
    signals.tell(started(task_id="3"))
    await signals.drain()
    assert calls == ["1", "3"]


async def test_what_finds_no_place_in_the_line_is_dropped_and_counted(
    signals: Signals, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    gate, heard = asyncio.Event(), list[Event]()

    async def wait(event: Event) -> None:
        await gate.wait()
        heard.append(event)

    signals.task_started.connect(wait)
    signals.tell(started())
    await asyncio.sleep(0)  # the first one is on its way, and has no place in the line any more
    for _ in range(MOST_WAITING + 3):
        signals.tell(started())
    assert signals.dropped == 3
    assert caplog.text.count("no room for more events") == 1
    gate.set()
    await eventually(lambda: len(heard) == MOST_WAITING + 1)


async def test_what_tells_of_a_workers_life_finds_a_place_in_a_full_line(signals: Signals) -> None:
    gate, heard = asyncio.Event(), list[Event]()

    async def wait(event: Event) -> None:
        await gate.wait()
        heard.append(event)

    signals.task_started.connect(wait)
    signals.worker_ready.connect(wait)
    for _ in range(MOST_WAITING + 3):
        signals.tell(started())
    for _ in range(KEPT_FREE + 2):
        signals.tell(ready())
    assert signals.dropped == 3 + 2
    gate.set()
    await eventually(lambda: len(heard) == MOST_WAITING + KEPT_FREE)


async def test_an_orderly_end_tells_of_a_workers_life_whatever_waits_before_it(
    signals: Signals, clock: ManualClock
) -> None:
    heard: list[Event] = []

    async def slow(event: Event) -> None:
        await clock.sleep(1_000_000)
        heard.append(event)

    signals.task_started.connect(slow)
    signals.worker_ready.connect(slow)
    for _ in range(10):
        signals.tell(started())
    signals.tell(ready())
    ending = asyncio.ensure_future(signals.finish())
    await clock.run_for(10)
    await ending
    assert heard.index(ready()) in {4, 5, 6}
    assert heard[-1] == ready()
    assert signals.dropped == 11 - len(heard)


async def test_a_busy_loop_does_not_keep_plain_handlers_from_being_called(signals: Signals) -> None:
    inside, gate, all_heard = threading.Event(), threading.Event(), threading.Event()
    heard: list[Event] = []

    def count(event: Event) -> None:
        inside.set()
        gate.wait(60)
        heard.append(event)
        if len(heard) == 1_000:
            all_heard.set()

    signals.task_started.connect(count)
    signals.tell(started())
    await eventually(inside.is_set)
    for _ in range(999):
        signals.tell(started())
    gate.set()
    assert all_heard.wait(30)  # the loop gets no turn meanwhile


async def test_events_come_from_any_thread(signals: Signals) -> None:
    heard: list[Event] = []
    signals.task_started.connect(heard.append)
    await asyncio.to_thread(signals.tell, started())
    await eventually(lambda: heard != [])
    assert heard == [started()]


async def test_a_closed_line_drops_what_still_waits(signals: Signals) -> None:
    heard: list[Event] = []
    signals.task_started.connect(heard.append)
    signals.tell(started())
    signals.close()
    signals.tell(started())
    assert (heard, signals.dropped) == ([], 2)


async def test_draining_ends_after_five_seconds_whatever_hangs(signals: Signals, clock: ManualClock) -> None:
    async def hang(_: Event) -> None:
        await asyncio.Event().wait()

    for number in range(3):
        signals.task_started.connect(hang, priority=number)
    signals.tell(started())
    draining = asyncio.ensure_future(signals.drain())
    await clock.run_for(5.1)
    await draining
    assert logging.getLogger("stem.signals").isEnabledFor(logging.WARNING)


async def test_handlers_that_wait_for_nothing_take_no_turn_of_the_loop_each(signals: Signals) -> None:
    heard: list[Event] = []

    async def count(event: Event) -> None:
        heard.append(event)

    signals.task_started.connect(count)
    for _ in range(1_000):
        signals.tell(started())
    await turns(3)
    assert len(heard) == 1_000


async def test_plain_handlers_are_called_many_at_a_time_in_one_thread(signals: Signals) -> None:
    threads: list[int] = []
    signals.task_started.connect(lambda _: threads.append(threading.get_ident()))
    for _ in range(1_000):
        signals.tell(started())
    await signals.drain()
    assert len(threads) == 1_000
    assert len(set(threads)) == 1
    assert threading.get_ident() not in threads


async def test_a_handler_does_not_see_the_context_of_what_it_is_told_of(signals: Signals) -> None:
    seen: list[str] = []

    async def look(_: Event) -> None:
        seen.append(secret.get())

    signals.task_started.connect(look)
    secret.set("of the task")
    signals.tell(started())
    await signals.drain()
    assert seen == ["nothing"]
