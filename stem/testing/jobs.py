"""What tests of an application use: a real worker on the memory engine, under a clock that the test moves."""

from __future__ import annotations

import asyncio
import difflib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, Final, Self

from stem.app import Stem
from stem.clock import Micros, to_micros
from stem.contracts.queries import TaskFilter
from stem.registry import Registry
from stem.tasks.broadcast import announced_name, enclosed, is_announcement
from stem.tasks.call import TaskCall
from stem.tasks.definition import TaskDefinition
from stem.tasks.encoders import PLAIN
from stem.tasks.envelope import decode_envelope
from stem.tasks.state import WAITING, TaskState
from stem.tasks.status import TaskRecord, TaskStatus
from stem.testing.clock import ManualClock
from stem.worker.worker import Lifespan

__all__ = ["Jobs"]

_LONGEST: Final = 30.0
"""Seconds of real time that one drain may take: a handler that hangs fails its test, and does not stop all of them."""
_PAUSE: Final = 0.001
_SHOWN: Final = 5
_FOR_EVER: Final[Micros] = 1 << 62
_ALWAYS: Final = {"default"}


class Jobs:
    """A `Stem` on memory with nothing in it, and a worker for the registry that works only while it is told to.

    Use it with `async with`, in a test of pytest-asyncio or of anyio on asyncio. Tasks run by `drain` and `run_for`;
    time stands still but for `run_for`. Handlers run as they do in production: validated, retried, in threads where
    they are plain functions.
    """

    def __init__(self, registry: Registry, *, lifespan: Lifespan | None = None, **options: Any) -> None:
        self.clock: Final = ManualClock()
        self.stem: Final = Stem("memory://", clock=self.clock, lifespan=lifespan, **options)
        self._registry = registry
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.stem)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def drain(self, *, check: bool = True) -> tuple[TaskStatus, ...]:
        """Run all that is due, and what that enqueues, until nothing is due any more; those that ended, in order.

        Raises `AssertionError` with the error of the first task that failed, unless `check` is false.
        """
        return await self.run_for(timedelta(0), check=check)

    async def run_for(self, time_passes: timedelta, *, check: bool = True) -> tuple[TaskStatus, ...]:
        """Let so much time pass, and run what comes due in it, delayed tasks and retries; else like `drain`."""
        before = {record.id for record in await self._records() if record.state.is_terminal}
        end = self.clock.now() + to_micros(time_passes)
        await self._work()
        while (left := end - self.clock.now()) > 0:
            self.clock.advance(timedelta(microseconds=min(left, await self._next_due())))
            await self._work()
        ended = [record for record in await self._records() if record.state.is_terminal and record.id not in before]
        ended.sort(key=lambda record: (record.finished_at or 0, record.published_at))
        if check:
            _raise_failures(ended)
        return tuple(map(TaskStatus.of, ended))

    async def enqueued(self, task: TaskDefinition[..., Any] | str | None = None) -> list[TaskStatus]:
        """The tasks of this definition or name (all, without one) that have not begun to run, the oldest first."""
        return [TaskStatus.of(record) for record in await self._waiting(task)]

    async def assert_enqueued(
        self, call: TaskCall[Any] | TaskDefinition[..., Any] | str, **options: object
    ) -> TaskStatus:
        """That a task waits: of this call, with its arguments; or of this definition or name, with whatever arguments.

        `options` are fields of its status that have to be so, such as `queue="mail"`. The task's status. Raises
        `AssertionError`, which shows what is enqueued instead and in what it differs.
        """
        name, wanted = _wanted(call)
        found = await self._waiting(name)
        for record in found:
            if (wanted is None or _arguments(record) == wanted) and not _differing(record, options):
                return TaskStatus.of(record)
        raise AssertionError("\n".join(_explained(name, wanted, options, found, await self._waiting(None))))

    async def assert_not_enqueued(self, call: TaskCall[Any] | TaskDefinition[..., Any] | str) -> None:
        """That no such task waits."""
        name, wanted = _wanted(call)
        found = [record for record in await self._waiting(name) if wanted is None or _arguments(record) == wanted]
        if found:
            raise AssertionError("\n".join([f"{name} is enqueued:", *map(_line, found[:_SHOWN])]))

    async def _work(self) -> None:
        """Let a worker run what is due, until nothing is; a new one where tasks came into a queue of their own."""
        while await self._busy():
            queues = await self._queues()
            async with self.stem.worker(self._registry, queues=sorted(queues)):
                await self._settle(queues)

    async def _settle(self, queues: set[str]) -> None:
        """Return when nothing runs and nothing that could run is due in these queues."""
        deadline = time.monotonic() + _LONGEST
        while busy := [record for record in await self._busy() if record.queue in queues]:
            if time.monotonic() > deadline:
                lines = [f"after {_LONGEST:g} s these have not come to an end:", *map(_line, busy[:_SHOWN])]
                raise AssertionError("\n".join(lines))
            await asyncio.sleep(_PAUSE)

    async def _busy(self) -> list[TaskRecord]:
        """What runs, and what is due and may be given to a worker."""
        now = self.clock.now()
        paused = {pause.queue for pause in await self.stem.operate.pauses()}
        live = await self._records(TaskState.QUEUED, TaskState.RETRYING, TaskState.RUNNING)
        return [
            record for record in live if record.lease_until or (record.queue not in paused and _is_due(record, now))
        ]

    async def _next_due(self) -> Micros:
        """Until the next task comes due; for ever where none does."""
        now = self.clock.now()
        waiting = await self._records(*WAITING)
        times = [record.due_at - now for record in waiting if record.due_at and record.due_at > now]
        return min(times, default=_FOR_EVER)

    async def _queues(self) -> set[str]:
        """Every queue that has a task or of which a definition speaks."""
        named = {binding.definition.publish_options.queue for binding in self._registry.bindings}
        return _ALWAYS | named | {count.queue for count in await self.stem.inspect.queues()}

    async def _waiting(self, task: TaskDefinition[..., Any] | str | None) -> list[TaskRecord]:
        name = task.name if isinstance(task, TaskDefinition) else task
        waiting = await self._records(*WAITING)
        return [
            record for record in waiting if (name is None or announced_name(record.name) == name) and _is_new(record)
        ]

    async def _records(self, *states: TaskState) -> list[TaskRecord]:
        where = TaskFilter(states=frozenset(states) or None)
        return [record async for record in self.stem.inspect.every_task(where)][::-1]


