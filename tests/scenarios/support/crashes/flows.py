"""The flows of single tasks: published, leased, ended, retried, buried, rescued, fired."""

from __future__ import annotations

import asyncio

from stem.clock import Micros
from stem.contracts.changes import APPLIED, Bury, FireSchedule, Replay, Report, Reschedule, UniqueKey
from stem.contracts.schedules import ScheduleRecord
from stem.contracts.store import Delivery, LeaseVerdict, Renewal
from stem.ids import derived_id
from stem.tasks.state import TaskState
from stem.tasks.status import Failure, Progress
from stem.testing.clock import ManualClock
from stem.testing.contracts.build import START, SUCCESS, Bench, publish, seconds
from stem.worker.crashed import decide_crashed
from tests.scenarios.support.crashes.flow import Aftermath, Flow, Tell

__all__ = ["Burying", "Firing", "Leasing", "Publishing", "Rescuing", "Retrying", "Settling"]

BEGAN = ManualClock().now()
DAY = seconds(86_400)
BROKEN = Failure("ConnectionError", "not now")


class Publishing(Flow):
    """A producer: a plain task, one with a key, one for later."""

    async def act(self, bench: Bench, tell: Tell) -> None:
        tell("published", await bench.put(id="plain"))
        tell("published", await bench.put(id="keyed", unique=UniqueKey("key")))
        tell("published", await bench.put(id="later", delay=seconds(60)))

    async def audit(self, after: Aftermath) -> None:
        assert set(after.ran) == set(after.before) == set(after.records)
        assert await after.bench.write(publish(id="next", unique=UniqueKey("key"))) == APPLIED


class Leasing(Flow):
    """A worker that dies before it has begun with anything."""

    async def prepare(self, bench: Bench) -> None:
        for number in range(3):
            await bench.put(id=f"task-{number}")

    async def act(self, bench: Bench, tell: Tell) -> None:
        await bench.lease(2)
        await bench.lease(2)

    async def audit(self, after: Aftermath) -> None:
        assert {record.attempt for record in after.records.values()} == {0}


class Settling(Flow):
    """A worker that ends a task, with a follow-up in the same change."""

    async def prepare(self, bench: Bench) -> None:
        await bench.put(id="work")

    async def act(self, bench: Bench, tell: Tell) -> None:
        delivery = await bench.delivery()
        await bench.apply(START, fence=delivery.fence)
        await _renew(bench, delivery)
        await bench.apply(Report(Progress(1, 1.0)), fence=delivery.fence)
        await bench.apply(SUCCESS, publish(id="follow-up"), fence=delivery.fence)
        tell("ended", "work")
        tell("published", "follow-up")
        tell("ended", await bench.finish())

    async def audit(self, after: Aftermath) -> None:
        assert set(after.records) == ({"work"} if "work" in after.ran else {"work", "follow-up"})
        assert {record.result for record in after.records.values()} == {SUCCESS.result}


class Retrying(Flow):
    """A worker whose task fails twice."""

    async def prepare(self, bench: Bench) -> None:
        await bench.put(id="flaky", max_retries=3)

    async def act(self, bench: Bench, tell: Tell) -> None:
        for delay in (1, 0):
            delivery = await bench.delivery()
            await bench.apply(START, fence=delivery.fence)
            await bench.apply(Reschedule(seconds(delay), BROKEN), fence=delivery.fence)
            tell("said", f"failed {delivery.attempt + 1}")
            bench.clock.advance(delay)
        tell("ended", await bench.finish())

    async def audit(self, after: Aftermath) -> None:
        record = after.records["flaky"]
        assert record.state is TaskState.SUCCEEDED
        failed = after.said("failed 1") + after.said("failed 2")
        assert failed <= record.attempt <= failed + 1


class Burying(Flow):
    """A worker that buries a task, and somebody who replays it."""

    async def prepare(self, bench: Bench) -> None:
        await bench.put(id="bad")

    async def act(self, bench: Bench, tell: Tell) -> None:
        await bench.finish(Bury("crashed", BROKEN))
        tell("said", "buried")
        await bench.apply(Replay("bad", 0))
        tell("said", "replayed")
        tell("ended", await bench.finish())

    async def audit(self, after: Aftermath) -> None:
        record = after.records["bad"]
        assert record.generation == after.before["bad"].generation >= after.said("replayed")
        if record.generation == 0 and after.said("buried"):
            assert record.state is TaskState.FAILED
        dead = record.state is TaskState.FAILED
        assert record.bury_reason == ("crashed" if dead else None)
        assert record.error == (BROKEN if dead else None)


class Rescuing(Flow):
    """A sweeper that dies while it rescues what another one lost."""

    async def prepare(self, bench: Bench) -> None:
        await bench.put(id="lost")
        await bench.lease(1, started=1, worker="worker-0")

    async def act(self, bench: Bench, tell: Tell) -> None:
        bench.clock.advance(60)
        (rescued,) = await bench.take(*await bench.store.suspects())
        change = decide_crashed(rescued, None, free=False, random=0.0)
        assert change is not None
        await bench.apply(*change.writes, fence=change.fence)
        tell("ended", await bench.finish())

    async def audit(self, after: Aftermath) -> None:
        record = after.records["lost"]
        assert record.state is TaskState.SUCCEEDED
        assert 1 <= record.crashes == record.attempt <= 2


class Firing(Flow):
    """A scheduler that fires, and sends the firing again because it cannot know."""

    async def prepare(self, bench: Bench) -> None:
        await bench.store.put_schedule("daily", b"spec", next_fire=BEGAN)

    async def act(self, bench: Bench, tell: Tell) -> None:
        (due,) = await bench.store.due_schedules(5)
        await _fire(bench, due)
        tell("published", _fired(BEGAN))
        await _fire(bench, due)
        await bench.store.put_schedule("daily", b"other", next_fire=due.next_fire, expected=due.version)
        tell("ended", await bench.finish())

    async def resume(self, bench: Bench) -> None:
        for due in await bench.store.due_schedules(5):
            await _fire(bench, due)

    async def audit(self, after: Aftermath) -> None:
        schedule = await after.bench.store.schedule("daily")
        assert schedule is not None
        assert (schedule.last_fire, schedule.next_fire) == (BEGAN, BEGAN + DAY)
        assert list(after.records) == [_fired(BEGAN)]


async def _fire(bench: Bench, due: ScheduleRecord) -> None:
    assert due.next_fire is not None
    fire = FireSchedule(due.id, due.next_fire, due.next_fire + DAY)
    await bench.apply(fire, publish(id=_fired(due.next_fire)))


def _fired(at: Micros) -> str:
    """The id of the task that a firing publishes."""
    return derived_id("daily", at)


async def _renew(bench: Bench, delivery: Delivery) -> None:
    keeper = bench.store.keeper()
    try:
        verdicts = await asyncio.to_thread(keeper.renew, [Renewal(delivery.fence, delivery.lease)])
    finally:
        await asyncio.to_thread(keeper.close)
    assert verdicts == [LeaseVerdict.KEPT]
