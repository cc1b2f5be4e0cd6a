"""Outcomes: the first one that is recorded stands."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from stem.contracts.outcomes import OLD_AGAIN, Outcome
from stem.contracts.store import Store
from stem.tasks.state import TaskState
from stem.tasks.status import Failure
from stem.testing.contracts.base import Contract
from stem.testing.contracts.build import SECOND, Bench, seconds

__all__ = ["OutcomeContract"]

TTL = seconds(100)
DAYS = 10 * 86_400
GOOD = Outcome(
    task_id="a",
    generation=0,
    state=TaskState.SUCCEEDED,
    result=b'"done"',
    result_ttl=TTL,
    by="worker-1 call-1",
    follow_ups='["x","\\u0000"]',
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


async def _old(ledger: Bench, limit: int = 10) -> list[str]:
    await ledger.store.retain(10)
    return list(await ledger.store.old_outcomes(limit))


async def _record(ledger: Bench, outcome: Outcome) -> Outcome:
    (standing,) = await ledger.store.record_outcomes([outcome])
    return standing


class OutcomeContract(Contract):
    """`Outcomes`."""

    @pytest.fixture
    def ledger(self, bench: Bench) -> Bench:
        """The bench; skips the test, visibly, for a store that keeps no results of others."""
        if not bench.store.capabilities.outcomes:
            pytest.skip("this store keeps no outcomes for another one (Capabilities.outcomes)")
        return bench

    async def test_an_outcome_is_recorded_as_it_was_sent_and_says_until_when_its_result_can_be_read(
        self, ledger: Bench
    ) -> None:
        until = ledger.clock.now() + TTL
        for number, sent in enumerate((GOOD, BAD)):
            outcome = replace(sent, task_id=f"task-{number}")
            assert await _record(ledger, outcome) == replace(outcome, result_until=until)
            assert await ledger.store.outcomes([outcome.task_id]) == {
                outcome.task_id: replace(outcome, result_until=until)
            }

    async def test_the_first_outcome_stands_for_ever(self, ledger: Bench) -> None:
        first = await _record(ledger, GOOD)
        ledger.clock.advance(1)
        assert await _record(ledger, BAD) == first
        assert await ledger.store.outcomes(["a"]) == {"a": first}

    async def test_recorded_again_it_is_answered_as_it_was(self, ledger: Bench) -> None:
        first = await _record(ledger, BAD)
        ledger.clock.advance(5)
        assert await _record(ledger, BAD) == first

    async def test_of_two_in_one_call_the_first_stands(self, ledger: Bench) -> None:
        first, second = await ledger.store.record_outcomes([GOOD, BAD])
        assert first == second == replace(GOOD, result_until=ledger.clock.now() + TTL)

    async def test_of_many_at_the_same_time_one_stands(self, ledger: Bench) -> None:
        sent = [replace(GOOD, by=f"worker-{number}") for number in range(20)]
        standing = await asyncio.gather(*(_record(ledger, outcome) for outcome in sent))
        assert len({outcome.by for outcome in standing}) == 1

    async def test_of_those_of_two_handles_one_stands(self, ledger: Bench, other: Store) -> None:
        ours, theirs = await asyncio.gather(
            ledger.store.record_outcomes([GOOD]), other.record_outcomes([replace(GOOD, by="another")])
        )
        assert ours == theirs

    async def test_each_generation_has_its_own_outcome_and_the_latest_is_told(self, ledger: Bench) -> None:
        second = await _record(ledger, replace(GOOD, generation=1))
        first = await _record(ledger, BAD)
        assert (first.state, second.state) == (TaskState.FAILED, TaskState.SUCCEEDED)
        assert await ledger.store.outcomes(["a"]) == {"a": second}

    async def test_an_id_without_an_outcome_is_left_out(self, ledger: Bench) -> None:
        await _record(ledger, GOOD)
        assert set(await ledger.store.outcomes(["nobody", "a"])) == {"a"}
        assert await ledger.store.outcomes([]) == {}
        assert await ledger.store.record_outcomes([]) == []

    async def test_many_ids_may_be_asked_for_outcomes_at_once(self, ledger: Bench) -> None:
        await _record(ledger, GOOD)
        assert set(await ledger.store.outcomes([*(f"nobody-{number}" for number in range(3_000)), "a"])) == {"a"}

    async def test_an_outcome_is_kept_for_twice_its_result_ttl_and_is_old_then(self, ledger: Bench) -> None:
        recorded = await _record(ledger, GOOD)
        ledger.clock.advance(199)
        assert await _old(ledger) == []
        await ledger.store.forget_outcomes(["a"])
        assert await ledger.store.outcomes(["a"]) == {"a": recorded}
        ledger.clock.advance(2)
        assert await _old(ledger) == ["a"]

    async def test_an_old_outcome_stays_until_it_is_forgotten(self, ledger: Bench) -> None:
        for task_id in "ab":
            await _record(ledger, replace(GOOD, task_id=task_id))
        ledger.clock.advance(DAYS)
        assert sorted(await _old(ledger)) == ["a", "b"]
        await ledger.store.forget_outcomes(["a", "nobody"])
        assert set(await ledger.store.outcomes(["a", "b"])) == {"b"}
        assert await _old(ledger) == ["b"]

    async def test_an_old_outcome_that_is_needed_stays_and_is_old_again_later(self, ledger: Bench) -> None:
        recorded = await _record(ledger, GOOD)
        ledger.clock.advance(DAYS)
        assert await _old(ledger) == ["a"]
        await ledger.store.forget_outcomes(["a"], needed={"a"})
        assert await _old(ledger) == []
        assert await ledger.store.outcomes(["a"]) == {"a": recorded}
        ledger.clock.advance(OLD_AGAIN / SECOND)
        assert await _old(ledger) == ["a"]
        await ledger.store.forget_outcomes(["a"])
        assert await ledger.store.outcomes(["a"]) == {}

    async def test_of_a_task_only_the_generations_that_are_old_are_forgotten(self, ledger: Bench) -> None:
        await _record(ledger, GOOD)
        ledger.clock.advance(150)
        second = await _record(ledger, replace(GOOD, generation=1))
        ledger.clock.advance(51)
        assert await _old(ledger) == ["a"]
        await ledger.store.forget_outcomes(["a"])
        assert await ledger.store.outcomes(["a"]) == {"a": second}
        assert await _record(ledger, BAD) == replace(BAD, result_until=ledger.clock.now() + TTL)

    async def test_so_many_old_outcomes_are_told_at_once(self, ledger: Bench) -> None:
        for task_id in "abc":
            await _record(ledger, replace(GOOD, task_id=task_id))
        ledger.clock.advance(DAYS)
        assert len(await _old(ledger, limit=2)) == 2

    async def test_an_outcome_is_no_task(self, ledger: Bench) -> None:
        await _record(ledger, GOOD)
        assert await ledger.everything() == {}
        assert await ledger.store.results(["a"]) == {}
        assert tuple(await ledger.store.queues()) == ()

    async def test_in_the_place_of_a_result_that_is_too_large_stands_a_failure(self, ledger: Bench) -> None:
        large = replace(GOOD, result=b"x" * (ledger.store.capabilities.max_value + 1))
        small = replace(GOOD, task_id="b")
        refused, taken = await ledger.store.record_outcomes([large, small])
        assert (refused.state, refused.result) == (TaskState.FAILED, None)
        assert refused.error is not None
        assert refused.error.kind == "ResultRefused"
        assert taken.result == b'"done"'
        assert (await ledger.store.outcomes(["a"]))["a"] == refused

    async def test_an_empty_result_of_an_outcome_is_a_result(self, ledger: Bench) -> None:
        assert (await _record(ledger, replace(GOOD, result=b""))).result == b""
