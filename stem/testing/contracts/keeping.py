"""How long records are kept by the state they ended in, where whoever opened the store chose it."""

from __future__ import annotations

import pytest

from stem.clock import Micros
from stem.contracts.changes import Bury, Cancel, Discard, Settle, Write
from stem.contracts.retention import Retention
from stem.tasks.state import TaskEvent
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import FAILURE, SECOND, SUCCESS, Bench, label, seconds

__all__ = ["KeepingContract"]

CHOSEN = Retention(
    succeeded=seconds(100), failed=seconds(200), cancelled=seconds(300), expired=seconds(400), dead=seconds(500)
)
ENDS: list[tuple[Write, Micros]] = [
    (SUCCESS, seconds(100)),
    (FAILURE, seconds(200)),
    (Settle(TaskEvent.CANCELLED), seconds(300)),
    (Settle(TaskEvent.EXPIRED), seconds(400)),
    (Bury("crashed"), seconds(500)),
]
chosen = pytest.mark.parametrize("retention", [CHOSEN], ids=["chosen"])


async def _is_kept_for(bench: Bench, kept: Micros) -> None:
    """The one record is kept so long from now, and no longer."""
    bench.clock.advance(kept / SECOND - 1)
    assert await bench.store.retain(10) == 0
    bench.clock.advance(2)
    assert await bench.store.retain(10) == 1
    assert await bench.everything() == {}


class KeepingContract(Contract):
    """`StoreOptions.retention`."""

    @chosen
    @pytest.mark.parametrize(("end", "kept"), ENDS, ids=[label(end) for end, _ in ENDS])
    async def test_a_record_is_kept_as_long_as_was_chosen_for_its_state(
        self, bench: Bench, end: Write, kept: Micros
    ) -> None:
        await bench.put(result_ttl=seconds(9_000))
        await bench.finish(end)
        await _is_kept_for(bench, kept)

    @chosen
    async def test_a_cancelled_record_is_kept_as_long_as_was_chosen_for_it(self, bench: Bench) -> None:
        await bench.apply(Cancel(await bench.put()))
        await _is_kept_for(bench, seconds(300))

    @chosen
    async def test_a_discarded_one_is_kept_as_long_as_was_chosen_for_a_failed_one(self, bench: Bench) -> None:
        await bench.put()
        task_id = await bench.finish(Bury("crashed"))
        bench.clock.advance(50)
        await bench.apply(Discard(task_id))
        await _is_kept_for(bench, seconds(200))

    @pytest.mark.parametrize("retention", [Retention(succeeded=0)], ids=["nothing"])
    async def test_less_than_60_s_cannot_be_chosen(self, bench: Bench) -> None:
        await bench.put()
        await bench.finish()
        await _is_kept_for(bench, seconds(60))

    @pytest.mark.parametrize("retention", [Retention(failed=seconds(100))], ids=["failed only"])
    async def test_where_nothing_was_chosen_it_is_twice_the_result_ttl(self, bench: Bench) -> None:
        await bench.put(result_ttl=seconds(1_000))
        await bench.finish()
        await _is_kept_for(bench, seconds(2_000))

    @pytest.mark.parametrize("retention", [Retention(dead=seconds(100))], ids=["dead only"])
    async def test_a_dead_letter_is_kept_no_shorter_than_a_failed_one(self, bench: Bench) -> None:
        await bench.put(result_ttl=seconds(1_000))
        await bench.finish(Bury("crashed"))
        await _is_kept_for(bench, seconds(2_000))
