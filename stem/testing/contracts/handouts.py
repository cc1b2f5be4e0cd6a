"""Copies: a leased message hands itself out to many queues, comes back, and ends when all of them have."""

from __future__ import annotations

from dataclasses import replace

from stem.contracts.changes import FENCED, Cancel, Change, OpenGroup, Release, Report, SealGroup, Settle, Write
from stem.contracts.store import Delivery
from stem.tasks.links import GroupState
from stem.tasks.state import TaskEvent, TaskState
from stem.tasks.status import Progress
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import SUCCESS, Bench, publish, seconds
from stem.testing.contracts.lineups import group_of, members, open_group

__all__ = ["HandoutContract"]

_MANY = 300


def _handout(opened: OpenGroup, *, delay: int) -> tuple[Write, ...]:
    """A release that leaves a copy in a queue of each worker."""
    copies = [publish(member=write.member, queue=f"worker:{n}") for n, write in enumerate(members(opened))]
    return (Release(delay), opened, *copies, SealGroup(opened.group))


async def _handed(bench: Bench, size: int) -> tuple[Delivery, OpenGroup, list[str]]:
    """A message that was handed out; its delivery, the group of the copies and their ids."""
    delivery, opened = await bench.running(), open_group(size, "settled")
    await bench.apply(*_handout(opened, delay=seconds(1)), fence=delivery.fence)
    return delivery, opened, [task for _, task in await bench.store.members(opened.group, limit=1_000)]


class HandoutContract(Contract):
    """Changes that give a message back and publish a sealed group beside it."""

    async def test_a_message_goes_back_and_leaves_its_copies_in_one_change(self, bench: Bench) -> None:
        delivery, opened, copies = await _handed(bench, 3)
        assert (await group_of(bench, opened.group)).state is GroupState.SEALED
        assert await bench.state(delivery.fence.task_id) is TaskState.QUEUED
        assert [await bench.leased_ids(5, queues={f"worker:{n}": 1}) for n in range(3)] == [[copy] for copy in copies]

    async def test_a_handout_sent_twice_leaves_its_copies_once(self, bench: Bench) -> None:
        delivery, opened = await bench.running(), open_group(2, "settled")
        change = Change(_handout(opened, delay=seconds(1)), delivery.fence)
        first, second = await bench.store.commit([change]), await bench.store.commit([change])
        assert first == second
        assert len(await bench.everything()) == 3

    async def test_who_lost_the_lease_leaves_no_copies(self, bench: Bench) -> None:
        delivery, opened = await bench.running(), open_group(2, "settled")
        await bench.lose(delivery)
        assert await bench.write(*_handout(opened, delay=0), fence=delivery.fence) == FENCED
        assert await bench.store.group(opened.group) is None
        assert list(await bench.everything()) == [delivery.fence.task_id]

    async def test_copies_for_many_workers_fit_into_one_change(self, bench: Bench) -> None:
        _, opened, copies = await _handed(bench, _MANY)
        assert ((await group_of(bench, opened.group)).filled, len(copies)) == (_MANY, _MANY)

    async def test_one_change_gives_the_message_back_and_cancels_copies(self, bench: Bench) -> None:
        delivery, opened, copies = await _handed(bench, 3)
        bench.clock.advance(1)
        again = await bench.delivery()
        assert again.fence.task_id == delivery.fence.task_id
        await bench.apply(Release(seconds(1)), Cancel(copies[0]), Cancel(copies[2]), fence=again.fence)
        assert [await bench.state(copy) for copy in copies] == [
            TaskState.CANCELLED,
            TaskState.QUEUED,
            TaskState.CANCELLED,
        ]
        assert (await group_of(bench, opened.group)).joined == 2

    async def test_the_group_is_met_when_every_copy_has_ended_and_then_the_message_ends(self, bench: Bench) -> None:
        _, opened, _ = await _handed(bench, 2)
        await bench.finish(queues={"worker:0": 1})
        assert (await group_of(bench, opened.group)).state is GroupState.SEALED
        await bench.finish(Settle(TaskEvent.CANCELLED), queues={"worker:1": 1})
        assert (await group_of(bench, opened.group)).state is GroupState.MET
        bench.clock.advance(1)
        await bench.finish()
        assert {record.state for record in (await bench.everything()).values()} == {
            TaskState.SUCCEEDED,
            TaskState.CANCELLED,
        }

    async def test_a_message_that_was_asked_to_end_while_it_was_handed_out_can_still_be_told(
        self, bench: Bench
    ) -> None:
        delivery, opened = await bench.running(), open_group(1, "settled")
        await bench.apply(Cancel(delivery.fence.task_id))
        await bench.apply(*_handout(opened, delay=0), fence=delivery.fence)
        again = await bench.delivery()
        assert again.cancel_requested
        ((_, copy),) = await bench.store.members(opened.group, limit=5)
        await bench.apply(Settle(TaskEvent.CANCELLED), Cancel(copy), fence=again.fence)
        assert await bench.state(copy) is await bench.state(delivery.fence.task_id) is TaskState.CANCELLED

    async def test_what_the_handout_reports_is_kept_as_long_as_the_message(self, bench: Bench) -> None:
        delivery, opened = await bench.running(), open_group(2, "settled")
        told = Progress(delivery.deliveries, 0.0, 2.0, "to 2 workers", "{}")
        await bench.apply(Report(told), *_handout(opened, delay=0), fence=delivery.fence)
        assert (await bench.record(delivery.fence.task_id)).progress == told
        again = await bench.delivery()
        assert (await bench.record(delivery.fence.task_id)).progress == told
        further = replace(told, sequence=again.deliveries, done=1.0)
        await bench.apply(Report(further), Release(), fence=again.fence)
        assert (await bench.record(delivery.fence.task_id)).progress == further

    async def test_nothing_of_it_is_left_when_its_time_is_over(self, bench: Bench) -> None:
        _, opened, copies = await _handed(bench, 2)
        for number in range(len(copies)):
            await bench.finish(SUCCESS, queues={f"worker:{number}": 1})
        bench.clock.advance(1)
        await bench.finish()
        bench.clock.advance(3 * 86_400)
        while await bench.store.retain(100):
            pass
        assert (await bench.everything(), await bench.store.group(opened.group)) == ({}, None)
