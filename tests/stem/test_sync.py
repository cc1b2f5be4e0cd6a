"""`SyncStem` is the same client for blocking code, from as many threads as there are."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Self

import pytest

from stem.app import Stem
from stem.client.portal import Portal
from stem.errors import (
    ConfigError,
    InvalidArguments,
    StemError,
    StoreUnavailable,
    TaskCancelled,
    TaskFailed,
    UnknownId,
    WaitTimeout,
)
from stem.registry import Registry, definition
from stem.sync import SyncStem
from stem.tasks.context import TaskContext
from stem.tasks.markers import task
from stem.tasks.state import TaskState
from stem.worker.worker import Worker


@task(name="tests.double")
def double(ctx: TaskContext, number: int) -> int:
    ctx.progress(number, number)
    return number * 2


@task(name="tests.fail", max_retries=0)
def fail() -> None:
    raise ValueError("not today")


@task(name="tests.later", queue="nobody")
def later() -> None: ...


REGISTRY = Registry.of(double, fail, later)


class WithWorker(SyncStem):
    """A blocking client with a worker on its own background loop, because memory is in this process only."""

    def __enter__(self) -> Self:
        super().__enter__()
        self._portal.run(self._work())
        return self

    def close(self) -> None:
        if self._portal.is_running:
            self._portal.run(self._worker.stop())
        super().close()

    async def _work(self) -> None:
        self._worker: Worker = self._stem.worker(REGISTRY)
        await self._worker.__aenter__()


@pytest.fixture
def stem() -> Iterator[SyncStem]:
    with WithWorker("memory://") as opened:
        yield opened


class TestWork:
    def test_a_task_is_enqueued_and_answered(self, stem: SyncStem) -> None:
        handle = stem.enqueue(definition(double).call(21))
        assert handle.result() == 42
        assert handle.status().state is TaskState.SUCCEEDED
        assert not handle.duplicate

    def test_enqueue_and_wait_is_both_in_one(self, stem: SyncStem) -> None:
        assert stem.enqueue_and_wait(definition(double).call(21), timeout=timedelta(seconds=30)) == 42

    def test_a_failed_task_raises_here_as_it_does_there(self, stem: SyncStem) -> None:
        with pytest.raises(TaskFailed, match="not today"):
            stem.enqueue_and_wait(definition(fail).call())

    def test_a_batch_gives_results_and_statuses_in_order(self, stem: SyncStem) -> None:
        batch = stem.enqueue_many([definition(double).call(number) for number in range(20)])
        assert batch.result() == [number * 2 for number in range(20)]
        assert {status.state for status in batch.status()} == {TaskState.SUCCEEDED}
        assert (len(batch), batch[-1].result(), len(batch[5:])) == (20, 38, 15)

    def test_a_broadcast_answers_by_worker(self, stem: SyncStem) -> None:
        copies = stem.enqueue(definition(double).options(broadcast=True).call(21)).copies()
        (worker,) = copies
        assert copies.result() == {worker: 42}
        assert (len(copies), copies[worker].result()) == (1, 42)
        assert copies.status()[worker].state is TaskState.SUCCEEDED

    def test_progress_is_iterated_until_the_end(self, stem: SyncStem) -> None:
        handle = stem.enqueue(definition(double).call(21))
        assert [report.done for report in handle.progress()] == [21]

    def test_a_waiting_task_is_cancelled(self, stem: SyncStem) -> None:
        handle = stem.enqueue(definition(later).call())
        assert handle.cancel().state is TaskState.CANCELLED
        with pytest.raises(TaskCancelled):
            handle.result()

    def test_waiting_ends_with_the_timeout(self, stem: SyncStem) -> None:
        handle = stem.enqueue(definition(later).call())
        with pytest.raises(WaitTimeout):
            handle.result(timeout=timedelta(0))

    def test_a_name_and_a_map_are_enough(self, stem: SyncStem) -> None:
        handle = stem.enqueue_named("tests.double", {"number": 4}, registry=REGISTRY)
        assert stem.handle(handle.id).result() == 8
        with pytest.raises(InvalidArguments):
            stem.enqueue_named("tests.double", {"number": "four"}, registry=REGISTRY)

    def test_an_unknown_id_raises_here_as_it_does_there(self, stem: SyncStem) -> None:
        with pytest.raises(UnknownId):
            stem.handle("nobody").status()

    def test_a_decoder_gives_a_typed_handle(self, stem: SyncStem) -> None:
        first = stem.enqueue(definition(double).call(3))
        first.result()
        assert stem.handle_of(first.id, definition(double).decode_result).result() == 6

    def test_many_threads_use_one_client(self, stem: SyncStem) -> None:
        def work(number: int) -> int:
            return stem.enqueue_and_wait(definition(double).call(number))

        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(work, range(100))) == [number * 2 for number in range(100)]


class TestLife:
    def test_a_client_that_is_not_open_says_how_to_open_it(self) -> None:
        with pytest.raises(ConfigError, match="with SyncStem"):
            SyncStem("memory://").enqueue(definition(double).call(1))

    def test_a_closed_client_answers_nothing_any_more(self) -> None:
        with SyncStem("memory://") as stem:
            handle = stem.enqueue(definition(double).call(1))
        with pytest.raises(ConfigError):
            handle.status()

    def test_it_can_stay_open_for_the_life_of_a_process(self) -> None:
        stem = SyncStem("memory://").open()
        assert stem.enqueue(definition(double).call(1)).id
        stem.close()
        stem.close()

    def test_opening_that_fails_leaves_no_thread_behind(self) -> None:
        before = threading.active_count()
        with pytest.raises(ConfigError):
            SyncStem("nonsense://").open()
        assert threading.active_count() == before

    def test_closing_leaves_no_thread_behind(self) -> None:
        before = threading.active_count()
        with SyncStem("memory://"):
            pass
        assert threading.active_count() == before

    def test_closing_ends_the_waiting_of_every_thread(self) -> None:
        stem = SyncStem("memory://").open()
        handle = stem.enqueue(definition(later).call())
        with ThreadPoolExecutor(4) as threads:
            waiting = [threads.submit(handle.result) for _ in range(4)]
            stem.close()
            errors = [each.exception(timeout=30) for each in waiting]
        assert {type(error) for error in errors} <= {StoreUnavailable, ConfigError}

    def test_threads_that_enqueue_while_it_is_closed_are_answered_or_told(self) -> None:
        stem = SyncStem("memory://").open()

        def enqueue_until_closed() -> StemError:
            while True:
                try:
                    stem.enqueue(definition(later).call())
                except StemError as error:
                    return error

        with ThreadPoolExecutor(4) as threads:
            working = [threads.submit(enqueue_until_closed) for _ in range(4)]
            stem.close()
            errors = [each.result(timeout=30) for each in working]
        assert {type(error) for error in errors} <= {StoreUnavailable, ConfigError}

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
    def test_a_fork_is_told_to_open_its_own_and_then_may(self, tmp_path: Path) -> None:
        script = f"""
