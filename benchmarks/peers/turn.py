"""One turn of one peer on an empty store: fill it, drain it, then wait for results one at a time and a hundred."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import IO, Final, cast

from .inside import URL
from .marks import MARKS, make_marks, seconds_of_drain
from .roster import Measure, Peer

__all__ = ["P50", "P99", "Plan", "TurnFailed", "take_turn"]

ROOT: Final = Path(__file__).resolve().parents[2]
LOOK_EVERY: Final = 0.02
P50, P99 = "latency p50", "latency p99"


class TurnFailed(Exception):
    """A peer did not answer, in time or at all; says the last lines that it wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is measured: tasks to drain, round trips, samples of latency; each step may take `limit` seconds."""

    measures: frozenset[Measure]
    count: int
    round_trips: int
    samples: int
    limit: float

    @property
    def fills(self) -> bool:
        """Whether tasks are stored before there is a worker."""
        return bool(self.measures & {Measure.ENQUEUE, Measure.DRAIN})

    @property
    def works(self) -> bool:
        """Whether a worker is needed."""
        return bool(self.measures - {Measure.ENQUEUE})


async def take_turn(peer: Peer, python: Path, url: str, plan: Plan) -> dict[str, float]:
    """Numbers by name: rates per second, and of `latency` the median and the 99th percentile in milliseconds.

    Raises `TurnFailed`. Both processes are killed at the end, because the store is thrown away.
    """
    with tempfile.TemporaryDirectory(prefix="stem-peers-") as folder, (Path(folder) / "log").open("wb") as log:
        turn = _Turn(peer, python, url, plan, log, Path(folder) / "marks")
        try:
            return await turn.take()
        except (TimeoutError, ValueError, OSError) as error:
            raise TurnFailed(f"{type(error).__name__} {error} {_last_words(log)}".strip()) from error


def _last_words(log: IO[bytes]) -> str:
    """The end of what both processes wrote."""
    return Path(log.name).read_text(errors="replace").strip()[-600:]


class _Turn:
    """Two processes in the peer's environment: a producer that is told what to do, and a worker."""

    def __init__(self, peer: Peer, python: Path, url: str, plan: Plan, log: IO[bytes], marks: Path) -> None:
        self._peer, self._python, self._plan, self._log, self._marks = peer, python, plan, log, marks
        self._environment: Mapping[str, str] = {**os.environ, URL: url, MARKS: str(marks)}

    async def take(self) -> dict[str, float]:
        """All numbers of the plan that the peer has."""
        make_marks(self._marks, self._plan.count)
        async with self._process("produce", stdin=PIPE, stdout=PIPE) as producer:
            await self._ask(producer, "start")
            numbers = await self._fill(producer) if self._plan.fills else {}
            if self._plan.works:
                async with self._process("work", stdout=self._log) as worker:
                    numbers |= await self._drain(producer, worker) if self._plan.fills else {}
                    numbers |= await self._wait(producer) if self._peer.has_results else {}
        return numbers

    async def _fill(self, producer: Process) -> dict[str, float]:
        (seconds,) = await self._ask(producer, "enqueue", self._plan.count)
        return {Measure.ENQUEUE: self._plan.count / seconds}

    async def _drain(self, producer: Process, worker: Process) -> dict[str, float]:
        """From the first execution to the last; then the last results are read, which must be there."""
        async with asyncio.timeout(self._plan.limit):
            while (seconds := seconds_of_drain(self._marks)) is None:
                if worker.returncode is not None:
                    raise OSError("the worker ended")
                await asyncio.sleep(LOOK_EVERY)
        if self._peer.has_results:
            await self._ask(producer, "check")
        return {Measure.DRAIN: (self._plan.count - 1) / seconds}

    async def _wait(self, producer: Process) -> dict[str, float]:
        numbers: dict[str, float] = {}
        if Measure.LATENCY in self._plan.measures:
            samples = sorted(1000 * seconds for seconds in await self._ask(producer, "latency", self._plan.samples))
            numbers |= {P50: median(samples), P99: samples[int(0.99 * len(samples))]}
        if Measure.ROUND_TRIPS in self._plan.measures:
            (seconds,) = await self._ask(producer, "round_trips", self._plan.round_trips)
            numbers[Measure.ROUND_TRIPS] = self._plan.round_trips / seconds
        return numbers

    async def _ask(self, producer: Process, verb: str, count: int = 0) -> list[float]:
        assert producer.stdin is not None
        assert producer.stdout is not None
        producer.stdin.write(f"{verb} {count}\n".encode())
        async with asyncio.timeout(self._plan.limit):
            line = await producer.stdout.readline()
        if not line:
            raise OSError("the producer ended")
        return cast("list[float]", json.loads(line))

    @asynccontextmanager
    async def _process(
        self, role: str, *, stdout: int | IO[bytes], stdin: int | None = None
    ) -> AsyncGenerator[Process]:
        """The driver in this role, with a process group of its own."""
        command = (str(self._python), "-m", "benchmarks.peers.driver", role, self._peer.adapter)
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env=self._environment,
            stdin=stdin,
            stdout=stdout,
            stderr=self._log,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