def _is_new(record: TaskRecord) -> bool:
    """Whether it has not begun; a broadcast that was handed out is only still there for its copies."""
    return not (is_announcement(record.name) and record.deliveries)


def _is_due(record: TaskRecord, now: Micros) -> bool:
    return record.due_at is not None and record.due_at <= now and not record.limited


def _wanted(call: TaskCall[Any] | TaskDefinition[..., Any] | str) -> tuple[str, object | None]:
    """The name, and the arguments where they matter."""
    if isinstance(call, TaskCall):
        return call.name, json.loads(call.payload)
    return (call if isinstance(call, str) else call.name), None


def _arguments(record: TaskRecord) -> object:
    found: object = json.loads(PLAIN.read(enclosed(decode_envelope(record.envelope)).payload))
    return found


def _differing(record: TaskRecord, options: Mapping[str, object]) -> list[str]:
    status = TaskStatus.of(record)
    return [f"{name} is {getattr(status, name)!r}" for name, value in options.items() if getattr(status, name) != value]


def _explained(
    name: str, wanted: object, options: Mapping[str, object], found: Sequence[TaskRecord], all_: Sequence[TaskRecord]
) -> Iterator[str]:
    asked = "" if wanted is None else f" with {_json(wanted)}"
    yield f"{name} is not enqueued{asked}{f' and {options}' if options else ''}"
    if not found:
        others = sorted({record.name for record in all_})
        yield f"enqueued are: {', '.join(others) or 'no tasks'}"
        return
    yield f"of this name are enqueued: {len(found)}"
    for record in found[:_SHOWN]:
        yield _line(record)
        yield from (f"    {line}" for line in _differing(record, options))
        if wanted is not None and _arguments(record) != wanted:
            yield from (f"    {line}" for line in _diff(_arguments(record), wanted))


def _diff(found: object, wanted: object) -> Iterator[str]:
    """The lines that differ: `-` is what is enqueued, `+` what was asked for."""
    old, new = (_json(value, indent=2).splitlines() for value in (found, wanted))
    return (line for line in difflib.ndiff(old, new) if line[:1] in "+-")


def _json(value: object, *, indent: int | None = None) -> str:
    return json.dumps(value, indent=indent, sort_keys=True, ensure_ascii=False)


def _line(record: TaskRecord) -> str:
    return f"  {record.name} {_json(_arguments(record))} in queue {record.queue}, {record.state.value} ({record.id})"


def _raise_failures(ended: Sequence[TaskRecord]) -> None:
    for record in ended:
        if record.state is TaskState.FAILED and record.error is not None:
            error = record.error
            raise AssertionError(f"task failed:\n{_line(record)}\n{error.kind}: {error.message}\n{error.traceback}")
