"""When a message that is held, or never stood in line, expires."""

from __future__ import annotations

import pytest

from stem.contracts.changes import Cancel, Replay, UniqueKey
from stem.tasks.links import After
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import FAILURE, Bench, publish, seconds

__all__ = ["ExpiryContract"]

KEY = UniqueKey("order-7")


async def _held(bench: Bench) -> tuple[str, str]:
    """A task, and a continuation of it that expires."""
    first = await bench.put()
    return first, await bench.put(after=After(first), expires=seconds(10))


class ExpiryContract(Contract):
    """`TaskRecord.expires_at` of what has links, and of duplicates."""

    async def test_a_continuation_that_was_cancelled_while_it_was_held_never_had_a_time_to_expire(
        self, bench: Bench
    ) -> None:
        _, second = await _held(bench)
        await bench.apply(Cancel(second))
        assert (await bench.record(second)).expires_at is None

    async def test_a_continuation_of_what_failed_never_had_a_time_to_expire(self, bench: Bench) -> None:
        first, second = await _held(bench)
        await bench.finish(FAILURE)
        late = await bench.put(after=After(first), expires=seconds(10))
        assert [(await bench.record(task)).expires_at for task in (second, late)] == [None, None]

    async def test_a_continuation_replayed_after_its_upstream_succeeded_expires_counted_from_its_replay(
        self, bench: Bench
    ) -> None:
        first, second = await _held(bench)
        await bench.finish(FAILURE)
        await bench.apply(Replay(first))
        await bench.finish()
        bench.clock.advance(60)
        await bench.apply(Replay(second))
        assert (await bench.record(second)).expires_at == bench.clock.now() + seconds(10)

    async def test_a_continuation_that_a_replay_holds_again_has_no_time_to_expire_until_its_release(
        self, bench: Bench
    ) -> None:
        first, second = await _held(bench)
        await bench.finish(FAILURE)
        await bench.apply(Replay(first), Replay(second))
        assert (await bench.record(second)).expires_at is None
        bench.clock.advance(60)
        await bench.finish()
        assert (await bench.record(second)).expires_at == bench.clock.now() + seconds(10)

    @pytest.mark.parametrize("linked", [False, True])
    async def test_a_duplicate_that_is_replayed_expires_counted_from_its_replay(
        self, bench: Bench, linked: bool
    ) -> None:
        first = await bench.put(unique=KEY)
        duplicate = publish(unique=KEY, after=After(first) if linked else None, expires=seconds(10))
        await bench.apply(duplicate, publish(queue="other"))
        await bench.finish()
        bench.clock.advance(60)
        await bench.apply(Replay(duplicate.envelope.id))
        assert (await bench.record(duplicate.envelope.id)).expires_at == bench.clock.now() + seconds(10)

    @pytest.mark.parametrize("linked", [False, True])
    async def test_a_duplicate_has_a_time_to_expire_unless_it_is_a_continuation(
        self, bench: Bench, linked: bool
    ) -> None:
        holder = await bench.put(unique=KEY)
        duplicate = publish(unique=KEY, after=After(holder) if linked else None, expires=seconds(10))
        await bench.apply(duplicate, publish())
        expected = None if linked else bench.clock.now() + seconds(10)
        assert (await bench.record(duplicate.envelope.id)).expires_at == expected
