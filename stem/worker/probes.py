"""How an orchestrator asks a worker: `/livez` and `/readyz` over HTTP, or a file that is there while it is ready."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, TypeAlias

from stem.clock import Clock, Micros
from stem.codec import dump_json
from stem.errors import ConfigError
from stem.worker.health import WorkerHealth

__all__ = ["answer_to", "keep_file", "serve"]

Ask: TypeAlias = Callable[[], WorkerHealth]

_REWRITE: Final[Micros] = 1_000_000
_LONGEST_REQUEST: Final = 8_192
_PATIENCE: Final = 5.0
_STATUS: Final = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}

_OVER: Final = WorkerHealth(live=False, ready=False)

_log: Final = logging.getLogger("stem.worker")


@asynccontextmanager
async def serve(ask: Ask, host: str, port: int) -> AsyncGenerator[int]:
    """Answer probes on this address while the body runs; the port, for one that was chosen by the system (0).

    Raises `ConfigError` for an address that cannot be had.
    """
    try:
        server = await asyncio.start_server(_Door(ask), host, port, limit=_LONGEST_REQUEST)
    except OSError as error:
        raise ConfigError(
            expected=f"an address for probes that is free: {host}:{port}",
            found=str(error.strerror or error),
            do="Choose another port with --probes.",
        ) from None
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def keep_file(ask: Ask, path: Path, clock: Clock) -> AsyncGenerator[None]:
    """While the body runs and the worker is ready, the file is there, and its time is of the last second or two.

    Raises `ConfigError` for a path that cannot be written.
    """
    try:
        _note(ask(), path)
    except OSError as error:
        raise ConfigError(
            expected=f"a file for probes that can be written: {path}",
            found=str(error.strerror or error),
            do="Correct --probe-file.",
        ) from None
    task = asyncio.get_running_loop().create_task(_keep(ask, path, clock), name="stem-probe-file")
    try:
        yield
    finally:
        task.cancel()
        with suppress(OSError):
            _note(_OVER, path)


def answer_to(request: bytes, health: WorkerHealth) -> bytes:
    """The HTTP answer to a request's first line."""
    words = request.split()
    method, target = (words[0], words[1].partition(b"?")[0]) if len(words) >= 2 else (b"", b"")
    well = {b"/livez": health.live, b"/readyz": health.ready}.get(target)
    status = 405 if method not in (b"GET", b"HEAD") else 404 if well is None else 200 if well else 503
    body = dump_json({"live": health.live, "ready": health.ready, "reasons": list(health.reasons)}) + b"\n"
    head = f"HTTP/1.1 {status} {_STATUS[status]}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"Connection: close\r\n\r\n" + (b"" if method == b"HEAD" else body)


class _Door:
    """One request for each connection, which has to come soon."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(answer_to(head.partition(b"\r\n")[0], self._ask()))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            _log.debug("a probe went away, or was none")
        finally:
            writer.close()


async def _keep(ask: Ask, path: Path, clock: Clock) -> None:
    while True:
        await clock.sleep(_REWRITE)
        try:
            _note(ask(), path)
        except OSError as error:
            _log.warning("the file for probes could not be written: %s", error)


def _note(health: WorkerHealth, path: Path) -> None:
    if not health.ready:
        path.unlink(missing_ok=True)
        return
    path.touch()
    os.utime(path)
