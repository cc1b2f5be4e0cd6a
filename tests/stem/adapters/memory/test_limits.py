"""What stands aside when names begin or end to share an allowance."""

from __future__ import annotations

from stem.adapters.memory import MemoryStore
from stem.testing import ManualClock
from stem.testing.contracts import Bench
from stem.testing.contracts.allowances import allow, limit


async def test_a_name_without_a_limit_does_not_wait_for_one_that_shared_its_allowance() -> None:
    clock = ManualClock()
    bench = Bench(MemoryStore(clock), clock)
    await bench.store.declare_limits([limit(None, 1, name="old", shared="new"), limit(None, 1, name="new")])
    await bench.running(name="new")
    await bench.put(name="new", priority=9)
    task_id = await bench.put(name="old")
    assert await bench.leased_ids(5) == []
    await allow(bench, name="old")
    assert await bench.leased_ids(5) == [task_id]
