"""Revocations: which task ids are not to run."""

from __future__ import annotations

from stem.contracts.control import Revocation
from stem.contracts.store import Store
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import Bench, seconds

__all__ = ["RevocationContract"]


def _revocation(task_id: str, version: int, *, expires_at: int | None = None) -> Revocation:
    reason = f"reason {version}"
    return Revocation(
        task_id=task_id,
        version=version,
        terminate=version % 2 == 0,
        reason=reason,
        requested_by="ops",
        expires_at=expires_at,
    )


async def _all(store: Store) -> list[Revocation]:
    return list(await store.revocations(limit=100))


class RevocationContract(Contract):
    """The revocations of `Control`."""

    async def test_a_revocation_is_recorded_as_it_was_sent_known_task_or_not(self, bench: Bench) -> None:
        known, unknown = _revocation(await bench.put(), 1), _revocation("nobody", 2)
        assert await bench.store.revoke([known, unknown]) == (known, unknown)
        assert await _all(bench.store) == [known, unknown]

    async def test_a_revocation_is_seen_through_every_handle(self, bench: Bench, other: Store) -> None:
        revocation = _revocation("a", 1)
        await bench.store.revoke([revocation])
        assert await _all(other) == [revocation]

    async def test_a_higher_version_replaces_a_lower_one(self, bench: Bench) -> None:
        first, second = _revocation("a", 3), _revocation("a", 4)
        await bench.store.revoke([first])
        assert await bench.store.revoke([second]) == (second,)
        assert await _all(bench.store) == [second]

    async def test_a_version_that_is_not_above_is_ignored_and_the_one_that_holds_is_answered(
        self, bench: Bench
    ) -> None:
        holding = _revocation("a", 4)
        await bench.store.revoke([holding])
        same = Revocation(task_id="a", version=4, reason="another")
        assert await bench.store.revoke([_revocation("a", 3)]) == (holding,)
        assert await bench.store.revoke([same]) == (holding,)
        assert await _all(bench.store) == [holding]

    async def test_each_of_several_is_judged_by_itself(self, bench: Bench) -> None:
        await bench.store.revoke([_revocation("a", 5), _revocation("b", 1)])
        answered = await bench.store.revoke([_revocation("b", 6), _revocation("a", 2), _revocation("c", 3)])
        assert answered == (_revocation("b", 6), _revocation("a", 5), _revocation("c", 3))

    async def test_nothing_revoked_is_nothing_answered(self, bench: Bench) -> None:
        assert await bench.store.revoke([]) == ()
        assert await bench.store.revoked([]) == ()

    async def test_revocations_are_listed_by_version_and_task_id(self, bench: Bench) -> None:
        rows = [_revocation("b", 2), _revocation("a", 3), _revocation("c", 1), _revocation("a2", 2)]
        await bench.store.revoke(rows)
        assert [(row.version, row.task_id) for row in await _all(bench.store)] == [
            (1, "c"),
            (2, "a2"),
            (2, "b"),
            (3, "a"),
        ]

    async def test_going_through_all_pages_shows_every_revocation_once(self, bench: Bench) -> None:
        await bench.store.revoke([_revocation(f"task-{number:02}", number // 3) for number in range(10)])
        seen: list[Revocation] = []
        while page := await bench.store.revocations(
            limit=4, after=(seen[-1].version, seen[-1].task_id) if seen else None
        ):
            assert len(page) <= 4
            seen += page
        assert seen == await _all(bench.store)
        assert len(seen) == 10

    async def test_a_reader_sees_what_is_revoked_after_it_looked(self, bench: Bench) -> None:
        await bench.store.revoke([_revocation("a", 7)])
        later = _revocation("b", 8)
        await bench.store.revoke([later])
        assert await bench.store.revocations(limit=9, after=(7, "a")) == (later,)

    async def test_revoked_tells_of_these_ids_only(self, bench: Bench) -> None:
        await bench.store.revoke([_revocation("a", 1), _revocation("b", 2)])
        assert await bench.store.revoked(["b", "nobody"]) == (_revocation("b", 2),)

    async def test_many_ids_may_be_asked_for_revocations_at_once(self, bench: Bench) -> None:
        await bench.store.revoke([_revocation("a", 1)])
        ids = [*(f"nobody-{number}" for number in range(3_000)), "a"]
        assert await bench.store.revoked(ids) == (_revocation("a", 1),)

    async def test_a_revocation_holds_until_it_expires_by_the_stores_clock(self, bench: Bench) -> None:
        row = _revocation("a", 1, expires_at=bench.clock.now() + seconds(10))
        await bench.store.revoke([row])
        bench.clock.advance(9.9)
        assert await bench.store.revoked(["a"]) == (row,)
        bench.clock.advance(0.1)
        assert await bench.store.revoked(["a"]) == ()
        assert await _all(bench.store) == []

    async def test_retain_forgets_what_expired_and_keeps_what_does_not(self, bench: Bench) -> None:
        for_ever, soon = _revocation("a", 1), _revocation("b", 9, expires_at=bench.clock.now() + seconds(10))
        await bench.store.revoke([for_ever, soon])
        bench.clock.advance(11)
        assert await bench.store.retain(100) == 0
        assert await _all(bench.store) == [for_ever]
        anew = _revocation("b", 1)
        assert await bench.store.revoke([anew]) == (anew,)
