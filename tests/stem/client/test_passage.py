"""What middleware may do to a call on its way into the store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from stem.app import Stem
from stem.contracts.queries import TaskFilter
from stem.errors import ConfigError, DuplicateTask, EnqueueError, EnqueueRefused
from stem.signals import Event, Middleware, NextEnqueue
from stem.sync import SyncStem
from stem.tasks.call import TaskCall
from stem.tasks.envelope import Envelope, decode_envelope
from stem.tasks.options import EnqueueOptions
from tests.stem.client.support import charge


class Heads:
    """Adds one header."""

    def __init__(self, name: str, value: str) -> None:
        self.header = {name: value}

    async def on_enqueue(self, call: TaskCall[object], call_next: NextEnqueue) -> None:
        await call_next(call.with_headers(self.header))


class Refuses:
    """Refuses one order."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def on_enqueue(self, call: TaskCall[object], call_next: NextEnqueue) -> None:
        await call_next(call)
        if b"666" in call.payload:
            raise self.error


class Odd:
    """Calls `call_next` as often as it says."""

    def __init__(self, times: int) -> None:
        self.times = times

    async def on_enqueue(self, call: TaskCall[object], call_next: NextEnqueue) -> None:
        for _ in range(self.times):
            await call_next(call)


@pytest.fixture
async def opened() -> AsyncIterator[Callable[..., Stem]]:
    clients: list[Stem] = []

    def make(*middleware: Middleware, defaults: EnqueueOptions | None = None) -> Stem:
        clients.append(Stem("memory://", middleware=middleware, defaults=defaults))
        return clients[-1]

    yield make
    for client in clients:
        await client.aclose()


async def _stored(stem: Stem) -> list[Envelope]:
    page = await stem.inspect.tasks(TaskFilter())
    return [decode_envelope(record.envelope) for record in page.records]


async def test_headers_are_added_in_order_over_those_of_the_call(opened: Callable[..., Stem]) -> None:
    async with opened(Heads("a", "1"), Heads("b", "2"), Heads("a", "3")) as stem:
        await charge.options(headers={"a": "0", "c": "4"}).enqueue(stem, 7)
        (envelope,) = await _stored(stem)
    assert envelope.headers == {"a": "3", "b": "2", "c": "4"}


async def test_the_defaults_of_the_client_hold_for_what_is_passed_on(opened: Callable[..., Stem]) -> None:
    defaults = EnqueueOptions(max_retries=9, headers={"from": "web"})
    async with opened(Heads("a", "1"), defaults=defaults) as stem:
        await charge.enqueue(stem, 7)
        (envelope,) = await _stored(stem)
    assert (envelope.max_retries, envelope.headers) == (9, {"from": "web", "a": "1"})


async def test_a_refusal_stores_nothing_and_has_its_reason_as_its_cause(opened: Callable[..., Stem]) -> None:
    mine = LookupError("no such order")
    async with opened(Heads("a", "1"), Refuses(mine)) as stem:
        with pytest.raises(EnqueueRefused) as refused:
            await charge.enqueue(stem, 666)
        assert await _stored(stem) == []
    assert (refused.value.code, refused.value.__cause__) == ("STEM-E026", mine)
    assert "LookupError from Refuses" in refused.value.found
    assert isinstance(refused.value, EnqueueError)


async def test_one_refusal_among_many_stores_none_of_them(opened: Callable[..., Stem]) -> None:
    async with opened(Refuses(LookupError())) as stem:
        with pytest.raises(EnqueueRefused):
            await stem.enqueue_many([charge.call(1), charge.call(666), charge.call(2)])
        assert await _stored(stem) == []


async def test_an_enqueue_error_of_its_own_is_raised_as_it_is(opened: Callable[..., Stem]) -> None:
    mine = DuplicateTask(expected="none", found="one", do="Wait.")
    async with opened(Refuses(mine)) as stem:
        with pytest.raises(DuplicateTask) as refused:
            await charge.enqueue(stem, 666)
    assert refused.value is mine


@pytest.mark.parametrize("times", [0, 2])
async def test_one_that_does_not_pass_the_call_on_once_is_refused_by_name(
    opened: Callable[..., Stem], times: int
) -> None:
    async with opened(Heads("a", "1"), Odd(times)) as stem:
        with pytest.raises(EnqueueRefused, match="no call passed on from Odd"):
            await charge.enqueue(stem, 7)
        assert await _stored(stem) == []


async def test_a_refused_call_is_told_to_nobody(opened: Callable[..., Stem]) -> None:
    told: list[Event] = []
    stem = opened(Refuses(LookupError()))
    stem.signals.tap(told.append)
    async with stem:
        with pytest.raises(EnqueueRefused):
            await charge.enqueue(stem, 666)
    assert told == []


def test_a_blocking_client_takes_the_same_middleware_and_has_signals() -> None:
    told: list[Event] = []
    stem = SyncStem("memory://", middleware=[Heads("a", "1"), Refuses(LookupError())])
    stem.signals.task_published.connect(told.append)
    with stem:
        task_id = stem.enqueue(charge.call(7)).id
        with pytest.raises(EnqueueRefused):
            stem.enqueue(charge.call(666))
    assert [getattr(event, "task_id", None) for event in told] == [task_id]


class _Plain:
    def on_enqueue(self, call: TaskCall[object], call_next: NextEnqueue) -> None: ...


class _Short:
    async def on_error(self, attempt: object) -> None: ...


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (object(), "found <object object"),
        (Heads, "found <class"),
        (_Plain(), "_Plain.on_enqueue, which is no `async def`"),
        (_Short(), "`on_error` to take two arguments"),
    ],
    ids=["unknown", "class", "plain", "short"],
)
def test_what_is_no_middleware_is_refused_when_the_client_is_made(wrong: Middleware, found: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Stem("memory://", middleware=[wrong])
    assert found in str(refused.value)


def test_the_refusal_of_an_unknown_object_names_the_three_protocols() -> None:
    with pytest.raises(ConfigError, match=r"OnEnqueue .*AroundAttempt .*OnError"):
        Stem("memory://", middleware=[object()])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType] - wrong on purpose
