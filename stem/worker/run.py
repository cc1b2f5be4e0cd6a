"""Where handlers run: on the loop or in a thread; and what the worker needs of each task, looked up once."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import partial
from typing import Final, cast

from stem.clock import Micros, to_micros
from stem.contracts.changes import Start
from stem.contracts.limits import TaskLimit
from stem.errors import ConfigError
from stem.registry import Registry
from stem.tasks.definition import Binding
from stem.tasks.options import HandlerOptions, RunIn
from stem.worker.decide import Rules
from stem.worker.held import Held
from stem.worker.limits import limit_of
from stem.worker.process.apart import Apart, apart_of
from stem.worker.time_limits import TimeLimits, limits_of
from stem.worker.versions import Reader, older_readers

__all__ = [
    "Job",
    "Jobs",
    "Lane",
    "Threads",
    "limits_to_declare",
    "make_jobs",
    "other_leases",
    "runs_apart",
    "takes_early",
]


class Lane(Enum):
    """Where a handler's code runs."""

    LOOP = auto()
    """A coroutine function, awaited on the worker's loop."""
    LOOP_PLAIN = auto()
    """A plain function, called on the worker's loop because its author asked for it."""
    THREAD = auto()
    THREAD_COROUTINE = auto()
    """A coroutine function on a loop of its own, in a thread."""
    PROCESS = auto()
    """Either, in a child process."""


@dataclass(frozen=True, slots=True)
class Job:
    """One task of the registry, ready to run."""

    handler: Callable[..., object]
    wants_context: bool
    lane: Lane
    rules: Rules
    start: Start
    """What is told when it begins, unless the call brings its own backoff."""
    decode: Reader
    older: Mapping[int, Reader]
    """How the arguments of older versions are read."""
    encode: Callable[[object], bytes]
    allowed: TaskLimit
    """How many may start in a time, and run at once, over all workers."""
    limits: TimeLimits | None = None
    apart: Apart | None = None
    """Where a child process finds it; then arguments and results pass this process as the bytes that they are."""
    once: bool = False
    """Whether it may run at most once."""
    simple: Callable[..., Awaitable[object]] | None = None
    """The handler, where it is called with its arguments and awaited, and nothing else."""


Jobs = Mapping[str, Job]

_ON_LOOP: Final = {True: Lane.LOOP, False: Lane.LOOP_PLAIN}
_IN_THREAD: Final = {True: Lane.THREAD_COROUTINE, False: Lane.THREAD}


def make_jobs(registry: Registry) -> Jobs:
    """Every name and alias of the registry with its job; loads the types of all tasks.

    Raises `ConfigError` for a task that cannot run as it asks to, and for types that cannot be loaded.
    """
    jobs: dict[str, Job] = {}
    for binding in registry.bindings:
        options = binding.options
        job = _job(binding, options)
        jobs.update(dict.fromkeys((binding.name, *options.aliases), job))
    return jobs


def lane_of(run_in: RunIn, *, is_async: bool) -> Lane:
    """Where a handler runs."""
    if run_in == "process":
        return Lane.PROCESS
    on_loop = is_async if run_in == "auto" else run_in == "loop"
    return (_ON_LOOP if on_loop else _IN_THREAD)[is_async]


def other_leases(registry: Registry) -> dict[str, Micros]:
    """The lease lengths, by name and alias, of the tasks that set one of their own."""
    usual = HandlerOptions().lease
    return {
        name: to_micros(binding.options.lease)
        for binding in registry.bindings
        if binding.options.lease != usual
        for name in (binding.name, *binding.options.aliases)
    }


def limits_to_declare(jobs: Jobs) -> tuple[TaskLimit, ...]:
    """The limit of every name and alias; those without one, too, since one may have been declared before."""
    return tuple(replace(job.allowed, name=name) for name, job in jobs.items())


def takes_early(jobs: Jobs) -> bool:
    """Whether any task is acknowledged before it runs, so that its start must be recorded first."""
    return any(job.rules.ack == "early" for job in jobs.values())


def runs_apart(jobs: Jobs) -> bool:
    """Whether any task runs in a child process."""
    return any(job.apart is not None for job in jobs.values())


def _job(binding: Binding, options: HandlerOptions) -> Job:
    definition = binding.definition
    backoff = options.retry.backoff
    lane, limits = lane_of(options.run_in, is_async=binding.is_async), limits_of(options)
    if lane is Lane.LOOP_PLAIN and limits is not None:
        raise _unlimitable(binding.name)
    simple = lane is Lane.LOOP and limits is None and not binding.wants_context
    apart = apart_of(binding) if lane is Lane.PROCESS else None
    return Job(
        handler=binding.handler,
        wants_context=binding.wants_context,
        lane=lane,
        rules=Rules(
            version=binding.version,
            accepts=binding.accepts,
            retry=options.retry,
            backoff=backoff,
            ack=options.ack,
        ),
        start=Start(backoff, options.ack),
        decode=definition.arguments.decode if apart is None else _left_to_the_child,
        older=older_readers(binding) if apart is None else {},
        encode=definition.results.encode if apart is None else _as_it_is,
        allowed=limit_of(binding),
        limits=limits,
        apart=apart,
        once=options.ack == "early",
        simple=cast("Callable[..., Awaitable[object]]", binding.handler) if simple else None,
    )


def _left_to_the_child(_payload: bytes) -> dict[str, object]:
    return {}


def _as_it_is(result: object) -> bytes:
    return cast("bytes", result)


def _unlimitable(name: str) -> ConfigError:
    return ConfigError(
        expected=f"task '{name}' to run where a time limit can reach it",
        found='a plain function with run_in="loop", which nothing can interrupt',
        do='Make it `async def`, or use run_in="thread" or "process".',
    )


class Threads:
    """A pool as wide as the worker's concurrency; threads are made when they are needed."""

    def __init__(self, width: int) -> None:
        self._pool = ThreadPoolExecutor(width, thread_name_prefix="stem-handler")

    async def call(self, held: Held, job: Job, call: Callable[[], object]) -> object:
        """The handler's value or its error. Cancelled, it lets the thread go on; `held.work` tells when that ends."""
        inside = partial(_finish, call) if job.lane is Lane.THREAD_COROUTINE else call
        run = cast("Callable[[Callable[[], object]], _Outcome]", contextvars.copy_context().run)
        future: Future[_Outcome] = self._pool.submit(run, partial(_guarded, inside))
        held.work = cast("Future[object]", future)
        outcome = await asyncio.wrap_future(future)
        if outcome.error is not None:
            raise outcome.error
        return outcome.value

    def close(self) -> None:
        """Take nothing more; what runs goes on."""
        self._pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Outcome:
    value: object = None
    error: BaseException | None = None


def _guarded(call: Callable[[], object]) -> _Outcome:
    """A value, because a future does not carry every exception (StopIteration, SystemExit)."""
    try:
        return _Outcome(call())
    except StopIteration as error:
        wrapped = RuntimeError("the handler raised StopIteration")
        wrapped.__cause__ = error
        return _Outcome(error=wrapped)
    except BaseException as error:  # noqa: BLE001  # whatever it is, it is the task's failure, not the thread's
        return _Outcome(error=error)


def _finish(call: Callable[[], object]) -> object:
    with asyncio.Runner() as runner:
        return runner.run(_awaited(call))


async def _awaited(call: Callable[[], object]) -> object:
    return await cast("asyncio.Future[object]", call())
