"""The contract suite finds engines that break a promise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from stem.adapters.memory.store import MemoryStore
from stem.contracts.changes import APPLIED, Change, Fenced, Verdict
from stem.contracts.queries import Page, TaskFilter
from stem.contracts.store import Delivery, LeaseAnswer, LeaseRequest, Listener, Subscription, Suspect, TakeRequest
from stem.ids import new_id
from stem.testing import contracts
from stem.testing.contracts import StoreContract
from tests.stem.testing.promises import Broken, assert_found, names

SUITE = StoreContract()


class AcceptsAndForgets(MemoryStore):
    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        await super().commit(changes[:-1])
        return [APPLIED] * len(changes)


class TakesAnyFence(MemoryStore):
    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        verdicts = await super().commit(changes)
        return [APPLIED if isinstance(verdict, Fenced) else verdict for verdict in verdicts]


class LeasesAnewWhenAskedAgain(MemoryStore):
    async def lease(self, request: LeaseRequest) -> LeaseAnswer:
        return await super().lease(request._replace(request_id=new_id()))


class KnowsOneQueue(MemoryStore):
    async def lease(self, request: LeaseRequest) -> LeaseAnswer:
        first = dict(list(request.queues.items())[:1])
        return await super().lease(request._replace(queues=first))


class SuspectsNobody(MemoryStore):
    async def suspects(self) -> tuple[Suspect, ...]:
        return ()


class TakesNothingTwice(MemoryStore):
    async def take(self, request: TakeRequest) -> tuple[Delivery, ...]:
        return await super().take(replace(request, request_id=new_id()))


class RepeatsTheFirstPage(MemoryStore):
    async def list_tasks(self, where: TaskFilter, *, limit: int, after: str | None = None) -> Page:
        return await super().list_tasks(where, limit=limit)


class DeletesNothing(MemoryStore):
    async def retain(self, limit: int) -> int:
        return 0


class TellsNobody(MemoryStore):
    def listen(self, listener: Listener) -> Subscription:
        return super().listen(lambda notice: None)


BROKEN: list[Broken] = [
    (AcceptsAndForgets, SUITE.test_a_publish_is_visible_when_commit_returns),
    (TakesAnyFence, SUITE.test_counter_and_nonce_must_both_match),
    (LeasesAnewWhenAskedAgain, SUITE.test_the_same_request_id_answers_the_same_deliveries_while_they_are_held),
    (KnowsOneQueue, SUITE.test_what_one_queue_cannot_fill_any_other_fills),
    (SuspectsNobody, SUITE.test_a_loss_before_the_start_counts_as_lost),
    (TakesNothingTwice, SUITE.test_the_same_request_id_answers_the_same_rescued_deliveries),
    (RepeatsTheFirstPage, lambda bench: SUITE.test_going_through_all_pages_shows_every_task_exactly_once(bench, 3)),
    (DeletesNothing, SUITE.test_an_ended_task_is_deleted_when_its_time_of_retention_is_over),
    (TellsNobody, SUITE.test_a_cancelled_task_is_told_of),
]


@pytest.mark.parametrize("case", BROKEN, ids=names(BROKEN))
async def test_an_engine_that_breaks_a_promise_fails_the_test_of_that_promise(
    case: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    await assert_found(case, monkeypatch)


def test_every_part_of_the_suite_is_in_the_whole() -> None:
    parts = [part for name, part in vars(contracts).items() if name.endswith("Contract")]
    assert parts
    assert all(issubclass(StoreContract, part) for part in parts)


def test_no_part_hides_a_test_of_another() -> None:
    found = [name for part in StoreContract.__mro__ for name in vars(part) if name.startswith("test_")]
    assert len(found) == len(set(found)) > 450
