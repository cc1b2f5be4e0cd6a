"""Whether a worker lives and consumes."""

from __future__ import annotations

import asyncio

import pytest

from stem.contracts.store import LeaseAnswer
from stem.testing import ManualClock
from stem.worker.health import QUIET, judge
from stem.worker.worker import Worker
from tests.stem.worker import tasks
from tests.stem.worker.support import Workshop, turns


def ready(quiet: int | None, *, full: bool = False, stopping: bool = False, failed: bool = False) -> tuple[bool, bool]:
    health = judge(quiet=quiet, full=full, stopping=stopping, failed=failed)
    assert bool(health.reasons) is not (health.live and health.ready)
    return health.live, health.ready


def test_a_worker_whose_store_answered_just_now_is_ready() -> None:
    assert ready(0) == (True, True)
    assert ready(QUIET) == (True, True)


@pytest.mark.parametrize("quiet", [None, QUIET + 1])
def test_one_that_got_no_answer_for_long_is_not_ready(quiet: int | None) -> None:
    assert ready(quiet) == (True, False)


def test_one_without_a_free_slot_has_no_reason_to_ask() -> None:
    assert ready(QUIET + 1, full=True) == (True, True)


def test_one_that_stops_is_not_ready_and_lives() -> None:
    assert ready(0, stopping=True) == (True, False)


def test_one_of_which_a_part_failed_does_not_live() -> None:
    assert ready(0, failed=True) == (False, False)


def is_ready(worker: Worker) -> bool:
    return worker.health.ready


async def test_a_worker_with_nothing_to_do_stays_ready(shop: Workshop, clock: ManualClock) -> None:
    worker = shop.worker(tasks.add)
    assert not is_ready(worker)
    async with worker:
        await turns()
        assert is_ready(worker)
        await clock.run_for(60)
        assert is_ready(worker)
    assert worker.health.reasons == ("it was asked to stop",)


async def test_a_worker_whose_lease_calls_hang_is_not_ready(
    shop: Workshop, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = asyncio.Event()

    async def hang(_: object) -> LeaseAnswer:
        await over.wait()
        return LeaseAnswer(())

    async with shop.worker(tasks.add) as worker:
        await turns()
        monkeypatch.setattr(shop.store, "lease", hang)
        await clock.run_for(30)
        assert not is_ready(worker)
        assert worker.health.live
        over.set()
        await turns()