import os
from stem import SyncStem
stem = SyncStem("sqlite:///{tmp_path / "stem.db"}").open()
stem.enqueue_named("tests.parent", {{}})
child = os.fork()
if child == 0:
    try:
        stem.enqueue_named("tests.child", {{}})
    except Exception as error:
        print(error, flush=True)
    stem.close()
    with stem:
        stem.enqueue_named("tests.child", {{}})
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
stem.enqueue_named("tests.parent", {{}})
print(sorted(stem._portal.run(stem._stem.inspect.task_names()).items()))
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
        told, names = done.stdout.splitlines()
        assert "STEM-E001" in told
        assert "after the fork" in told
        assert names == "[('tests.child', 1), ('tests.parent', 2)]"

    def test_a_client_that_was_never_closed_does_not_keep_its_process_from_ending(self, tmp_path: Path) -> None:
        script = f"""
from stem import SyncStem
stem = SyncStem("sqlite:///{tmp_path / "stem.db"}").open()
print(stem.enqueue_named("tests.task", {{}}).id)
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
        with SyncStem(f"sqlite:///{tmp_path / 'stem.db'}") as stem:
            assert stem.handle(done.stdout.strip()).status().state is TaskState.QUEUED

    def test_it_is_printed_without_secrets(self) -> None:
        text = repr(SyncStem("redis://me:hunter2@example.org"))
        assert text.startswith("SyncStem(")
        assert "hunter2" not in text

    def test_calls_from_inside_an_event_loop_of_the_program_work_too(self) -> None:
        async def program() -> str:
            with SyncStem("memory://") as stem:
                return stem.enqueue(definition(double).call(1)).id

        portal = Portal()
        portal.start()
        assert portal.run(program())
        portal.stop()


def test_it_has_every_verb_of_the_asynchronous_client() -> None:
    verbs = {name for name in vars(Stem) if not name.startswith("_")}
    only_there = {"aclose", "worker", "inspect", "wait_result", "task_status", "task_progress", "cancel_task"}
    only_there |= {"prepare_within", "operate", "control", "queue_events", "task_copies", "wait_results"}
    assert verbs - only_there <= {name for name in dir(SyncStem) if not name.startswith("_")}
