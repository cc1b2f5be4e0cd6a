"""Workers inside the test's process, and the one proof that a worker lives: that it consumes."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from stem.app import Stem
from stem.worker.worker import Worker
from tests.scenarios.support.jobs import WORK, registry
from tests.scenarios.support.journal import Journal
from tests.scenarios.support.waiting import eventually

__all__ = ["RESUMES_WITHIN", "assert_consumes", "working"]

RESUMES_WITHIN = 5.0
"""Seconds after the end of a fault in which a worker has to have begun with what is new."""


@asynccontextmanager
async def working(url: str) -> AsyncGenerator[Worker]:
    """A worker on this store, with connections of its own."""
    async with Stem(url) as stem, stem.worker(registry, concurrency=10) as worker:
        yield worker


async def assert_consumes(stem: Stem, journal: Journal) -> None:
    """A task that is enqueued now begins in time."""
    handle = await WORK.enqueue(stem, 0.0)
    await eventually(lambda: journal.started(handle.id), within=RESUMES_WITHIN, what="the start of a new task")
