"""Nothing grows for ever: when everything has ended and its time is over, nothing is left."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from stem.adapters.redis.scripts import KEYS
from stem.adapters.redis.store import RedisStore
from stem.contracts.changes import Bury, Cancel, Change, Park, Release, Replay, Report, Reschedule, UniqueKey, Write
from stem.contracts.store import Delivery
from stem.tasks.status import Failure, Progress
from stem.testing.contracts import Bench, publish
from stem.testing.contracts.build import START, SUCCESS

YEAR = 365 * 86_400
ERROR = Failure("E", "m")
LIVES: Sequence[Sequence[Write]] = (
    (SUCCESS,),
    (START, Report(Progress(1, 0.5)), Reschedule(0, ERROR), START, Bury("dead", ERROR)),
    (Release(5_000_000), SUCCESS),
    (Park("unknown", "registry-1", 9_000_000), SUCCESS),
    (Park("unknown", "registry-2", 9_000_000),),
)


async def _left(store: RedisStore) -> set[str]:
    found = [key for key in store.server.keys if await store.server.command("EXISTS", key)]
    return {KEYS[store.server.keys.index(key)] for key in found}


async def _live(bench: Bench, task_id: str, life: Sequence[Write]) -> None:
    delivery: Delivery | None = None
    for number, write in enumerate(life):
        if delivery is None:
            bench.clock.advance(10)
            delivery = await bench.delivery(queues={task_id: 1}, request_id=f"{task_id}-{number}")
        await bench.apply(write, fence=delivery.fence)
        delivery = delivery if write is START or isinstance(write, Report) else None


async def test_when_everything_has_ended_only_a_number_is_left(bench: Bench, store: RedisStore) -> None:
    for number, life in enumerate(LIVES):
        name = f"task-{number}"
        await bench.put(id=name, queue=name, unique=UniqueKey(name, (None, 5_000_000)[number % 2]))
        await _live(bench, name, life)
        await bench.apply(Cancel(name))
    double, holder = publish(unique=UniqueKey("k")), publish(unique=UniqueKey("k"), delay=1_000_000)
    await bench.apply(holder)
    await bench.apply(double, publish(id="other"))
    await bench.apply(Cancel("other"))
    await bench.apply(Replay("other"))
    await bench.apply(Cancel("other"))
    await bench.apply(Cancel(holder.envelope.id))
    lost = await bench.lose(await bench.running(queue="lost"))
    await bench.apply(SUCCESS, fence=lost.fence)
    bench.clock.advance(YEAR)
    assert await store.retain(1_000) == len(LIVES) + 4
    assert await _left(store) == {"numbers"}
    assert await store.server.command("HLEN", store.server.keys[KEYS.index("numbers")]) == 1


async def test_memory_stands_still_while_tasks_come_end_and_are_deleted(bench: Bench, store: RedisStore) -> None:
    used: list[int] = []
    for _ in range(6):
        for _ in range(5):
            await store.commit([Change((publish(result_ttl=0),)) for _ in range(200)])
            given = await bench.lease(200)
            await store.commit([Change((SUCCESS,), delivery.fence) for delivery in given.deliveries])
        bench.clock.advance(61)
        assert await store.retain(5_000) == 1_000
        sizes = [await store.server.command("MEMORY USAGE", key) or 0 for key in store.server.keys]
        used.append(sum(sizes))
    assert max(used) < 1_000


@pytest.mark.parametrize("leased", [1, 2, 5])
async def test_a_call_is_in_every_index_until_its_last_lease_has_ended(
    bench: Bench, store: RedisStore, leased: int
) -> None:
    for _ in range(leased):
        await bench.put()
    *others, last = (await bench.lease(leased)).deliveries
    await store.commit([Change((SUCCESS,), each.fence) for each in others])
    assert {"answers", "leased", "renewed"} <= await _left(store)
    await bench.apply(SUCCESS, fence=last.fence)
    assert await _left(store) & {"answers", "held", "leased", "renewed"} == set()
