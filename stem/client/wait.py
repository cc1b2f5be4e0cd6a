"""Waiting for tasks: pushed by the store's notices, with a slow look underneath, so that a lost notice only delays."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Final

from stem.clock import Clock, Micros, to_micros
from stem.contracts.queries import StoredResult
from stem.contracts.store import Notice, Store, Subscription
from stem.errors import (
    ResultExpired,
    ResultIgnored,
    StemError,
    StoreUnavailable,
    TaskCancelled,
    TaskExpired,
    TaskFailed,
    UnknownId,
    WaitTimeout,
)
from stem.tasks.state import TaskState
from stem.tasks.status import Failure, Progress

__all__ = ["Waiter", "result_of"]

SLOW_LOOK: Final[Micros] = 1_000_000
_MOST_IDS: Final = 500
_MOST_EXPECTED: Final = 1_000
_AT_ONCE: Final = 50
"""So many are told in one turn of the loop, so that what they do next is on its way while the others are told."""


class Waiter:
    """All waiting of one client: one subscription, and one read for everybody who waits at the moment."""

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting: dict[str, set[asyncio.Future[StoredResult | None]]] = {}
        self._watching: dict[str, set[asyncio.Event]] = {}
        self._to_read: dict[str, None] = {}
        self._expected: dict[str, StoredResult | None] = {}
        self._reader: asyncio.Task[None] | None = None
        self._looker: asyncio.Task[None] | None = None
        self._subscription: Subscription | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._closed = False

    def expect(self, task_id: str) -> None:
        """A new task is about to be published: whatever becomes of it will be heard, so nobody has to ask first.

        Forgotten when somebody has waited for it, or when a thousand others are expected.
        """
        if self._subscription is not None:
            if len(self._expected) >= _MOST_EXPECTED:
                del self._expected[next(iter(self._expected))]
            self._expected[task_id] = None

    async def result(self, task_id: str, timeout: timedelta | None) -> StoredResult:
        """How the task ended. Raises `UnknownId` and `WaitTimeout`."""
        self._open()
        expected = task_id in self._expected
        heard = self._expected.pop(task_id, None)
        if heard is not None:
            return heard
        answer: asyncio.Future[StoredResult | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(task_id, set()).add(answer)
        if not expected:
            self._read(task_id)
        try:
            stored = await (answer if timeout is None else self._within(answer, task_id, timeout))
        except BaseException:
            self._leave(task_id, answer)
            raise
        if stored is None:
            raise unknown_id(task_id)
        return stored

    async def progress(self, task_id: str) -> AsyncIterator[Progress]:
        """Each report that is newer than the last one seen, until the task has ended."""
        self._open()
        changed = asyncio.Event()
        self._watching.setdefault(task_id, set()).add(changed)
        seen = (-1, -1)
        try:
            while True:
                changed.clear()
                record = (await self._store.get([task_id])).get(task_id)
                if record is None:
                    raise unknown_id(task_id)
                if record.progress is not None and (record.generation, record.progress.sequence) > seen:
                    seen = (record.generation, record.progress.sequence)
                    yield record.progress
                if record.state.is_terminal:
                    return
                await changed.wait()
                if self._closed:
                    raise _closed()
        finally:
            self._watching[task_id].discard(changed)
            if not self._watching[task_id]:
                del self._watching[task_id]

    async def aclose(self) -> None:
        """Stop listening; whoever still waits is told that the client was closed."""
        self._closed = True
        if self._subscription is not None:
            self._subscription.close()
        tasks = [task for task in (self._reader, self._looker) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._fail(_closed())
        for changed in [changed for watchers in self._watching.values() for changed in watchers]:
            changed.set()

    def _open(self) -> None:
        if self._subscription is None:
            self._loop = asyncio.get_running_loop()
            self._thread = threading.get_ident()
            self._subscription = self._store.listen(self._hear)
        if self._looker is None or self._looker.done():
            self._looker = asyncio.get_running_loop().create_task(self._look_now_and_then(), name="stem-waiter")

    def _hear(self, notice: Notice) -> None:
        if not (notice.tasks or notice.everything):
            return
        if threading.get_ident() == self._thread:
            self._notice(notice)
        elif self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits
                self._loop.call_soon_threadsafe(self._notice, notice)

    def _notice(self, notice: Notice, begin: int = 0) -> None:
        if notice.everything:
            self._expected.clear()
            self._look_at_all()
            return
        end = begin + _AT_ONCE
        for task_id in notice.tasks[begin:end]:
            result = notice.results.get(task_id)
            if task_id in self._waiting:
                self._tell(task_id, result)
            elif task_id in self._expected:
                self._note(task_id, result)
            if task_id in self._watching:
                for changed in self._watching[task_id]:
                    changed.set()
        if len(notice.tasks) > end and self._loop is not None:
            self._loop.call_soon(self._notice, notice, end)

    def _tell(self, task_id: str, result: bytes | None) -> None:
        if result is None:
            self._read(task_id)
        else:
            self._bring(task_id, StoredResult(TaskState.SUCCEEDED, result))

    def _note(self, task_id: str, result: bytes | None) -> None:
        """Nobody waits for it yet: whoever does will have it at once, or has to ask."""
        if result is None:
            del self._expected[task_id]
        else:
            self._expected[task_id] = StoredResult(TaskState.SUCCEEDED, result)

    def _look_at_all(self) -> None:
        for task_id in self._waiting:
            self._read(task_id)
        for watchers in self._watching.values():
            for changed in watchers:
                changed.set()

    def _read(self, task_id: str) -> None:
        self._to_read[task_id] = None
        if self._reader is None:
            self._reader = asyncio.get_running_loop().create_task(self._read_all(), name="stem-reader")

    async def _read_all(self) -> None:
        await asyncio.sleep(0)  # whoever begins to wait in this turn of the loop is read together
        try:
            while self._to_read:
                ids = list(self._to_read)[:_MOST_IDS]
                for task_id in ids:
                    del self._to_read[task_id]
                self._answer(ids, await self._store.results(ids))
        except StoreUnavailable:
            pass  # the slow look tries again
        except StemError as error:
            self._fail(error)
        finally:
            self._reader = None

    def _answer(self, ids: list[str], stored: Mapping[str, StoredResult]) -> None:
        for task_id in ids:
            found = stored.get(task_id)
            if found is None or found.state.is_terminal:
                self._bring(task_id, found)

    def _bring(self, task_id: str, found: StoredResult | None) -> None:
        for answer in self._waiting.pop(task_id, ()):
            if not answer.done():
                answer.set_result(found)

    def _fail(self, error: StemError) -> None:
        for answer in [answer for answers in self._waiting.values() for answer in answers]:
            if not answer.done():
                answer.set_exception(error)

    async def _look_now_and_then(self) -> None:
        while self._waiting or self._watching:
            await self._clock.sleep(SLOW_LOOK)
            self._look_at_all()

    async def _within(
        self, answer: asyncio.Future[StoredResult | None], task_id: str, timeout: timedelta
    ) -> StoredResult | None:
        timer = asyncio.ensure_future(self._clock.sleep(to_micros(timeout)))
        try:
            await asyncio.wait((answer, timer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
        if answer.done():
            return answer.result()
        raise WaitTimeout(
            expected=f"task {task_id} to end within {timeout.total_seconds():g} s",
            found="a task that has not ended; it goes on",
            do="Wait again, look at its status(), and check that a worker serves its queue.",
        )

    def _leave(self, task_id: str, answer: asyncio.Future[StoredResult | None]) -> None:
        """Nobody hears for one who is told something else, or nothing any more."""
        answers = self._waiting.get(task_id, set())
        answers.discard(answer)
        if not answers:
            self._waiting.pop(task_id, None)


def result_of(task_id: str, stored: StoredResult) -> bytes:
    """The stored result, or the error that says why there is none."""
    match stored.state:
        case TaskState.SUCCEEDED if stored.result is not None and not stored.expired:
            return stored.result
        case TaskState.SUCCEEDED if stored.ignored:
            raise ResultIgnored(
                expected=f"a stored result of task {task_id}",
                found="a task that succeeded with ignore_result=True",
                do="Wait with status(), or enqueue it without ignore_result.",
            )
        case TaskState.SUCCEEDED:
            raise ResultExpired(
                expected=f"a stored result of task {task_id}",
                found="a result whose result_ttl is over",
                do="Read it earlier, or give the task a longer result_ttl.",
            )
        case TaskState.FAILED:
            raise _failed(task_id, stored.error)
        case TaskState.EXPIRED:
            raise TaskExpired(
                expected=f"task {task_id} to start before its `expires`",
                found="a task that nobody started in time",
                do="Add workers for its queue, or give it more time.",
            )
        case _:
            raise TaskCancelled(
                expected=f"task {task_id} to run to its end",
                found=f"a cancelled task{_detail(stored.error)}",
                do="Enqueue it again, or replay it.",
            )


def unknown_id(task_id: str) -> UnknownId:
    """The error for an id that the store does not know."""
    return UnknownId(
        expected="the id of a task in this store",
        found=f"'{task_id}', which it does not know",
        do="Check the id and the URL; tasks are forgotten some time after their result_ttl.",
    )


def _failed(task_id: str, error: Failure | None) -> TaskFailed:
    failure = error if error is not None else Failure("Unknown", "no error was recorded")
    return TaskFailed(
        expected=f"task {task_id} to succeed",
        found=f"{failure.kind}: {failure.message}",
        do=f"See `stem jobs show {task_id}` for the traceback; `stem dlq replay` runs it again.",
        kind=failure.kind,
        message=failure.message,
        traceback=failure.traceback,
    )


def _detail(error: Failure | None) -> str:
    return "" if error is None else f" ({error.message})"


def _closed() -> StoreUnavailable:
    return StoreUnavailable(
        expected="an open client", found="one that was closed while waiting", do="Wait before closing it."
    )
