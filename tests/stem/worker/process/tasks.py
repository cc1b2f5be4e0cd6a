"""The tasks that run in child processes; a child imports this module."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel

from stem import Retry, SoftTimeLimit, TaskContext, definition, task, task_def

SOFT, HARD = timedelta(seconds=5), timedelta(seconds=9)
SOON = Retry(initial=timedelta(0), max_delay=timedelta(0))


class Part(BaseModel):
    name: str
    weight: float


class Odd(ValueError):
    """An error that only the child has met."""


@task(name="apart.twice", run_in="process")
def twice(part: Part) -> Part:
    return Part(name=part.name * 2, weight=part.weight * 2)


@task(name="apart.where", run_in="process")
def where() -> int:
    return os.getpid()


@task(name="apart.awaits", run_in="process")
async def awaits(ctx: TaskContext, text: str) -> str:
    await asyncio.sleep(0)
    return f"{text} in {ctx.queue} as {ctx.attempt} with {ctx.state}"


@task(name="apart.odd", run_in="process", retry=Retry(initial=timedelta(seconds=40), jitter=0.0))
def odd() -> None:
    raise Odd("three")


@task(name="apart.hopeless", run_in="process", retry=Retry(give_up_on=(Odd,)))
async def hopeless() -> None:
    raise Odd("three")


@task(name="apart.later", run_in="process")
def later(ctx: TaskContext) -> None:
    ctx.retry(timedelta(seconds=70), "not now")


@task(name="apart.untrue", run_in="process")
def untrue() -> int:
    return "no number"  # type: ignore[return-value]  # a handler that breaks its own annotation


@task(name="apart.talks", run_in="process")
def talks(ctx: TaskContext) -> str:
    ctx.progress(1, 2, "half", {"page": 7})
    ctx.heartbeat()
    ctx.extend_lease(timedelta(seconds=30))
    ctx.logger.warning("a word from the child", extra={"page": 7})
    logging.getLogger("shop").warning("and one of the shop")
    at_once = ctx.sync.enqueue(WHERE.options(delay=timedelta(hours=1), tags=("late",)).call())
    at_the_end = ctx.follow_up(WHERE.options(delay=timedelta(hours=2)).call())
    return f"{at_once} {at_the_end}"


@task(name="apart.talks_async", run_in="process")
async def talks_async(ctx: TaskContext) -> tuple[str, bool]:
    once = WHERE.options(unique_key="one", delay=timedelta(hours=1))
    await ctx.enqueue(once.call())
    handle = await ctx.enqueue(once.call())
    return handle.id, handle.duplicate


@task(name="apart.too_much", run_in="process", max_retries=0)
def too_much(ctx: TaskContext) -> str:
    ctx.sync.enqueue(TWICE.call(Part(name="x" * 2_000_000, weight=1)))
    return "never"


@task(name="apart.dies", run_in="process", max_retries=1, retry=SOON)
def dies(ctx: TaskContext) -> None:
    ctx.progress(3, 10, "page 3")
    ctx.logger.warning("about to die")
    sys.stderr.write("cannot go on\n")
    sys.stderr.flush()
    os.kill(os.getpid(), signal.SIGSEGV)


@task(name="apart.exits_once", run_in="process", ack="early")
def exits_once(left: str) -> None:
    """Leaves a process of its own behind."""
    Path(left).write_text(str(subprocess.Popen(["sleep", "3600"]).pid))
    os._exit(7)


@task(name="apart.soft", run_in="process", soft_time_limit=SOFT)
def soft(began: str) -> str:
    try:
        Path(began).touch()
        time.sleep(3600)
    except SoftTimeLimit as error:
        return error.code
    return "never"


@task(name="apart.soft_async", run_in="process", soft_time_limit=SOFT)
async def soft_async(began: str) -> str:
    Path(began).touch()
    try:
        await asyncio.sleep(3600)
    except SoftTimeLimit as error:
        return error.code
    return "never"


@task(name="apart.deaf", run_in="process", hard_time_limit=HARD)
def deaf(began: str) -> None:
    """Sleeps in C with the interpreter lock held, together with a process of its own."""
    started = subprocess.Popen(["sleep", "3600"])
    Path(began).with_suffix(".pid").write_text(str(started.pid))
    Path(began).touch()
    ctypes.PyDLL(None).sleep(3600)


@task(name="apart.waits", run_in="process")
def waits(ctx: TaskContext, began: str) -> str:
    Path(began).touch()
    while not ctx.cancelled:
        time.sleep(0.005)
    return "told"


_TYPES = {"Part": "tests.stem.worker.process.tasks:Part"}


@task_def("apart.defined", types=_TYPES)
def defined(part: Part) -> str:
    """As a generated module has it: the annotations are text."""
    raise NotImplementedError


@task(name="apart.defined", run_in="process")
def looks(ctx: TaskContext, part: Part) -> str:
    return f"{part.name} {ctx.cancelled}"


@asynccontextmanager
async def opens() -> AsyncGenerator[str]:
    yield f"a pool of {os.getpid()}"


@asynccontextmanager
async def leaves_word() -> AsyncGenerator[None]:
    yield
    Path(os.environ["STEM_TEST_CLOSED"]).write_text(str(os.getpid()))


@asynccontextmanager
async def cannot_open() -> AsyncGenerator[None]:
    if os.environ:
        raise ConnectionError("no database here")
    yield


WHERE = definition(where)
TWICE = definition(twice)
