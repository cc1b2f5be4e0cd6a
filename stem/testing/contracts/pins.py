"""How long groups, members and upstreams are kept: as long as somebody needs them, and not for ever."""

from __future__ import annotations

import pytest

from stem.contracts.changes import Cancel, RefusalCode, Release, Replay, SealGroup, UniqueKey
from stem.contracts.retention import KEEP_OPEN_GROUP
from stem.tasks.links import After, GroupState, Member
from stem.tasks.state import TaskState
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import SECOND, SUCCESS, Bench, publish, seconds
from stem.testing.contracts.lineups import chain, fill, group_of, members, of_group, open_group

__all__ = ["PinContract"]

HOUR = KEEP_OPEN_GROUP / SECOND
DAYS = 10 * 86_400


async def _retain(bench: Bench, *, limit: int = 100) -> int:
    """Until nothing more is deleted; how many were."""
    deleted = 0
    for _ in range(20):
        deleted += await bench.store.retain(limit)
    return deleted


class PinContract(Contract):
    """What `Store.retain` keeps, and what it removes."""

    async def test_a_task_is_kept_as_long_as_a_live_message_waits_for_its_result(self, bench: Bench) -> None:
        links = chain(2, result_ttl=0)
        await bench.apply(*links)
        await bench.finish()
        bench.clock.advance(DAYS)
        assert await _retain(bench) == 0
        await bench.finish()
        assert await _retain(bench) == 1
        bench.clock.advance(61)
        assert await _retain(bench) == 1
        assert await bench.everything() == {}

    async def test_a_result_that_is_kept_for_a_live_message_is_answered(self, bench: Bench) -> None:
        links = chain(2, result_ttl=0)
        await bench.apply(*links)
        await bench.finish()
        bench.clock.advance(DAYS)
        await _retain(bench)
        upstream = links[0].envelope.id
        assert (await bench.store.results([upstream], even_expired=True))[upstream].result == b'"done"'

    async def test_awaited_is_what_a_live_message_waits_for(self, bench: Bench) -> None:
        links = chain(2)
        await bench.apply(*links)
        first, second = (link.envelope.id for link in links)
        assert await bench.store.awaited([first, second, "nobody"]) == {first}
        await bench.finish()
        assert await bench.store.awaited([first, second]) == {first}
        await bench.finish()
        assert await bench.store.awaited([first, second]) == frozenset()

    async def test_awaited_are_members_until_their_group_has_its_answer_and_nothing_continues_it(
        self, bench: Bench
    ) -> None:
        group, ids = await fill(bench, 2)
        body = await bench.put(after=of_group(group))
        assert await bench.store.awaited(ids) == set(ids)
        for _ in ids:
            await bench.finish()
        assert await bench.store.awaited([*ids, body]) == set(ids)
        await bench.finish()
        assert await bench.store.awaited(ids) == frozenset()

    async def test_a_task_goes_although_what_has_ended_waited_for_it(self, bench: Bench) -> None:
        links = chain(2, result_ttl=0)
        await bench.apply(*links)
        await bench.finish_all()
        bench.clock.advance(61)
        assert await _retain(bench) == 2

    async def test_the_replay_of_a_continuation_whose_upstream_is_gone_is_refused_as_unknown(
        self, bench: Bench
    ) -> None:
        first = await bench.put(result_ttl=0)
        second = await bench.put(after=After(first))
        await bench.apply(Cancel(first))
        bench.clock.advance(61)
        assert await _retain(bench) == 1
        assert await bench.refused(Replay(second)) == RefusalCode.UNKNOWN_ID

    async def test_members_are_kept_until_their_group_has_its_answer(self, bench: Bench) -> None:
        group, ids = await fill(bench, 2, result_ttl=0)
        assert await bench.finish() == ids[0]
        bench.clock.advance(DAYS)
        assert await _retain(bench) == 0
        await bench.finish()
        assert await _retain(bench) == 1
        bench.clock.advance(61)
        assert await _retain(bench) == 1
        assert (await group_of(bench, group)).state is GroupState.MET

    async def test_members_are_kept_as_long_as_their_group_has_a_live_continuation(self, bench: Bench) -> None:
        group, _ = await fill(bench, 2, result_ttl=0)
        body = await bench.put(after=of_group(group), result_ttl=0)
        for _ in range(2):
            await bench.finish()
        bench.clock.advance(DAYS)
        assert await _retain(bench) == 0
        assert len(await bench.store.members(group, limit=9)) == 2
        assert await bench.finish() == body
        assert await _retain(bench) == 2

    async def test_a_member_without_a_place_is_not_kept_for_its_group(self, bench: Bench) -> None:
        opened = open_group(1)
        begins = publish(member=Member(opened.group), result_ttl=0)
        await bench.apply(opened, begins, *members(opened), SealGroup(opened.group))
        assert await bench.finish() == begins.envelope.id
        bench.clock.advance(61)
        assert await _retain(bench) == 1

    async def test_a_groups_record_is_kept_like_a_result_with_its_ttl(self, bench: Bench) -> None:
        opened = open_group(0, result_ttl=seconds(1_000))
        await bench.apply(opened, SealGroup(opened.group))
        bench.clock.advance(1_999)
        await _retain(bench)
        assert await bench.store.group(opened.group) is not None
        bench.clock.advance(2)
        assert await _retain(bench) == 0
        assert await bench.store.group(opened.group) is None

    async def test_no_groups_record_goes_within_60_s_of_its_answer(self, bench: Bench) -> None:
        opened = open_group(0, result_ttl=0)
        await bench.apply(opened, SealGroup(opened.group))
        bench.clock.advance(59)
        await _retain(bench)
        assert await bench.store.group(opened.group) is not None

    async def test_a_groups_record_is_kept_as_long_as_it_has_a_live_continuation(self, bench: Bench) -> None:
        opened = open_group(0, result_ttl=0)
        body = publish(after=of_group(opened.group))
        await bench.apply(opened, body, SealGroup(opened.group))
        bench.clock.advance(DAYS)
        await _retain(bench)
        assert await bench.store.group(opened.group) is not None
        assert await bench.finish() == body.envelope.id
        await _retain(bench)
        assert await bench.store.group(opened.group) is None

    async def test_a_groups_record_is_kept_as_long_as_one_of_its_members_runs(self, bench: Bench) -> None:
        opened = open_group(2, "any", result_ttl=0)
        await bench.apply(opened, *members(opened), SealGroup(opened.group))
        first, late = (await bench.lease(2)).deliveries
        await bench.apply(SUCCESS, fence=first.fence)
        bench.clock.advance(DAYS)
        await _retain(bench)
        await bench.apply(Release(), fence=late.fence)
        assert await bench.leased_ids(9) == []
        await _retain(bench)
        assert await bench.store.group(opened.group) is None

    async def test_deleted_members_and_those_of_a_group_that_is_gone_are_not_told(self, bench: Bench) -> None:
        opened = open_group(2, "settled", result_ttl=seconds(500))
        short, long = (
            publish(member=Member(opened.group, place), result_ttl=seconds(ttl)) for place, ttl in ((0, 0), (1, 1_000))
        )
        await bench.apply(opened, short, long, SealGroup(opened.group))
        await bench.finish_all()
        bench.clock.advance(100)
        assert await _retain(bench) == 1
        assert await bench.store.members(opened.group, limit=9) == ((1, long.envelope.id),)
        assert (await group_of(bench, opened.group)).filled == 2
        bench.clock.advance(1_000)
        await _retain(bench)
        assert set(await bench.everything()) == {long.envelope.id}
        assert await bench.store.members(opened.group, limit=9) == ()

    async def test_a_sealed_group_is_never_removed_while_it_works(self, bench: Bench) -> None:
        group, ids = await fill(bench, 1, result_ttl=0)
        bench.clock.advance(DAYS)
        assert await _retain(bench) == 0
        assert (await group_of(bench, group)).state is GroupState.SEALED
        assert await bench.leased_ids() == ids

    async def test_a_group_that_was_not_sealed_within_an_hour_is_removed_with_its_members(self, bench: Bench) -> None:
        group, _ = await fill(bench, 3, seal=False)
        await bench.put(member=Member(group))
        bench.clock.advance(HOUR - 1)
        assert await _retain(bench) == 0
        assert len(await bench.everything()) == 4
        bench.clock.advance(2)
        assert await _retain(bench) == 0
        assert await bench.store.group(group) is None
        assert await bench.everything() == {}

    async def test_what_waits_for_a_group_that_is_removed_is_cancelled(self, bench: Bench) -> None:
        group, ids = await fill(bench, 2, seal=False)
        body = await bench.put(after=of_group(group))
        after = [await bench.put(after=After(body)), await bench.put(after=After(ids[0]))]
        bench.clock.advance(HOUR + 1)
        await _retain(bench)
        records = await bench.everything()
        assert set(records) == {body, *after}
        assert [record.state for record in records.values()] == [TaskState.CANCELLED] * 3
        assert {record.error.kind for record in records.values() if record.error is not None} == {"UpstreamFailed"}

    @pytest.mark.parametrize("limit", [1, 3])
    async def test_a_group_is_removed_a_bounded_number_of_members_at_once(self, bench: Bench, limit: int) -> None:
        group, _ = await fill(bench, 7, seal=False)
        bench.clock.advance(HOUR + 1)
        await bench.store.retain(limit)
        assert len(await bench.everything()) >= 7 - limit
        await _retain(bench, limit=limit)
        assert await bench.everything() == {}
        assert await bench.store.group(group) is None

    async def test_the_removal_of_a_member_frees_its_unique_key(self, bench: Bench) -> None:
        opened = open_group(1)
        await bench.apply(opened, publish(member=Member(opened.group, 0), unique=UniqueKey("k")))
        bench.clock.advance(HOUR + 1)
        await _retain(bench)
        await bench.put(unique=UniqueKey("k"))

    async def test_a_group_that_is_gone_is_unknown(self, bench: Bench) -> None:
        group, _ = await fill(bench, 1, seal=False)
        bench.clock.advance(HOUR + 1)
        await _retain(bench)
        assert await bench.refused(SealGroup(group)) == RefusalCode.UNKNOWN_ID
