"""Locks: one owner at a time, for a time, with a fence that only grows."""

from __future__ import annotations

import asyncio

from stem.contracts.locks import Lock
from stem.contracts.store import Store
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import Bench, seconds

__all__ = ["LockContract"]

TEN = seconds(10)


async def _acquire(bench: Bench, owner: str, key: str = "beat") -> Lock:
    lock = await bench.store.acquire(key, owner, TEN)
    assert lock is not None
    return lock


class LockContract(Contract):
    """`Locks`."""

    async def test_a_lock_says_its_key_its_owner_its_fence_and_its_end(self, bench: Bench) -> None:
        lock = await _acquire(bench, "a")
        assert lock == Lock(key="beat", owner="a", fence=lock.fence, until=bench.clock.now() + TEN)
        assert await bench.store.lock("beat") == lock

    async def test_a_second_owner_gets_nothing_while_a_lock_is_held(self, bench: Bench) -> None:
        lock = await _acquire(bench, "a")
        assert await bench.store.acquire("beat", "b", TEN) is None
        assert await bench.store.lock("beat") == lock

    async def test_a_lock_is_seen_through_every_handle(self, bench: Bench, other: Store) -> None:
        lock = await _acquire(bench, "a")
        assert await other.acquire("beat", "b", TEN) is None
        assert await other.lock("beat") == lock

    async def test_locks_of_different_keys_do_not_touch(self, bench: Bench) -> None:
        await _acquire(bench, "a", "one")
        assert (await _acquire(bench, "b", "two")).owner == "b"

    async def test_asked_again_by_its_holder_it_is_the_same_lock_held_from_now(self, bench: Bench) -> None:
        first = await _acquire(bench, "a")
        bench.clock.advance(4)
        again = await _acquire(bench, "a")
        assert (again.fence, again.until) == (first.fence, bench.clock.now() + TEN)

    async def test_a_lock_whose_time_is_over_is_free(self, bench: Bench) -> None:
        first = await _acquire(bench, "a")
        bench.clock.advance(9.9)
        assert await bench.store.acquire("beat", "b", TEN) is None
        bench.clock.advance(0.1)
        assert await bench.store.lock("beat") is None
        assert (await _acquire(bench, "b")).fence > first.fence

    async def test_a_fence_is_higher_than_that_of_every_holder_before(self, bench: Bench) -> None:
        fences: list[int] = []
        for owner in ("a", "b", "a", "a"):
            fences.append((await _acquire(bench, owner)).fence)
            assert await bench.store.release_lock("beat", owner)
        assert fences == sorted(set(fences))

    async def test_a_fence_grows_after_an_expiry_of_the_same_owner(self, bench: Bench) -> None:
        first = await _acquire(bench, "a")
        bench.clock.advance(10)
        assert (await _acquire(bench, "a")).fence > first.fence

    async def test_a_fence_grows_over_what_retain_forgets(self, bench: Bench) -> None:
        first = await _acquire(bench, "a")
        bench.clock.advance(365 * 86_400)
        await bench.store.retain(100)
        assert (await _acquire(bench, "b")).fence > first.fence

    async def test_a_renewed_lock_is_held_from_now(self, bench: Bench) -> None:
        first = await _acquire(bench, "a")
        bench.clock.advance(9)
        renewed = await bench.store.renew_lock("beat", "a", TEN)
        assert renewed == Lock(key="beat", owner="a", fence=first.fence, until=bench.clock.now() + TEN)
        bench.clock.advance(9)
        assert await bench.store.acquire("beat", "b", TEN) is None

    async def test_a_lock_of_another_is_not_renewed(self, bench: Bench) -> None:
        lock = await _acquire(bench, "a")
        bench.clock.advance(1)
        assert await bench.store.renew_lock("beat", "b", TEN) is None
        assert await bench.store.renew_lock("nothing", "a", TEN) is None
        assert await bench.store.lock("beat") == lock

    async def test_a_lock_whose_time_was_over_is_not_renewed(self, bench: Bench) -> None:
        await _acquire(bench, "a")
        bench.clock.advance(10)
        assert await bench.store.renew_lock("beat", "a", TEN) is None
        assert await bench.store.lock("beat") is None

    async def test_a_released_lock_is_free(self, bench: Bench) -> None:
        await _acquire(bench, "a")
        assert await bench.store.release_lock("beat", "a")
        assert await bench.store.lock("beat") is None
        assert not await bench.store.release_lock("beat", "a")
        assert (await _acquire(bench, "b")).owner == "b"

    async def test_a_lock_of_another_is_not_released(self, bench: Bench) -> None:
        lock = await _acquire(bench, "a")
        assert not await bench.store.release_lock("beat", "b")
        assert not await bench.store.release_lock("nothing", "a")
        assert await bench.store.lock("beat") == lock

    async def test_a_lock_whose_time_was_over_is_not_this_owners_to_release(self, bench: Bench) -> None:
        await _acquire(bench, "a")
        bench.clock.advance(10)
        assert not await bench.store.release_lock("beat", "a")

    async def test_of_many_owners_at_the_same_time_one_gets_the_lock(self, bench: Bench) -> None:
        given = await asyncio.gather(*(bench.store.acquire("beat", f"owner-{n}", TEN) for n in range(20)))
        (winner,) = [lock for lock in given if lock is not None]
        assert await bench.store.lock("beat") == winner

    async def test_of_owners_at_two_handles_one_gets_the_lock(self, bench: Bench, other: Store) -> None:
        stores = (bench.store, other) * 10
        given = await asyncio.gather(*(store.acquire("beat", f"owner-{n}", TEN) for n, store in enumerate(stores)))
        assert sum(lock is not None for lock in given) == 1
