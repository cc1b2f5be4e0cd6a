"""Groups larger than one call may move, and that nothing of groups, continuations and the like is left behind."""

from __future__ import annotations

from stem.adapters.redis.scripts import KEYS
from stem.adapters.redis.store import RedisStore
from stem.contracts.changes import Cancel, Change, OpenGroup, Publish, SealGroup, UniqueKey
from stem.contracts.control import Revocation
from stem.contracts.outcomes import Outcome
from stem.contracts.queries import TaskFilter
from stem.tasks.links import After, GroupState, Member
from stem.tasks.state import TaskState
from stem.testing.contracts import Bench, publish
from stem.testing.contracts.build import FAILURE, SUCCESS, seconds

SIZE = 1_200
YEAR = 365 * 86_400


async def _fill(bench: Bench, size: int, policy: str = "all") -> list[Publish]:
    """The members of the group `many`, published in a few changes."""
    opened = OpenGroup(group="many", size=size, policy="any" if policy == "any" else "all", result_ttl=0)
    writes = [publish(id=f"m{place}", member=Member("many", place), result_ttl=0) for place in range(size)]
    await bench.apply(opened)
    await bench.store.commit([Change(tuple(writes[at : at + 100])) for at in range(0, size, 100)])
    return writes


async def _held(bench: Bench) -> int:
    records = (await bench.store.list_tasks(TaskFilter(group="many"), limit=SIZE)).records
    return sum(record.held for record in records)


async def test_a_large_group_is_let_go_in_portions_by_the_lease_calls_after_its_seal(bench: Bench) -> None:
    await _fill(bench, SIZE)
    await bench.apply(SealGroup("many"))
    assert await _held(bench) == SIZE - 500
    assert (await bench.lease(1, queues={"none": 1})).next_due == 0
    assert await _held(bench) == SIZE - 1_000
    assert (await bench.lease(1, queues={"none": 1})).next_due is None
    assert await _held(bench) == 0


async def test_a_lease_call_comes_back_at_once_while_members_are_left(bench: Bench) -> None:
    await _fill(bench, SIZE)
    await bench.apply(SealGroup("many"))
    first = await bench.lease(2_000)
    assert (len(first.deliveries), first.next_due) == (1_000, 0)
    assert len((await bench.lease(2_000)).deliveries) == SIZE - 1_000


async def test_a_sealed_group_that_nobody_asks_for_is_let_go_by_retain(bench: Bench) -> None:
    await _fill(bench, SIZE)
    await bench.apply(SealGroup("many"))
    for _ in range(2):
        await bench.store.retain(1)
    assert await _held(bench) == 0


async def test_a_group_that_closes_while_it_is_let_go_cancels_all_that_is_left(bench: Bench) -> None:
    await _fill(bench, SIZE)
    body = await bench.put(after=After("many", "group"), queue="body")
    await bench.apply(SealGroup("many"), Cancel("m0"))
    assert await bench.state(body) is TaskState.CANCELLED
    calls = 0
    while (await bench.store.queues())[1].counts.get(TaskState.CANCELLED) != SIZE:
        assert await bench.leased_ids() == []
        await bench.store.retain(300)
        calls += 1
    assert calls <= SIZE // 300


async def test_a_group_that_nobody_sealed_is_removed_in_portions_with_its_keys(bench: Bench, store: RedisStore) -> None:
    await _fill(bench, SIZE)
    await bench.apply(publish(member=Member("many"), unique=UniqueKey("held")))
    link = publish(id="link", after=After("m1"))
    await bench.apply(link)
    bench.clock.advance(3_601)
    await bench.store.retain(500)
    assert await bench.store.group("many") is None
    assert await bench.store.members("many", limit=SIZE) == ()
    assert len(await bench.everything()) == SIZE + 2 - 500
    assert await bench.state("link") is TaskState.CANCELLED
    for _ in range(3):
        await bench.store.retain(500)
    assert list(await bench.everything()) == ["link"]
    await bench.apply(publish(unique=UniqueKey("held")))


async def test_of_groups_and_all_else_nothing_is_left_when_its_time_is_over(bench: Bench, store: RedisStore) -> None:
    await _fill(bench, 3, "any")
    await bench.apply(publish(id="body", after=After("many", "group"), queue="body"), SealGroup("many"))
    first = await bench.delivery()
    await bench.apply(SUCCESS, fence=first.fence)
    await bench.apply(FAILURE, fence=(await bench.delivery(queues={"body": 1})).fence)
    await bench.store.retain(100)
    await store.revoke([Revocation(task_id="t", version=1, expires_at=bench.clock.now() + 1)])
    await store.broadcast("channel", b"body", message_id="1")
    await store.acquire("lock", "me", seconds(1))
    await store.record_outcomes([Outcome(task_id="t", generation=0, state=TaskState.FAILED)])
    await store.put_schedule("s", b"", next_fire=None)
    await store.delete_schedule("s")
    await store.pause("default")
    await store.resume("default")
    bench.clock.advance(YEAR)
    for _ in range(3):
        await store.retain(1_000)
    await store.forget_outcomes(await store.old_outcomes(9))
    left = [
        name for name, key in zip(KEYS, store.server.keys, strict=True) if await store.server.command("EXISTS", key)
    ]
    assert left == ["numbers"]
    assert await bench.store.group("many") is None


async def test_a_record_that_was_needed_is_deleted_when_nobody_needs_it_any_more(bench: Bench) -> None:
    first = await bench.put(result_ttl=0)
    last = await bench.put(after=After(first), result_ttl=0)
    await bench.apply(SUCCESS, fence=(await bench.delivery()).fence)
    bench.clock.advance(YEAR)
    assert [await bench.store.retain(10) for _ in range(2)] == [0, 0]
    await bench.apply(Cancel(last))
    assert await bench.store.retain(10) == 1
    assert set(await bench.everything()) == {last}


async def test_a_group_says_where_it_stands_while_a_walk_goes_over_it(bench: Bench) -> None:
    await _fill(bench, SIZE)
    await bench.apply(SealGroup("many"))
    group = await bench.store.group("many")
    assert group is not None
    assert (group.state, group.size, group.filled, group.joined) == (GroupState.SEALED, SIZE, SIZE, 0)
