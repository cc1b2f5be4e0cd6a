"""A worker dies at the worst moments: each has one outcome, and never a lost one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stem.app import Stem
from stem.contracts.queries import TaskFilter
from stem.errors import TaskFailed
from stem.tasks.state import TaskState
from tests.scenarios.support.jobs import BRIEF, ONCE, POISON
from tests.scenarios.support.journal import Journal
from tests.scenarios.support.waiting import eventually
from tests.scenarios.support.yard import Yard

MINUTE = timedelta(seconds=60)

pytestmark = pytest.mark.slow


async def _dies(yard: Yard, point: str, registry: str = "registry") -> None:
    """A worker dies at this point, and another goes on."""
    yard.journal.path.with_suffix(".token").touch()
    doomed = yard.start_rigged("--die", point, "--registry", registry)
    await eventually(lambda: doomed.is_dead, what=f"its death: {doomed.said()}")
    yard.workers.remove(doomed)
    yard.start_rigged("--registry", registry)


async def test_dead_between_lease_and_start_it_uses_no_attempt(yard: Yard, stem: Stem, journal: Journal) -> None:
    handle = await BRIEF.enqueue(stem)
    await _dies(yard, "after-lease", "careful")
    await handle.result(timeout=MINUTE)
    status = await handle.status()
    assert (status.attempt, status.crashes) == (0, 0)
    assert len(journal.started(handle.id)) == 1


async def test_dead_after_a_lease_that_marked_it_as_started_it_uses_an_attempt(yard: Yard, stem: Stem) -> None:
    handle = await BRIEF.enqueue(stem)
    await _dies(yard, "after-lease")
    await handle.result(timeout=MINUTE)
    status = await handle.status()
    assert (status.attempt, status.crashes) == (1, 1)


async def test_dead_between_success_and_commit_it_runs_again_and_is_recorded_once(
    yard: Yard, stem: Stem, journal: Journal
) -> None:
    handle = await BRIEF.enqueue(stem)
    await _dies(yard, "before-settle")
    result = await handle.result(timeout=MINUTE)
    first, second = journal.ended(handle.id)
    assert first.pid != second.pid
    assert result == f"{second.fence}:{second.pid}"
    assert (await handle.status()).attempt == 1


async def test_dead_after_the_commit_it_does_not_run_again(yard: Yard, stem: Stem, journal: Journal) -> None:
    handle, after = await BRIEF.enqueue(stem), await BRIEF.options(delay=timedelta(seconds=3)).enqueue(stem)
    await _dies(yard, "after-settle")
    await after.result(timeout=MINUTE)
    (only,) = journal.ended(handle.id)
    assert await handle.result() == f"{only.fence}:{only.pid}"


async def test_dead_while_it_runs_a_task_that_may_run_once_fails_and_does_not_run_again(
    yard: Yard, stem: Stem, journal: Journal
) -> None:
    handle = await ONCE.enqueue(stem)
    first = yard.start_rigged("--registry", "careful")
    await eventually(lambda: first.is_dead, what=f"its death: {first.said()}")
    yard.replace_dead("--registry", "careful")
    with pytest.raises(TaskFailed) as failed:
        await handle.result(timeout=MINUTE)
    assert failed.value.kind == "WorkerLost"
    assert (await handle.status()).reason == "worker_lost"
    assert len(journal.started(handle.id)) == 1


async def test_a_poison_task_ends_in_the_dead_letters_and_takes_no_neighbour_along(
    yard: Yard, stem: Stem, journal: Journal
) -> None:
    first = await stem.enqueue_many([BRIEF.options(priority=9).call(0.3)] * 3)
    poison = await POISON.options(priority=8).enqueue(stem)  # so it is leased together with those three
    others = await stem.enqueue_many([BRIEF.call(0.3)] * 17)
    yard.start_rigged()
    yard.start_rigged()

    async def is_over() -> bool:
        yard.replace_dead()
        return (await poison.status()).state.is_terminal

    await eventually(is_over, within=80, what=f"the end of the poison task: {yard.said()}")
    status = await poison.status()
    assert (status.state, status.reason, status.crashes) == (TaskState.FAILED, "crashed", 4)
    assert len(journal.started(poison.id)) == status.max_retries + 1
    assert status.error is not None
    assert status.error.kind == "WorkerLost"
    assert "crashes 4" in status.error.message
    assert len(await first.result(timeout=MINUTE)) + len(await others.result(timeout=MINUTE)) == 20
    assert max(status.crashes for status in [*await first.status(), *await others.status()]) <= 2
    dead = await stem.inspect.dead_letters(TaskFilter())
    assert [record.id for record in dead.records] == [poison.id]


async def test_dead_in_its_last_attempt_it_is_a_dead_letter(yard: Yard, stem: Stem, journal: Journal) -> None:
    handle = await BRIEF.options(max_retries=0).enqueue(stem)
    await _dies(yard, "before-settle")
    with pytest.raises(TaskFailed):
        await handle.result(timeout=MINUTE)
    status = await handle.status()
    assert (status.crashes, status.reason) == (1, "crashed")
    assert len(journal.started(handle.id)) == 1
