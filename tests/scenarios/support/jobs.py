"""The tasks of the scenarios. Each writes what it does to the journal; the result says under which fence, and where."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import cast

from stem import Registry, Retry, Stem, TaskContext, definition, task
from tests.scenarios.support.journal import ENDED, STARTED, VARIABLE, write_entry
from tests.scenarios.support.waiting import eventually

AT_ONCE = Retry(initial=timedelta(0), max_delay=timedelta(0))
SHORT = timedelta(seconds=1)


def gate() -> Path:
    """A file; while it is not there, some handlers do not end."""
    return Path(os.environ[VARIABLE]).with_suffix(".gate")


def made_by(ctx: TaskContext) -> str:
    """The result of every task here."""
    return f"{ctx.fence}:{os.getpid()}"


@task(name="scenario.work", retry=AT_ONCE)
async def work(ctx: TaskContext, seconds: float) -> str:
    """Takes a while."""
    ctx.logger.info("works for %g s", seconds)
    write_entry(ctx, STARTED)
    await asyncio.sleep(seconds)
    write_entry(ctx, ENDED)
    return made_by(ctx)


@task(name="scenario.brief", lease=SHORT, retry=AT_ONCE)
async def brief(ctx: TaskContext, seconds: float = 0.0) -> str:
    """The same under a lease of one second."""
    return await work(ctx, seconds)


@task(name="scenario.block", lease=SHORT, retry=AT_ONCE)
async def block(ctx: TaskContext, seconds: float) -> str:
    """Blocks the event loop of its worker."""
    write_entry(ctx, STARTED)
    time.sleep(seconds)
    write_entry(ctx, ENDED)
    return made_by(ctx)


@task(name="scenario.held", retry=AT_ONCE)
async def held(ctx: TaskContext) -> str:
    """Ends when the gate is open."""
    write_entry(ctx, STARTED)
    await eventually(gate().exists)
    write_entry(ctx, ENDED)
    return made_by(ctx)


@task(name="scenario.late", lease=SHORT, retry=AT_ONCE)
async def late(ctx: TaskContext) -> str:
    """Its first delivery blocks its worker until the gate is open; the ones after that end at once."""
    write_entry(ctx, STARTED)
    while ctx.fence == 1 and not gate().exists():
        time.sleep(0.02)
    write_entry(ctx, ENDED)
    return made_by(ctx)


@task(name="scenario.poison", lease=SHORT, retry=AT_ONCE)
async def poison(ctx: TaskContext) -> str:
    """Kills its own process, as a fault in native code does."""
    write_entry(ctx, STARTED)
    os.kill(os.getpid(), signal.SIGKILL)
    return made_by(ctx)


@task(name="scenario.once", lease=SHORT, ack="early")
async def once(ctx: TaskContext) -> str:
    """Runs at most once; with it in its registry a worker marks no delivery as started before it has."""
    write_entry(ctx, STARTED)
    os.kill(os.getpid(), signal.SIGKILL)
    return made_by(ctx)


@task(name="scenario.parent", lease=SHORT, retry=AT_ONCE)
async def parent(ctx: TaskContext) -> str:
    """Enqueues one task at once and one with its end, and kills its process between the two the first time."""
    write_entry(ctx, STARTED)
    await ctx.enqueue(BRIEF.call())
    if ctx.fence == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    ctx.follow_up(BRIEF.call())
    return made_by(ctx)


@task(name="scenario.flaky", retry=AT_ONCE)
def flaky(ctx: TaskContext) -> str:
    """Fails twice, in a thread; the third attempt ends well."""
    write_entry(ctx, STARTED)
    if ctx.attempt < 2:
        raise ConnectionError(f"attempt {ctx.attempt}")
    return made_by(ctx)


@task(name="scenario.steps", lease=SHORT)
async def steps(ctx: TaskContext) -> str:
    """Tells how far it is, and does not end by itself."""
    write_entry(ctx, STARTED)
    ctx.progress(1, 2, "half", {"page": 7})
    await eventually(gate().exists)
    return made_by(ctx)


@task(name="scenario.untrue", retry=AT_ONCE)
async def untrue(ctx: TaskContext) -> int:
    """Returns what its annotation does not say."""
    write_entry(ctx, STARTED)
    return cast("int", object())


@task(name="scenario.fresh")
async def fresh(ctx: TaskContext) -> str:
    """Only newer workers have this one."""
    write_entry(ctx, STARTED)
    return made_by(ctx)


@task(name="scenario.versioned", version=2)
async def versioned(ctx: TaskContext) -> str:
    """Newer workers have this version."""
    write_entry(ctx, STARTED)
    return made_by(ctx)


@task(name="scenario.versioned")
async def versioned_before(ctx: TaskContext) -> str:
    """Older workers have this version."""
    write_entry(ctx, STARTED)
    return made_by(ctx)


@task(name="scenario.quick")
async def quick(number: int) -> int:
    """Gives back what it got."""
    return number


@task(name="scenario.apart", run_in="process")
def apart() -> int:
    """Says which process it ran in."""
    return os.getpid()


@task(name="scenario.held_apart", run_in="process", lease=SHORT, retry=AT_ONCE)
def held_apart(ctx: TaskContext) -> str:
    """Ends when the gate is open, in a child process."""
    write_entry(ctx, STARTED)
    while not gate().exists():
        time.sleep(0.02)
    write_entry(ctx, ENDED)
    return made_by(ctx)


@task(name="scenario.deaf", run_in="process", hard_time_limit=SHORT)
def deaf(ctx: TaskContext) -> str:
    """Asks nobody whether it should go on."""
    write_entry(ctx, STARTED)
    while True:
        time.sleep(0.02)


@task(name="scenario.in_c", run_in="process", hard_time_limit=SHORT)
def in_c(ctx: TaskContext) -> str:
    """Never comes back to Python, holds the interpreter, and hears no signal but SIGKILL."""
    write_entry(ctx, STARTED)
    return str(sum(itertools.repeat(0)))


@task(name="scenario.metered", rate_limit="40/s")
async def metered(ctx: TaskContext) -> str:
    """Starts forty times a second, and no more often."""
    write_entry(ctx, STARTED)
    return made_by(ctx)


@task(name="scenario.crowded", concurrency=3)
async def crowded(ctx: TaskContext) -> str:
    """Runs three times at once, and no more."""
    write_entry(ctx, STARTED)
    await asyncio.sleep(0.02)
    return made_by(ctx)


@task(name="scenario.lone", concurrency=1, lease=SHORT, retry=AT_ONCE)
async def lone(ctx: TaskContext) -> str:
    """Runs once at a time, and ends when the gate is open."""
    return await held(ctx)


@asynccontextmanager
async def _waits_at_the_gate() -> AsyncGenerator[object]:
    Path(os.environ[VARIABLE]).with_suffix(".starting").touch()
    await eventually(gate().exists)
    yield None


@asynccontextmanager
async def _breaks_at_its_end() -> AsyncGenerator[object]:
    yield None
    raise ConnectionError("the pool does not close")


QUICK = definition(quick)
APART = definition(apart)
WORK = definition(work)
BRIEF = definition(brief)
BLOCK = definition(block)
HELD = definition(held)
HELD_APART = definition(held_apart)
DEAF = definition(deaf)
IN_C = definition(in_c)
LATE = definition(late)
POISON = definition(poison)
ONCE = definition(once)
UNTRUE = definition(untrue)
PARENT = definition(parent)
FLAKY = definition(flaky)
STEPS = definition(steps)
FRESH = definition(fresh)
VERSIONED = definition(versioned)
METERED = definition(metered)
CROWDED = definition(crowded)
LONE = definition(lone)

OLD = Registry.of(work, held, versioned_before)
registry = Registry.of(
    *(work, brief, block, held, held_apart, late, poison, untrue, fresh, versioned, parent, flaky, steps, deaf, in_c)
)
limited = Registry.of(metered, crowded, lone)
careful = Registry.of(work, brief, once)
slow_to_start = Stem(os.environ.get("STEM_URL"), lifespan=_waits_at_the_gate)
bad_at_its_end = Stem(os.environ.get("STEM_URL"), lifespan=_breaks_at_its_end)
