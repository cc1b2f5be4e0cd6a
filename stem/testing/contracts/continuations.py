"""Continuations: held until what they wait for has succeeded."""

from __future__ import annotations

import pytest

from stem.contracts.changes import (
    APPLIED,
    Bury,
    Cancel,
    Change,
    Duplicate,
    OpenGroup,
    Publish,
    RefusalCode,
    Refused,
    Release,
    UniqueKey,
    Write,
)
from stem.contracts.store import Delivery
from stem.tasks.links import After, Member
from stem.tasks.state import TaskState
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import FAILURE, SUCCESS, Bench, label, make_envelope, publish, seconds
from stem.testing.contracts.ear import Ear
from stem.testing.contracts.lineups import chain, states

__all__ = ["ContinuationContract"]


async def _apply_chain(bench: Bench, length: int) -> list[str]:
    links = chain(length)
    await bench.apply(*links)
    return [link.envelope.id for link in links]


class ContinuationContract(Contract):
    """`Publish.after`."""

    async def test_a_continuation_is_held_queued_due_never_and_given_to_no_worker(self, bench: Bench) -> None:
        first, second = await _apply_chain(bench, 2)
        record = await bench.record(second)
        assert (record.state, record.held, record.due_at) == (TaskState.QUEUED, True, None)
        assert (record.after, record.expires_at, record.lease_until) == (After(first), None, None)
        assert await bench.leased_ids(5) == [first]
        bench.clock.advance(86_400)
        answer = await bench.lease(5)
        assert (answer.deliveries, answer.next_due) == ((), None)

    async def test_the_success_of_what_it_waits_for_lets_a_continuation_go(self, bench: Bench) -> None:
        ids = await _apply_chain(bench, 2)
        bench.clock.advance(5)
        await bench.finish()
        record = await bench.record(ids[1])
        assert (record.state, record.held, record.due_at) == (TaskState.QUEUED, False, bench.clock.now())
        assert record.after == After(ids[0])
        assert await bench.leased_ids(5) == [ids[1]]

    async def test_a_continuation_is_published_byte_for_byte(self, bench: Bench) -> None:
        first = publish()
        write = Publish(envelope=publish().envelope, body=b"\x00\xff sealed", after=After(first.envelope.id))
        await bench.apply(first, write)
        await bench.finish()
        assert (await bench.delivery()).body == b"\x00\xff sealed"

    async def test_a_chain_of_3_runs_in_its_order(self, bench: Bench) -> None:
        ids = await _apply_chain(bench, 3)
        assert await bench.finish_all() == ids
        assert await states(bench, *ids) == [TaskState.SUCCEEDED] * 3

    async def test_a_chain_of_200_runs_in_its_order(self, bench: Bench) -> None:
        ids = await _apply_chain(bench, 200)
        assert await bench.finish_all() == ids

    async def test_several_continuations_of_one_task_go_together(self, bench: Bench) -> None:
        task_id = await bench.put()
        ids = [await bench.put(after=After(task_id)) for _ in range(5)]
        assert await bench.finish() == task_id
        assert await bench.leased_ids(9) == ids

    async def test_only_the_continuations_of_the_task_that_ended_go(self, bench: Bench) -> None:
        first, second = await bench.put(), await bench.put()
        after_first, after_second = [await bench.put(after=After(task_id)) for task_id in (first, second)]
        await bench.finish()
        assert not (await bench.record(after_first)).held
        assert (await bench.record(after_second)).held

    @pytest.mark.parametrize("back", [Release(), Release(seconds(1))], ids=["at once", "later"])
    async def test_what_goes_back_lets_no_continuation_go(self, bench: Bench, back: Release) -> None:
        first, second = await _apply_chain(bench, 2)
        await bench.finish(back)
        assert (await bench.record(second)).held
        bench.clock.advance(1)
        assert await bench.leased_ids(5) == [first]

    async def test_what_has_succeeded_before_the_publish_counts_at_once(self, bench: Bench) -> None:
        await bench.put()
        write = publish(after=After(await bench.finish()))
        await bench.apply(write)
        assert not (await bench.record(write.envelope.id)).held
        assert await bench.leased_ids(5) == [write.envelope.id]

    @pytest.mark.parametrize("end", [FAILURE, Bury("crashed")], ids=label)
    async def test_what_has_failed_before_the_publish_counts_at_once(self, bench: Bench, end: Write) -> None:
        await bench.put()
        upstream = await bench.finish(end)
        links = [publish(after=After(upstream))]
        links.append(publish(after=After(links[0].envelope.id)))
        await bench.apply(*links)
        assert await states(bench, *(link.envelope.id for link in links)) == [TaskState.CANCELLED] * 2

    async def test_a_continuation_published_by_the_change_that_settles_goes_at_once(self, bench: Bench) -> None:
        delivery = await bench.running()
        write = publish(after=After(_id(delivery)))
        await bench.apply(SUCCESS, write, fence=delivery.fence)
        assert await bench.leased_ids(5) == [write.envelope.id]

    async def test_what_is_neither_known_nor_published_before_is_refused_as_unknown(self, bench: Bench) -> None:
        assert await bench.refused(publish(after=After("nobody"))) == RefusalCode.UNKNOWN_ID
        assert await bench.refused(publish(after=After("nobody", "group"))) == RefusalCode.UNKNOWN_ID
        assert await bench.everything() == {}

    async def test_what_is_published_only_after_it_in_the_same_change_is_unknown(self, bench: Bench) -> None:
        first, second = chain(2)
        assert await bench.refused(second, first) == RefusalCode.UNKNOWN_ID
        assert await bench.everything() == {}

    async def test_a_task_and_a_group_are_told_apart_by_their_kind(self, bench: Bench) -> None:
        task_id = await bench.put()
        assert await bench.refused(publish(after=After(task_id, "group"))) == RefusalCode.UNKNOWN_ID

    async def test_a_message_that_waits_for_itself_is_refused(self, bench: Bench) -> None:
        own = make_envelope()
        assert await bench.refused(publish(own, after=After(own.id))) == RefusalCode.REJECTED
        await bench.apply(OpenGroup(group="g", size=1))
        member = publish(after=After("g", "group"), member=Member("g", 0))
        assert await bench.refused(member) == RefusalCode.REJECTED

    async def test_a_continuation_that_is_known_is_applied_and_changes_nothing(self, bench: Bench) -> None:
        links = chain(3)
        await bench.apply(*links)
        await bench.finish_all()
        before = await bench.everything()
        await bench.apply(*links)
        assert await bench.everything() == before

    async def test_a_settle_sent_again_lets_nobody_go_twice(self, bench: Bench) -> None:
        _, second = await _apply_chain(bench, 2)
        delivery = await bench.delivery()
        await bench.apply(SUCCESS, fence=delivery.fence)
        assert await bench.finish() == second
        await bench.apply(SUCCESS, fence=delivery.fence)
        assert await bench.leased_ids(5) == []
        assert (await bench.record(second)).deliveries == 1

    async def test_a_release_of_what_was_held_tells_of_its_queue(self, bench: Bench) -> None:
        delivery = await bench.running()
        await bench.put(queue="mail", after=After(_id(delivery)))
        with Ear(bench.store) as ear:
            await bench.apply(SUCCESS, fence=delivery.fence)
            await ear.hears_of_queue("mail")

    async def test_delay_counts_from_the_release(self, bench: Bench) -> None:
        await bench.put()
        task_id = await bench.put(after=After(next(iter(await bench.everything()))), delay=seconds(7))
        bench.clock.advance(60)
        await bench.finish()
        assert (await bench.record(task_id)).due_at == bench.clock.now() + seconds(7)
        assert (await bench.lease()).next_due == seconds(7)

    async def test_a_not_before_in_the_future_holds_after_the_release_and_one_in_the_past_does_not(
        self, bench: Bench
    ) -> None:
        first, now = await bench.put(), bench.clock.now()
        late = await bench.put(after=After(first), not_before=now + seconds(90))
        early = await bench.put(after=After(first), not_before=now + seconds(30))
        bench.clock.advance(60)
        await bench.finish()
        assert (await bench.record(late)).due_at == now + seconds(90)
        assert (await bench.record(early)).due_at == now + seconds(60)

    async def test_expires_counts_from_the_release(self, bench: Bench) -> None:
        first = await bench.put()
        await bench.put(after=After(first), expires=seconds(10))
        bench.clock.advance(3600)
        await bench.finish()
        bench.clock.advance(9)
        delivery = await bench.delivery()
        assert (delivery.expired, delivery.expires_at) == (False, bench.clock.now() + seconds(1))

    async def test_a_held_message_is_cancelled_like_any_that_waits(self, bench: Bench) -> None:
        ids = await _apply_chain(bench, 3)
        await bench.apply(Cancel(ids[1]))
        record = await bench.record(ids[1])
        assert (record.state, record.held, record.error) == (TaskState.CANCELLED, False, None)
        assert await bench.finish_all() == [ids[0]]
        assert await bench.state(ids[2]) is TaskState.CANCELLED

    async def test_a_continuation_takes_its_unique_key_when_it_is_published(self, bench: Bench) -> None:
        key, first = UniqueKey("order-7"), await bench.put()
        held = await bench.put(after=After(first), unique=key)
        assert await bench.write(publish(unique=key)) == Duplicate(held)
        assert await bench.write(publish(after=After(first), unique=key)) == Duplicate(held)
        await bench.finish_all()
        await bench.put(unique=key)

    async def test_a_continuation_that_is_cancelled_frees_its_unique_key(self, bench: Bench) -> None:
        key, first = UniqueKey("order-7"), await bench.put()
        await bench.put(after=After(first), unique=key)
        await bench.finish(FAILURE)
        await bench.put(unique=key)

    async def test_a_continuation_cancelled_as_a_duplicate_ends_what_waits_for_it(self, bench: Bench) -> None:
        key, first = UniqueKey("order-7"), publish()
        await bench.put(unique=key, queue="mail")
        double = publish(after=After(first.envelope.id), unique=key)
        last = publish(after=After(double.envelope.id))
        await bench.apply(first, double, last)
        found = await bench.store.get([double.envelope.id, last.envelope.id])
        assert [(record.state, record.error and record.error.kind) for record in found.values()] == [
            (TaskState.CANCELLED, "DuplicateTask"),
            (TaskState.CANCELLED, "UpstreamFailed"),
        ]

    async def test_a_refused_continuation_harms_no_neighbour_in_its_batch(self, bench: Bench) -> None:
        first, orphan, last = publish(), publish(after=After("nobody")), publish()
        verdicts = await bench.store.commit([Change((write,)) for write in (first, orphan, last)])
        assert [verdicts[0], type(verdicts[1]), verdicts[2]] == [APPLIED, Refused, APPLIED]
        assert set(await bench.everything()) == {first.envelope.id, last.envelope.id}

    async def test_changes_of_one_batch_take_effect_in_their_order(self, bench: Bench) -> None:
        delivery = await bench.running()
        before, later = [publish(after=After(_id(delivery))) for _ in range(2)]
        end = Change((SUCCESS,), delivery.fence)
        assert await bench.store.commit([Change((before,)), end, Change((later,)), end]) == [APPLIED] * 4
        assert await bench.leased_ids(5) == [before.envelope.id, later.envelope.id]


def _id(delivery: Delivery) -> str:
    return delivery.fence.task_id
