"""Batches: the same changes mean the same, together and one by one."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from stem.contracts.changes import (
    Bury,
    Cancel,
    Change,
    Fence,
    Park,
    Release,
    Replay,
    Report,
    Reschedule,
    Settle,
    UniqueKey,
    Verdict,
    Write,
)
from stem.tasks.state import TaskEvent
from stem.tasks.status import Failure, Progress
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import START, SUCCESS, Bench, publish, seconds

__all__ = ["BatchContract"]

TOGETHER, ONE_BY_ONE = "together", "separate"  # of one length, so that one can stand for the other
MOST_TASKS = 6
ENDS: Sequence[Write] = (
    SUCCESS,
    Settle(TaskEvent.FAILED, error=Failure("E", "m")),
    Settle(TaskEvent.CANCELLED),
    Reschedule(0, Failure("E", "again")),
    Release(),
    Bury("crashed", Failure("E", "dead")),
    Park("unknown task", "registry-9", seconds(30)),
)


class BatchContract(Contract):
    """The sentence of `Store.commit` about batches."""

    @pytest.mark.parametrize("seed", range(25))
    async def test_a_batch_means_the_same_as_its_changes_one_by_one(self, bench: Bench, seed: int) -> None:
        fences: dict[str, list[Fence]] = {TOGETHER: [], ONE_BY_ONE: []}
        for number in range(4):
            for side, known in fences.items():
                answer = await bench.lease(4, queues={side: 1}, request_id=f"{side}-{number}")
                known += [delivery.fence for delivery in answer.deliveries]
            told = await bench.store.commit(_changes(seed, number, TOGETHER, fences[TOGETHER]))
            singles: list[Verdict] = []
            for change in _changes(seed, number, ONE_BY_ONE, fences[ONE_BY_ONE]):
                singles += await bench.store.commit([change])
            assert [_common(verdict) for verdict in told] == [_common(verdict) for verdict in singles]
            await _assert_alike(bench)
            bench.clock.advance(2)


async def _assert_alike(bench: Bench) -> None:
    records = (await bench.everything()).values()
    sides = [sorted(_common(record) for record in records if record.queue == side) for side in (TOGETHER, ONE_BY_ONE)]
    assert sides[0] == sides[1]


def _common(value: object) -> str:
    """The text of a value, without which side it is of."""
    return repr(value).replace(ONE_BY_ONE, TOGETHER)


def _changes(seed: int, number: int, side: str, fences: Sequence[Fence]) -> list[Change]:
    """Changes by chance, the same for both sides."""
    chance = random.Random(f"{seed}-{number}")  # noqa: S311  # a test's chance is seeded
    return [_change(chance, side, fences) for _ in range(chance.randint(1, 12))]


def _change(chance: random.Random, side: str, fences: Sequence[Fence]) -> Change:
    kind = chance.random()
    if kind < 0.4 or not fences:
        return Change(tuple(_publish(chance, side) for _ in range(chance.choice((1, 1, 1, 2)))))
    if kind < 0.6:
        task_id = f"{side}-{chance.randrange(MOST_TASKS)}"
        return Change((chance.choice((Cancel(task_id), Cancel(task_id, terminate=True), Replay(task_id))),))
    fence = chance.choice(fences[-6:])
    return Change(_fenced(chance, side), fence, chance.choice((1, 1, 2)))


def _fenced(chance: random.Random, side: str) -> tuple[Write, ...]:
    kind = chance.random()
    if kind < 0.2:
        return (START,)
    if kind < 0.4:
        return (Report(Progress(chance.randint(1, 5), chance.random())),)
    end = chance.choice(ENDS)
    return (end, _publish(chance, side)) if kind < 0.6 else (end,)


def _publish(chance: random.Random, side: str) -> Write:
    number, key = chance.randrange(MOST_TASKS), chance.choice((None, None, "k1", "k2"))
    lifetime = chance.choice((None, seconds(3)))
    unique = None if key is None else UniqueKey(f"{side}-{key}", lifetime)
    delay = chance.choice((0, 0, seconds(3)))
    return publish(id=f"{side}-{number}", queue=side, unique=unique, delay=delay, priority=number % 3)
