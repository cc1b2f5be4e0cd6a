"""Outcomes: the first one that is recorded stands."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from stem.contracts.outcomes import Outcome
from stem.contracts.store import Store
from stem.tasks.state import TaskState
from stem.tasks.status import Failure
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import Bench, seconds

__all__ = ["OutcomeContract"]

TTL = seconds(100)
GOOD = Outcome(
    task_id="a", generation=0, state=TaskState.SUCCEEDED, result=b'"done"', result_ttl=TTL, by="worker-1 call-1"
)
BAD = Outcome(
    task_id="a",
    generation=0,
    state=TaskState.FAILED,
    error=Failure("ValueError", "no", "Traceback ...", "STEM-E041"),
    bury_reason="crashed",
    result_ttl=TTL,
    by="worker-2 call-9",
)


async def _record(bench: Bench, outcome: Outcome) -> Outcome:
    (standing,) = await bench.store.record_outcomes([outcome])
    return standing


class OutcomeContract(Contract):
    """`Outcomes`."""

    async def test_an_outcome_is_recorded_as_it_was_sent_and_says_until_when_its_result_can_be_read(
        self, bench: Bench
    ) -> None:
        until = bench.clock.now() + TTL
        for number, sent in enumerate((GOOD, BAD)):
            outcome = replace(sent, task_id=f"task-{number}")
            assert await _record(bench, outcome) == replace(outcome, result_until=until)
            assert await bench.store.outcomes([outcome.task_id]) == {
                outcome.task_id: replace(outcome, result_until=until)
            }

    async def test_the_first_outcome_stands_for_ever(self, bench: Bench) -> None:
        first = await _record(bench, GOOD)
        bench.clock.advance(1)
        assert await _record(bench, BAD) == first
        assert await bench.store.outcomes(["a"]) == {"a": first}

    async def test_recorded_again_it_is_answered_as_it_was(self, bench: Bench) -> None:
        first = await _record(bench, BAD)
        bench.clock.advance(5)
        assert await _record(bench, BAD) == first

    async def test_of_two_in_one_call_the_first_stands(self, bench: Bench) -> None:
        first, second = await bench.store.record_outcomes([GOOD, BAD])
        assert first == second == replace(GOOD, result_until=bench.clock.now() + TTL)

    async def test_of_many_at_the_same_time_one_stands(self, bench: Bench) -> None:
        sent = [replace(GOOD, by=f"worker-{number}") for number in range(20)]
        standing = await asyncio.gather(*(_record(bench, outcome) for outcome in sent))
        assert len({outcome.by for outcome in standing}) == 1

    async def test_of_those_of_two_handles_one_stands(self, bench: Bench, other: Store) -> None:
        ours, theirs = await asyncio.gather(
            bench.store.record_outcomes([GOOD]), other.record_outcomes([replace(GOOD, by="another")])
        )
        assert ours == theirs

    async def test_each_generation_has_its_own_outcome_and_the_latest_is_told(self, bench: Bench) -> None:
        second = await _record(bench, replace(GOOD, generation=1))
        first = await _record(bench, BAD)
        assert (first.state, second.state) == (TaskState.FAILED, TaskState.SUCCEEDED)
        assert await bench.store.outcomes(["a"]) == {"a": second}

    async def test_an_id_without_an_outcome_is_left_out(self, bench: Bench) -> None:
        await _record(bench, GOOD)
        assert set(await bench.store.outcomes(["nobody", "a"])) == {"a"}
        assert await bench.store.outcomes([]) == {}
        assert await bench.store.record_outcomes([]) == []

    async def test_many_ids_may_be_asked_for_outcomes_at_once(self, bench: Bench) -> None:
        await _record(bench, GOOD)
        assert set(await bench.store.outcomes([*(f"nobody-{number}" for number in range(3_000)), "a"])) == {"a"}

    async def test_an_outcome_is_kept_for_twice_its_result_ttl_and_then_forgotten_by_retain(self, bench: Bench) -> None:
        recorded = await _record(bench, GOOD)
        bench.clock.advance(199)
        assert await bench.store.retain(10) == 0
        assert await bench.store.outcomes(["a"]) == {"a": recorded}
        bench.clock.advance(2)
        await bench.store.retain(10)
        assert await bench.store.outcomes(["a"]) == {}

    async def test_an_outcome_is_no_task(self, bench: Bench) -> None:
        await _record(bench, GOOD)
        assert await bench.everything() == {}
        assert await bench.store.results(["a"]) == {}
        assert tuple(await bench.store.queues()) == ()

    async def test_in_the_place_of_a_result_that_is_too_large_stands_a_failure(self, bench: Bench) -> None:
        large = replace(GOOD, result=b"x" * (bench.store.capabilities.max_value + 1))
        small = replace(GOOD, task_id="b")
        refused, taken = await bench.store.record_outcomes([large, small])
        assert (refused.state, refused.result) == (TaskState.FAILED, None)
        assert refused.error is not None
        assert refused.error.kind == "ResultRefused"
        assert taken.result == b'"done"'
        assert (await bench.store.outcomes(["a"]))["a"] == refused

    async def test_an_empty_result_of_an_outcome_is_a_result(self, bench: Bench) -> None:
        assert (await _record(bench, replace(GOOD, result=b""))).result == b""
