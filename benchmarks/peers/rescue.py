"""How long a task waits whose worker was killed with SIGKILL, until a new worker begins it again.

    python -m benchmarks.peers.rescue [--engine redis] [--limit 120] [--within 330]

One run each, at default settings of rescue: one task, one worker, killed while the task runs and started again at
once. All of one engine at the same time, because nearly all of it is waiting; the engines one after the other. Prints
one table, after `--within` seconds at the latest, besides what is installed before; ends with 1 when Stem was late.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .inside import URL
from .marks import STARTS, starts
from .places import Fresh, places_of
from .roster import OURS, Engine, Peer, peers_of
from .turn import ROOT
from .venvs import default_folder, python_for

__all__ = ["Rescue", "rescue_of", "share_of"]

_LOOK_EVERY: Final = 0.05
_TARGET: Final = 15.0


@dataclass(frozen=True, slots=True)
class Rescue:
    """What became of one task whose worker was killed."""

    peer: Peer
    seconds: float | None = None
    """From the kill to the second beginning."""
    failure: str = ""

    @property
    def is_in_time(self) -> bool:
        """Whether Stem does what it asks of itself; peers are asked for nothing."""
        return bool(self.peer.requirements) or (self.seconds is not None and self.seconds < _TARGET)

    def __str__(self) -> str:
        told = self.failure if self.seconds is None else f"{self.seconds:.1f} s"
        return f"{self.peer.engine:<9} {self.peer.name:<14} {told:<18} {self.peer.note}".rstrip()


def share_of(left: float, engines: int) -> float:
    """How many of the seconds that are left the next of so many engines may take."""
    return max(0.0, left / engines)


async def rescue_of(peer: Peer, python: Path, url: str, *, limit: float, share: float) -> Rescue:
    """What became of a task of this peer, watched for `limit` seconds from the kill and for `share` in all."""
    until = asyncio.get_running_loop().time() + share
    with tempfile.TemporaryDirectory(prefix="stem-rescue-") as folder:
        book = Path(folder) / "starts"
        environment = {**os.environ, URL: url, STARTS: str(book)}
        try:
            async with asyncio.timeout_at(until):
                await _enqueue_one(python, peer, environment)
                await _work_until(1, book, python, peer, environment)
        except TimeoutError:
            return Rescue(peer, failure="did not begin the task at all")
        killed = time.monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(min(until, asyncio.get_running_loop().time() + limit)):
                await _work_until(2, book, python, peer, environment)
        times = starts(book)
        waited = time.monotonic() - killed
        return Rescue(peer, times[1] - killed) if len(times) > 1 else Rescue(peer, failure=f"not within {waited:.0f} s")


async def _begun(book: Path, times: int) -> None:
    while len(starts(book)) < times:  # noqa: ASYNC110  # other processes write the file
        await asyncio.sleep(_LOOK_EVERY)


async def _enqueue_one(python: Path, peer: Peer, environment: Mapping[str, str]) -> None:
    """The producer stores a single task and ends."""
    producer = await _start(python, peer, "produce", environment, piped=True)
    assert producer.stdin is not None
    assert producer.stdout is not None
    try:
        for verb in (b"start 0\n", b"enqueue 1\n"):
            producer.stdin.write(verb)
            await producer.stdout.readline()
    finally:
        await _kill(producer)


async def _work_until(times: int, book: Path, python: Path, peer: Peer, environment: Mapping[str, str]) -> None:
    """A worker works until the task has begun so often, and is killed."""
    worker = await _start(python, peer, "work", environment, piped=False)
    try:
        await _begun(book, times)
    finally:
        await _kill(worker)


async def _start(python: Path, peer: Peer, role: str, environment: Mapping[str, str], *, piped: bool) -> Process:
    stream = PIPE if piped else DEVNULL
    return await asyncio.create_subprocess_exec(
        *(str(python), "-m", "benchmarks.peers.driver", role, peer.adapter),
        cwd=ROOT,
        env=environment,
        stdin=stream,
        stdout=stream,
        stderr=DEVNULL,
        start_new_session=True,
    )


async def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


async def _rescue(peer: Peer, python: Path | None, fresh: Fresh, *, limit: float, share: float) -> Rescue:
    if python is None:
        return Rescue(peer, failure="not installed")
    async with fresh() as url:
        return await rescue_of(peer, python, url, limit=limit, share=share)


async def _rescues(
    fresh: Fresh, everybody: Mapping[Peer, Path | None], *, limit: float, share: float
) -> Sequence[Rescue]:
    works = (_rescue(peer, python, fresh, limit=limit, share=share) for peer, python in everybody.items())
    return await asyncio.gather(*works)


def _installed(peer: Peer, venvs: Path) -> Path | None:
    """The interpreter of a peer; `None`, and why on stderr, where it cannot be installed here."""
    try:
        return python_for(peer, venvs)
    except SystemExit as error:
        print(error, file=sys.stderr)
        return None


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.rescue", description=__doc__)
    parser.add_argument("--engine", type=Engine, choices=list(Engine), action="append", help="all by default")
    parser.add_argument("--alone", action="store_true", help="Stem without any peer")
    parser.add_argument("--limit", type=float, default=120.0, metavar="SECONDS", help="for each, from the kill")
    parser.add_argument("--within", type=float, default=330.0, metavar="SECONDS", help="for all of it")
    parser.add_argument("--venvs", type=Path, default=default_folder(), metavar="PATH")
    given = parser.parse_args()
    engines: list[Engine] = given.engine or list(Engine)
    peers = {engine: (OURS[engine], *(() if given.alone else peers_of(engine, None))) for engine in engines}
    pythons = {peer: _installed(peer, given.venvs) for engine in engines for peer in peers[engine]}
    found: list[Rescue] = []
    until = time.monotonic() + given.within
    for index, engine in enumerate(engines):
        share = share_of(until - time.monotonic(), len(engines) - index)
        print(f"{engine}: {', '.join(peer.name for peer in peers[engine])}", file=sys.stderr, flush=True)
        everybody = {peer: pythons[peer] for peer in peers[engine]}
        with places_of(engine) as fresh:
            found += asyncio.run(_rescues(fresh, everybody, limit=given.limit, share=share))
    print(f"engine    who            from kill -9 to the next beginning (Stem asks of itself: below {_TARGET:g} s)")
    print("\n".join(map(str, found)))
    sys.exit(not all(rescue.is_in_time for rescue in found))


if __name__ == "__main__":
    main()
