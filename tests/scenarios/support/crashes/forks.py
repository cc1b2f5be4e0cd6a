"""Processes that die at one call of a store: forked, one after the other, by a process that has loaded everything.

`python -m tests.scenarios.support.crashes.forks` reads an order on each line of its input, and answers it on a line of
its output. It has no threads and no event loop, so that what it forks may have both.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NoReturn, Self

import asyncpg
import redis.asyncio

from stem.adapters.memory import store as memory_store
from stem.adapters.postgres import store as postgres_store
from stem.adapters.redis import store as redis_store
from stem.adapters.sqlite import store as sqlite_store
from stem.client import parts
from stem.testing.clock import ManualClock
from stem.testing.contracts.build import Bench
from stem.testing.faults import Fault, Faults
from stem.worker import worker
from tests.scenarios.support.crashes import FLOWS
from tests.scenarios.support.crashes.flow import Fact
from tests.scenarios.support.crashes.order import WITHIN, Order, Spot, joined, open_all
from tests.scenarios.support.crashes.within import Statements

__all__ = ["Ending", "Forks"]

ROOT: Final = Path(__file__).parents[4]
LOADED: Final = (asyncpg, redis.asyncio, memory_store, postgres_store, redis_store, sqlite_store, parts, worker)
"""What every fork has without importing it."""
PATIENCE: Final = 30
"""Seconds after which a process that has come to no end is killed."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process ended: its exit code, what it had been told, and, if it lived, its calls of each store.

    `statements` is how many it sent that were not the first of their call.
    """

    code: int
    told: tuple[Fact, ...] = ()
    counts: tuple[Mapping[str, int], ...] = ()
    statements: int = 0
    error: str = ""


@dataclass(slots=True)
class Forks:
    """The process that forks, as long as the `with` block lasts. Any thread may give it an order."""

    _process: subprocess.Popen[str] = field(init=False)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.scenarios.support.crashes.forks"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def run(self, order: Order) -> Ending:
        """Let a new process do it; blocks until that has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._turn:
            self._process.stdin.write(json.dumps(asdict(order)) + "\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        told = tuple((verb, what) for verb, what in answer.pop("told"))
        return Ending(told=told, counts=tuple(answer.pop("counts")), **answer)


async def _act(order: Order, said: int) -> None:
    def tell(*news: object) -> None:
        os.write(said, json.dumps(news).encode() + b"\n")

    flow, clock = FLOWS[order.flow], ManualClock()
    statements = Statements(order.spot.nth if order.spot is not None and order.spot.method == WITHIN else None)
    statements.watch()
    stores = await open_all(order.urls, order.namespace, clock)
    await flow.prepare(Bench(joined(stores), clock))
    faults = [_faults_of(place, order.spot) for place in range(len(stores))]
    statements.begin(lambda: sum(sum(fault.counts.values()) for fault in faults))
    doomed = joined([fault.around(store) for fault, store in zip(faults, stores, strict=True)])
    await flow.act(Bench(doomed, clock), tell)
    await doomed.aclose()
    tell("counts", [dict(fault.counts) for fault in faults])
    tell("statements", statements.count)


def _faults_of(place: int, spot: Spot | None) -> Faults:
    if spot is None or spot.store != place or spot.method == WITHIN:
        return Faults()
    return Faults.at(spot.method, Fault[spot.fault], nth=spot.nth)


def _child(order: Order, said: int) -> NoReturn:
    signal.alarm(PATIENCE)
    try:
        asyncio.run(_act(order, said))
    except BaseException:  # noqa: BLE001  # told to the one who reads, whatever it is
        os.write(said, json.dumps(["error", traceback.format_exc()]).encode() + b"\n")
        os._exit(1)
    os._exit(0)


def _fork(order: Order) -> Ending:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _child(order, writing)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        news = [json.loads(line) for line in pipe]
    _, status = os.waitpid(child, 0)
    rest = {str(kind): what for kind, what in news if kind in ("counts", "statements", "error")}
    told = tuple((kind, what) for kind, what in news if kind not in rest)
    counts, statements = tuple(rest.get("counts", ())), rest.get("statements", 0)
    return Ending(os.waitstatus_to_exitcode(status), told, counts, statements, rest.get("error", ""))


def _order(line: str) -> Order:
    given: dict[str, Any] = json.loads(line)
    spot = given.pop("spot")
    urls = tuple(given.pop("urls"))
    return Order(**given, urls=urls, spot=None if spot is None else Spot(**spot))


if __name__ == "__main__":
    for asked in sys.stdin:
        print(json.dumps(asdict(_fork(_order(asked)))), flush=True)  # noqa: T201  # the answer
