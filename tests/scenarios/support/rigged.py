"""A worker process that can be told to die at an exact point, and that looks for lost work four times a second.

`python -m tests.scenarios.support.rigged URL NAME [--die POINT] [--registry NAME] [--beat SECONDS]`. It dies at the
point only if it can delete the token file, so one of several workers dies, once.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from stem.app import Stem
from stem.client.enqueue import Publisher
from stem.clock import SystemClock
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import Change, Reschedule, Settle, Verdict
from stem.contracts.store import LeaseAnswer, LeaseRequest, Store
from stem.stores.committer import Committer
from stem.stores.open import open_store
from stem.worker.settings import WorkerSettings
from stem.worker.worker import Worker
from tests.scenarios.support import jobs
from tests.scenarios.support.journal import VARIABLE

__all__ = ["POINTS"]

POINTS: Final = ("after-lease", "before-settle", "after-settle", "before-retry", "after-retry")


def token() -> Path:
    """While this file is there, one worker is to die."""
    return Path(os.environ[VARIABLE]).with_suffix(".token")


class Rigged:
    """A store that dies with its process at one point; everything else is the store's."""

    def __init__(self, store: Store, point: str | None) -> None:
        self._store = store
        self._point = point

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def lease(self, request: LeaseRequest) -> LeaseAnswer:
        answer = await self._store.lease(request)
        if answer.deliveries:
            self._die_at("after-lease")
        return answer

    async def commit(self, changes: Sequence[Change]) -> list[Verdict]:
        kind = _kind(changes)
        self._die_at(f"before-{kind}")
        verdicts = await self._store.commit(changes)
        self._die_at(f"after-{kind}")
        return verdicts

    def _die_at(self, point: str) -> None:
        if point != self._point:
            return
        try:
            token().unlink()
        except FileNotFoundError:
            return
        os.kill(os.getpid(), signal.SIGKILL)


def _kind(changes: Sequence[Change]) -> str:
    writes = [write for change in changes for write in change.writes]
    if any(isinstance(write, Settle) for write in writes):
        return "settle"
    return "retry" if any(isinstance(write, Reschedule) for write in writes) else "other"


async def run(url: str, name: str, *, point: str | None, registry: str, beat: float) -> None:
    """Work until told to stop."""
    clock = SystemClock()
    store: Any = Rigged(await open_store(url, StoreOptions(clock=clock)), point)
    committer = Committer(store, clock=clock)
    settings = WorkerSettings(
        name=name, concurrency=4, sweep_every=timedelta(milliseconds=250), beat_every=timedelta(seconds=beat)
    )
    publisher = Publisher(committer, Stem(url), defaults={}, payload_limit=1_000_000)
    worker = Worker(store, committer, getattr(jobs, registry), settings, clock=clock, publisher=publisher)
    async with worker:
        worker.install_signals(asyncio.get_running_loop())
        await worker.run_until_stopped()
    await committer.aclose()
    await store.aclose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("name")
    parser.add_argument("--die", choices=POINTS)
    parser.add_argument("--registry", default="registry")
    parser.add_argument("--beat", type=float, default=5.0)
    given = parser.parse_args()
    asyncio.run(run(given.url, given.name, point=given.die, registry=given.registry, beat=given.beat))
