"""How long a task waits whose worker was killed with SIGKILL, until a new worker begins it again.

    python -m benchmarks.peers.rescue [--engine redis] [--limit 120]

One run each, at default settings of rescue, all at the same time, because nearly all of it is waiting: one task, one
worker, which is killed while the task runs and started again at once. Prints one table.
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
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from .inside import URL
from .marks import STARTS, starts
from .places import Fresh, places_of
from .roster import OURS, Engine, Peer, peers_of
from .turn import ROOT
from .venvs import default_folder, python_for

__all__ = ["rescue_of"]

_LOOK_EVERY: Final = 0.05
_PATIENCE: Final = 60.0
_TARGET: Final = 15.0


async def rescue_of(peer: Peer, python: Path, url: str, *, limit: float) -> float | None:
    """Seconds from the kill to the second beginning; `None` when there was none within `limit`.

    Raises `TimeoutError` when the task does not even begin once.
    """
    with tempfile.TemporaryDirectory(prefix="stem-rescue-") as folder:
        book = Path(folder) / "starts"
        environment = {**os.environ, URL: url, STARTS: str(book)}
        await _enqueue_one(python, peer, environment)
        first = await _work(python, peer, environment)
        try:
            async with asyncio.timeout(_PATIENCE):
                await _begun(book, 1)
        finally:
            await _kill(first)
        killed = time.monotonic()
        second = await _work(python, peer, environment)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(limit):
                    await _begun(book, 2)
        finally:
            await _kill(second)
        times = starts(book)
        return times[1] - killed if len(times) > 1 else None


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
            async with asyncio.timeout(_PATIENCE):
                await producer.stdout.readline()
    finally:
        await _kill(producer)


async def _work(python: Path, peer: Peer, environment: Mapping[str, str]) -> Process:
    return await _start(python, peer, "work", environment, piped=False)


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


async def _row(peer: Peer, python: Path, fresh: Fresh, limit: float) -> str:
    async with fresh() as url:
        try:
            seconds = await rescue_of(peer, python, url, limit=limit)
        except TimeoutError:
            return f"{peer.engine:<9} {peer.name:<14} did not begin the task at all"
    told = f"not within {limit:g} s" if seconds is None else f"{seconds:.1f} s"
    return f"{peer.engine:<9} {peer.name:<14} {told:<18} {peer.note}".rstrip()


async def _rows(engine: Engine, fresh: Fresh, everybody: Mapping[str, tuple[Peer, Path]], limit: float) -> list[str]:
    print(f"{engine}: {', '.join(everybody)}", file=sys.stderr, flush=True)
    return await asyncio.gather(*(_row(peer, python, fresh, limit) for peer, python in everybody.values()))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.rescue", description=__doc__)
    parser.add_argument("--engine", type=Engine, choices=list(Engine), action="append", help="all by default")
    parser.add_argument("--alone", action="store_true", help="Stem without any peer")
    parser.add_argument("--limit", type=float, default=120.0, metavar="SECONDS")
    parser.add_argument("--venvs", type=Path, default=default_folder(), metavar="PATH")
    given = parser.parse_args()
    table: list[str] = []
    for engine in given.engine or list(Engine):
        peers = [] if given.alone else peers_of(engine, None)
        everybody = {peer.name: (peer, python_for(peer, given.venvs)) for peer in (OURS[engine], *peers)}
        with places_of(engine) as fresh:
            table += asyncio.run(_rows(engine, fresh, everybody, given.limit))
    print(f"engine    who            from kill -9 to the next beginning (Stem asks of itself: below {_TARGET:g} s)")
    print("\n".join(table))


if __name__ == "__main__":
    main()
