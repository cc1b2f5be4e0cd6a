"""Every state and every event: the table of `stem.tasks.state` is what the engine does, and all it does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import pytest

from stem.contracts.changes import (
    APPLIED,
    FENCED,
    Bury,
    Cancel,
    Park,
    RefusalCode,
    Refused,
    Release,
    Replay,
    Reschedule,
    Settle,
    Verdict,
    Write,
)
from stem.contracts.store import Delivery, LeaseVerdict, Renewal, Suspect
from stem.tasks.state import TRANSITIONS, TaskEvent, TaskState
from stem.tasks.status import Failure
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import START, Bench, seconds

__all__ = ["TransitionContract"]

ERROR: Final = Failure("ValueError", "no")
WAYS: Final[Mapping[TaskState, Write | None]] = {
    TaskState.QUEUED: Release(),
    TaskState.RUNNING: None,
    TaskState.RETRYING: Reschedule(0, ERROR),
    TaskState.PARKED: Park("unknown task", "registry-9", seconds(300)),
    TaskState.SUCCEEDED: Settle(TaskEvent.SUCCEEDED, result=b"1"),
    TaskState.FAILED: Settle(TaskEvent.FAILED, error=ERROR),
    TaskState.CANCELLED: Settle(TaskEvent.CANCELLED),
    TaskState.EXPIRED: Settle(TaskEvent.EXPIRED),
}
"""How a leased task is brought into each state."""
FENCED_WRITES: Final[Mapping[TaskEvent, Write]] = {
    TaskEvent.STARTED: START,
    TaskEvent.SUCCEEDED: Settle(TaskEvent.SUCCEEDED, result=b"2"),
    TaskEvent.FAILED: Settle(TaskEvent.FAILED, error=ERROR),
    TaskEvent.EXPIRED: Settle(TaskEvent.EXPIRED),
    TaskEvent.CANCELLED: Settle(TaskEvent.CANCELLED),
    TaskEvent.RETRIED: Reschedule(0, ERROR),
    TaskEvent.RELEASED: Release(),
    TaskEvent.BURIED: Bury("crashed", ERROR),
    TaskEvent.PARKED: Park("unknown task", "registry-9", seconds(300)),
}
PAIRS: Final = [(state, event) for state in TaskState for event in TaskEvent]


class TransitionContract(Contract):
    """`TRANSITIONS`, pair by pair."""

    @pytest.mark.parametrize(("state", "event"), PAIRS, ids=lambda member: member.name.lower())
    async def test_a_task_in_this_state_answers_this_event_as_the_table_says(
        self, bench: Bench, state: TaskState, event: TaskEvent
    ) -> None:
        delivery = await bring(bench, state)
        task_id = delivery.fence.task_id
        before = await bench.record(task_id)
        assert before.state is state
        happened = await cause(bench, delivery, event)
        after = await bench.record(task_id)
        if (state, event) in TRANSITIONS:
            assert happened
            assert after.state is TRANSITIONS[state, event]
        else:
            assert not happened
            assert after == before


async def bring(bench: Bench, state: TaskState) -> Delivery:
    """A task in this state, and its last delivery."""
    delivery = await bench.running()
    way = WAYS[state]
    if way is not None:
        await bench.apply(way, fence=delivery.fence)
    return delivery


async def cause(bench: Bench, delivery: Delivery, event: TaskEvent) -> bool:
    """Let the event happen, as far as the engine allows; whether it did."""
    match event:
        case TaskEvent.LEASED:
            return await bench.leased_ids() == [delivery.fence.task_id]
        case TaskEvent.RENEWED:
            return await _renew(bench, delivery)
        case TaskEvent.LOST:
            return await _take(bench, delivery)
        case TaskEvent.CANCEL_REQUESTED:
            return _applied(await bench.write(Cancel(delivery.fence.task_id)))
        case TaskEvent.REPLAYED:
            return _applied(await bench.write(Replay(delivery.fence.task_id)))
        case _:
            return _applied(await bench.write(FENCED_WRITES[event], fence=delivery.fence, number=99))


def _applied(verdict: Verdict) -> bool:
    """Applied, or one of the two ways to say that this cannot happen now."""
    if isinstance(verdict, Refused):
        assert verdict.code == RefusalCode.INVALID_TRANSITION
        return False
    assert verdict in (APPLIED, FENCED)
    return verdict == APPLIED


async def _renew(bench: Bench, delivery: Delivery) -> bool:
    keeper = bench.store.keeper()
    try:
        (verdict,) = await asyncio.to_thread(keeper.renew, [Renewal(delivery.fence, seconds(10))])
    finally:
        keeper.close()
    return verdict is not LeaseVerdict.LOST


async def _take(bench: Bench, delivery: Delivery) -> bool:
    until = bench.clock.now() + delivery.lease
    bench.clock.advance(11)
    suspects = [suspect for suspect in await bench.store.suspects() if suspect.fence == delivery.fence]
    made_up = Suspect(delivery.fence, until, delivery.lease, expired=True)
    return len(await bench.take(*(suspects or [made_up]))) == 1
