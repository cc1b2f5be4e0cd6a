"""The day itself: one worker on the memory engine, under a clock that is moved from event to event."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from stem import Registry, Retry, Stem, TaskContext, definition, task
from stem.tasks.definition import TaskDefinition
from stem.tasks.state import TaskEvent, TaskState, outcome_state
from stem.testing import ManualClock

from .plan import Fate, Item

__all__ = ["Day", "live"]

_SOON: Final = Retry(initial=timedelta(seconds=5), max_delay=timedelta(minutes=1))
_AFTERWARDS: Final = timedelta(hours=3)
"""The longest delay, its retries, and the time of retention."""
_KEPT: Final = timedelta(minutes=10)


@task(name="day.plain", retry=_SOON)
async def plain(ctx: TaskContext, number: int, failures: int, follows: bool) -> int:
    """Fails as often as it is told to; may publish another one with its success."""
    return _work(ctx, number, failures, follows)


@task(name="day.rated", retry=_SOON, rate_limit="100/m", rate_limit_key="{shard}")
async def rated(ctx: TaskContext, number: int, failures: int, follows: bool, shard: int) -> int:
    """The same, under a rate for each of four keys."""
    return _work(ctx, number, failures, follows)


@task(name="day.narrow", retry=_SOON, concurrency=3, run_in="loop")
def narrow(ctx: TaskContext, number: int, failures: int, follows: bool) -> int:
    """The same, three at a time."""
    return _work(ctx, number, failures, follows)


def _work(ctx: TaskContext, number: int, failures: int, follows: bool) -> int:
    if ctx.attempt < failures:
        raise RuntimeError("told to fail")
    if follows:
        ctx.follow_up(PLAIN.options(result_ttl=_KEPT).call(number, 0, False))
    return number


PLAIN: Final = definition(plain)
_KINDS: Final[Mapping[str, TaskDefinition[..., Any]]] = {
    "plain": PLAIN,
    "rated": definition(rated),
    "narrow": definition(narrow),
}


@dataclass(slots=True)
class Day:
    """What happened: how many tasks ended in each state, and the memory of the process at each hour's end."""

    ended: Counter[TaskState] = field(default_factory=Counter[TaskState])
    megabytes: list[float] = field(default_factory=list[float])
    left: int = 0
    """Records that are still kept after everything had its time."""


async def live(items: Sequence[Item], *, minutes: int, watch: Callable[[int], None] = lambda minute: None) -> Day:
    """Let the minutes pass, enqueue what each of them brings, and then wait until everything has ended and is gone."""
    clock, day = ManualClock(), Day()
    keep = dict.fromkeys(("succeeded", "failed", "cancelled", "expired", "dead"), _KEPT)
    registry = Registry.of(plain, rated, narrow)
    async with Stem("memory://", clock=clock, keep=keep) as stem:  # type: ignore[arg-type]  # all of its keys
        queues = sorted({item.options.get("queue", "default") for item in items} | {"default"})
        async with stem.worker(registry, queues=queues, concurrency=50) as worker:
            by_minute = {minute: list(group) for minute, group in groupby(items, key=lambda item: item.minute)}
            for minute in range(minutes):
                for item in by_minute.get(minute, ()):
                    day.ended[TaskState.CANCELLED] += await _enqueue(stem, item)
                await clock.run_for(60)
                if minute % 60 == 59:
                    day.megabytes.append(_megabytes())
                watch(minute)
            await clock.run_for(_AFTERWARDS)
            for event, count in worker.stats.ended.items():
                if event in _ENDS:
                    day.ended[outcome_state(event)] += count
        day.left = sum(sum(count.counts.values()) for count in await stem.inspect.queues())
    return day


_ENDS: Final = (TaskEvent.SUCCEEDED, TaskEvent.FAILED, TaskEvent.BURIED, TaskEvent.EXPIRED)


async def _enqueue(stem: Stem, item: Item) -> int:
    """Enqueue an item, twice or followed by a cancel where that is its fate; how many were cancelled."""
    given: tuple[object, ...] = (item.number, item.failures, item.fate is Fate.FOLLOWS)
    more = (item.number % 4,) if item.kind == "rated" else ()
    call = _KINDS[item.kind].options(**item.options).call(*given, *more)
    handle = await stem.enqueue(call)
    if item.fate is Fate.IS_DOUBLE:
        again = await stem.enqueue(call)
        assert again.duplicate
        assert again.id == handle.id
    if item.fate is Fate.IS_CANCELLED:
        return (await handle.cancel()).state is TaskState.CANCELLED
    return 0


def _megabytes() -> float:
    """What the process has of the machine's memory now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024
