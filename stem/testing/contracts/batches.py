"""Batches: the same changes mean the same, together and one by one."""

from __future__ import annotations

import pytest

from stem.contracts.changes import Fence, Verdict
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import Bench
from stem.testing.contracts.dice import GROUPS, Dice

__all__ = ["BatchContract", "LinkedBatchContract"]

TOGETHER, ONE_BY_ONE = "together", "separate"  # of one length, so that one can stand for the other


class BatchContract(Contract):
    """The sentence of `Store.commit` about batches."""

    @pytest.mark.parametrize("seed", range(25))
    async def test_a_batch_means_the_same_as_its_changes_one_by_one(self, bench: Bench, seed: int) -> None:
        await _assert_the_same(bench, seed, linked=False)


class LinkedBatchContract(Contract):
    """The same sentence, for groups and continuations."""

    @pytest.mark.parametrize("seed", range(40))
    async def test_a_batch_of_groups_and_continuations_means_the_same_as_its_changes_one_by_one(
        self, bench: Bench, seed: int
    ) -> None:
        await _assert_the_same(bench, seed, linked=True)


async def _assert_the_same(bench: Bench, seed: int, *, linked: bool) -> None:
    fences: dict[str, list[Fence]] = {TOGETHER: [], ONE_BY_ONE: []}
    for number in range(4):
        for side, known in fences.items():
            answer = await bench.lease(4, queues={side: 1}, request_id=f"{side}-{number}")
            known += [delivery.fence for delivery in answer.deliveries]
        batch, single = [Dice(f"{seed}-{number}", side, linked=linked).changes(known) for side, known in fences.items()]
        told = await bench.store.commit(batch)
        singles: list[Verdict] = []
        for change in single:
            singles += await bench.store.commit([change])
        assert [_common(verdict) for verdict in told] == [_common(verdict) for verdict in singles]
        sides = [await _side(bench, side, linked=linked) for side in (TOGETHER, ONE_BY_ONE)]
        assert sides[0] == sides[1]
        bench.clock.advance(2)


async def _side(bench: Bench, side: str, *, linked: bool) -> list[str]:
    """All records and groups of one side."""
    records = [record for record in (await bench.everything()).values() if record.queue == side]
    groups = [await bench.store.group(f"{side}-group-{number}") for number in range(len(GROUPS))] if linked else []
    return [*sorted(map(_common, records)), *map(_common, groups)]


def _common(value: object) -> str:
    """The text of a value, without which side it is of."""
    return repr(value).replace(ONE_BY_ONE, TOGETHER)
