"""Where handlers run, and what is refused before a worker starts."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator
from functools import partial

import pytest

from stem import Registry, task
from stem.tasks.options import RunIn
from stem.worker.held import Held
from stem.worker.run import Job, Lane, Threads, lane_of, make_jobs, other_leases, takes_early
from tests.stem.worker import tasks
from tests.stem.worker.support import SECOND, delivery, eventually

_place: contextvars.ContextVar[str] = contextvars.ContextVar("place", default="nowhere")


@pytest.fixture
async def threads() -> AsyncIterator[Threads]:
    made = Threads(2)
    yield made
    made.close()


def _held() -> Held:
    return Held.of(delivery(), 0)


def _job(handler: object) -> Job:
    assert callable(handler)
    (job,) = make_jobs(Registry.of(handler)).values()
    return job


@pytest.mark.parametrize(
    ("run_in", "is_async", "lane"),
    [
        ("auto", True, Lane.LOOP),
        ("auto", False, Lane.THREAD),
        ("loop", True, Lane.LOOP),
        ("loop", False, Lane.LOOP_PLAIN),
        ("thread", True, Lane.THREAD_COROUTINE),
        ("thread", False, Lane.THREAD),
        ("process", True, Lane.PROCESS),
        ("process", False, Lane.PROCESS),
    ],
)
def test_coroutine_functions_run_on_the_loop_and_plain_ones_in_a_thread_unless_told_otherwise(
    run_in: RunIn, is_async: bool, lane: Lane
) -> None:
    assert lane_of(run_in, is_async=is_async) is lane


def test_a_task_is_found_by_its_name_and_its_older_names() -> None:
    jobs = make_jobs(Registry.of(tasks.long_lease))

    assert jobs["tests.long_lease"] is jobs["tests.long_lease_once"]


def test_only_leases_that_a_task_sets_itself_are_special() -> None:
    assert other_leases(Registry.of(tasks.add)) == {}
    assert other_leases(Registry.of(tasks.long_lease))["tests.long_lease"] == 60 * SECOND


def test_it_is_known_whether_any_task_runs_at_most_once() -> None:
    assert takes_early(make_jobs(Registry.of(tasks.add, tasks.early)))
    assert not takes_early(make_jobs(Registry.of(tasks.add)))


async def test_a_thread_gives_the_handlers_value(threads: Threads) -> None:
    name = await threads.call(_held(), _job(tasks.plain), partial(tasks.plain, 3))

    assert name == "3 on stem-handler"


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(2), KeyboardInterrupt()])
async def test_a_thread_raises_the_handlers_error_here(threads: Threads, error: BaseException) -> None:
    def raising() -> None:
        raise error

    with pytest.raises(type(error)):
        await threads.call(_held(), _job(tasks.plain), raising)


async def test_a_thread_sees_the_context_variables_of_its_attempt(threads: Threads) -> None:
    _place.set("here")

    assert await threads.call(_held(), _job(tasks.plain), _place.get) == "here"


async def test_a_coroutine_function_may_run_on_a_loop_of_its_own(threads: Threads) -> None:
    @task(name="tests.apart", run_in="thread")
    async def apart() -> tuple[bool, str]:
        await asyncio.sleep(0)
        return asyncio.get_running_loop() is here, threading.current_thread().name.rpartition("_")[0]

    here = asyncio.get_running_loop()

    assert await threads.call(_held(), _job(apart), apart) == (False, "stem-handler")


async def test_a_thread_whose_attempt_was_cancelled_goes_on(threads: Threads) -> None:
    gate, held = tasks.Gate(), _held()
    attempt = asyncio.ensure_future(threads.call(held, _job(tasks.plain), gate.passing_in_thread))
    await eventually(lambda: gate.entered == 1)

    attempt.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attempt

    assert held.work is not None
    assert not held.work.done()
    gate.open()
    await eventually(held.work.done)
