"""Handlers hear what they are connected to, and what their filters let through."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, cast

import pytest

from stem.errors import ConfigError
from stem.signals import Event, Signals, TaskStartedEvent, TaskSucceededEvent, WorkerReadyEvent
from stem.testing import ManualClock
from tests.stem.signals.support import ready, started, succeeded


def _given_back(handler: Callable[[Event], object], event: Event) -> object:
    return handler(event)


def _none() -> None: ...


def _two(event: Event, more: object) -> None: ...


class TestConnecting:
    async def test_a_coroutine_function_and_a_plain_one_hear_the_same(self, signals: Signals) -> None:
        plain: list[Event] = []
        waiting: list[Event] = []

        async def hear(event: TaskStartedEvent) -> None:
            waiting.append(event)

        signals.task_started.connect(plain.append)
        signals.task_started.connect(hear)
        signals.tell(started())
        await signals.drain()
        assert plain == waiting == [started()]

    async def test_what_a_plain_function_gives_back_is_awaited(self, signals: Signals) -> None:
        heard: list[Event] = []

        async def hear(event: Event) -> None:
            heard.append(event)

        signals.task_started.connect(partial(_given_back, hear))
        signals.tell(started())
        await signals.drain()
        assert heard == [started()]

    async def test_it_is_a_decorator_whose_result_is_the_connection(self, signals: Signals) -> None:
        heard: list[str] = []

        @signals.task_started.connect
        async def all_of_them(event: TaskStartedEvent) -> None:
            heard.append(f"all {event.task_id}")

        @signals.task_started.connect(task="mail.*")
        async def mails(event: TaskStartedEvent) -> None:
            heard.append(f"mails {event.task_id}")

        signals.tell(started(task_id="1"))
        await signals.drain()
        all_of_them.cancel()
        signals.tell(started("mail.send", task_id="2"))
        await signals.drain()
        assert heard == ["all 1", "mails 2"]
        assert mails.is_connected
        assert not all_of_them.is_connected

    async def test_a_connection_ends_with_its_block(self, signals: Signals) -> None:
        heard: list[Event] = []
        with signals.task_started.connect(heard.append):
            signals.tell(started(task_id="1"))
            await signals.drain()
        signals.tell(started(task_id="2"))
        await signals.drain()
        assert heard == [started(task_id="1")]

    async def test_a_cancelled_handler_does_not_hear_what_is_on_its_way(self, signals: Signals) -> None:
        heard: list[Event] = []
        connection = signals.task_started.connect(heard.append)
        signals.tell(started())
        connection.cancel()
        connection.cancel()
        await signals.drain()
        assert heard == []

    async def test_once_is_the_first_event_that_fits(self, signals: Signals) -> None:
        heard: list[Event] = []
        connection = signals.task_started.connect(heard.append, once=True, where=lambda event: event.task_id != "1")
        for task_id in ("1", "2", "3"):
            signals.tell(started(task_id=task_id))
        await signals.drain()
        assert heard == [started(task_id="2")]
        assert not connection.is_connected

    async def test_two_clients_do_not_share_their_handlers(self, signals: Signals, clock: ManualClock) -> None:
        other, heard = Signals(clock), list[Event]()
        other.open()
        signals.task_started.connect(heard.append)
        other.tell(started())
        await other.drain()
        assert (heard, other.heard) == ([], False)


class TestFilters:
    @pytest.mark.parametrize(
        ("filters", "found"),
        [
            ({"task": "billing.*"}, {"1", "3"}),
            ({"task": "billing.charge", "queue": "fast"}, {"3"}),
            ({"queue": "f[ao]st"}, {"3"}),
            ({"worker": "worker-?"}, {"1", "2", "3"}),
            ({"worker": "other"}, set[str]()),
            ({"task": "billing"}, set[str]()),
        ],
    )
    async def test_names_match_as_those_of_files_do(
        self, signals: Signals, filters: dict[str, str], found: set[str]
    ) -> None:
        heard: list[TaskStartedEvent] = []
        signals.task_started.connect(
            heard.append, task=filters.get("task"), queue=filters.get("queue"), worker=filters.get("worker")
        )
        signals.tell(started(task_id="1"))
        signals.tell(started("mail.send", task_id="2"))
        signals.tell(started(task_id="3", queue="fast"))
        await signals.drain()
        assert {event.task_id for event in heard} == found

    async def test_a_worker_s_events_name_no_task(self, signals: Signals) -> None:
        with pytest.raises(ConfigError, match="WorkerReadyEvent names; found `task`"):
            signals.worker_ready.connect(print, task="billing.*")

    async def test_a_predicate_that_raises_lets_nothing_through(
        self, signals: Signals, caplog: pytest.LogCaptureFixture
    ) -> None:
        heard: list[Event] = []
        connection = signals.task_started.connect(heard.append, where=lambda event: bool(1 // len(event.task_id[7:])))
        signals.tell(started())
        await signals.drain()
        assert (heard, connection.errors) == ([], 1)
        assert "`where` raised" in caplog.text


class TestOrder:
    async def test_the_higher_priority_ends_before_the_next_begins(self, signals: Signals) -> None:
        calls: list[str] = []

        async def low(event: TaskStartedEvent) -> None:
            calls.append(f"low {event.task_id}")

        signals.task_started.connect(low, priority=-1)
        signals.task_started.connect(lambda event: calls.append(f"usual {event.task_id}"))
        signals.task_started.connect(lambda event: calls.append(f"high {event.task_id}"), priority=5)
        signals.tell(started(task_id="1"))
        signals.tell(started(task_id="2"))
        await signals.drain()
        assert calls == ["high 1", "usual 1", "low 1", "high 2", "usual 2", "low 2"]

    async def test_the_events_of_a_task_come_in_their_order_whatever_their_signals(self, signals: Signals) -> None:
        heard: list[Event] = []
        signals.task_succeeded.connect(heard.append)
        signals.task_started.connect(heard.append)
        told = [event for number in range(50) for event in (started(task_id=str(number)), succeeded(str(number)))]
        for event in told:
            signals.tell(event)
        await signals.drain()
        assert heard == told


class TestWhatCannotListen:
    @pytest.mark.parametrize(
        "handler", [_none, _two, partial(_given_back, print, started()), "text"], ids=["none", "two", "partial", "text"]
    )
    def test_a_handler_that_does_not_take_one_event_is_refused_at_once(
        self, signals: Signals, handler: Callable[..., object]
    ) -> None:
        with pytest.raises(ConfigError, match="a handler that takes the event"):
            signals.task_started.connect(handler)

    def test_a_generator_is_refused(self, signals: Signals) -> None:
        async def generator(event: TaskSucceededEvent) -> AsyncIterator[None]:
            yield

        with pytest.raises(ConfigError, match="the generator"):
            signals.task_succeeded.connect(generator)

    def test_a_predicate_that_would_have_to_be_awaited_is_refused(self, signals: Signals) -> None:
        async def later(event: TaskSucceededEvent) -> bool:
            return True

        with pytest.raises(ConfigError, match="to answer at once"):
            signals.task_succeeded.connect(print, where=cast("Any", later))
        with pytest.raises(ConfigError, match="`where` to take the event"):
            signals.task_succeeded.connect(print, where=cast("Any", lambda: True))


async def test_what_nobody_listens_to_is_known_without_making_an_event(signals: Signals) -> None:
    assert not signals.heard
    connection = signals.worker_ready.connect(print)
    assert (signals.heard, signals.worker_ready.heard, signals.task_started.heard) == (True, True, False)
    connection.cancel()
    assert not signals.heard


async def test_every_signal_has_an_event_of_its_own(signals: Signals) -> None:
    kinds = [signal.event for signal in signals]
    assert len(set(kinds)) == len(kinds) == 24


async def test_an_object_may_listen(signals: Signals) -> None:
    class Counter:
        count = 0

        async def __call__(self, event: WorkerReadyEvent) -> None:
            self.count += 1

    counter = Counter()
    signals.worker_ready.connect(counter)
    signals.tell(ready())
    await signals.drain()
    assert counter.count == 1
