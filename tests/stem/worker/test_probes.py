"""Probes over HTTP and by a file."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from stem.errors import ConfigError
from stem.testing import ManualClock
from stem.worker.health import WorkerHealth
from stem.worker.probes import answer_to, keep_file, serve

READY = WorkerHealth(live=True, ready=True)
BUSY = WorkerHealth(live=True, ready=False, reasons=("no answer",))


async def get(port: int, request: bytes) -> tuple[int, bytes]:
    """The status and the body of an answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return int(head.split()[1]), body


@pytest.mark.parametrize(
    ("request_", "health", "status"),
    [
        (b"GET /livez HTTP/1.1", BUSY, 200),
        (b"GET /readyz HTTP/1.1", BUSY, 503),
        (b"GET /readyz?verbose HTTP/1.1", READY, 200),
        (b"HEAD /readyz HTTP/1.1", READY, 200),
        (b"GET / HTTP/1.1", READY, 404),
        (b"POST /readyz HTTP/1.1", READY, 405),
        (b"garbage", READY, 405),
        (b"", READY, 405),
    ],
)
def test_each_request_gets_the_status_that_fits(request_: bytes, health: WorkerHealth, status: int) -> None:
    assert answer_to(request_, health).split()[1] == str(status).encode()


async def test_the_answer_says_why_not() -> None:
    async with serve(lambda: BUSY, "127.0.0.1", 0) as port:
        status, body = await get(port, b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (status, json.loads(body)) == (503, {"live": True, "ready": False, "reasons": ["no answer"]})


async def test_a_request_that_is_too_long_is_cut_off_and_the_next_one_answered() -> None:
    async with serve(lambda: READY, "127.0.0.1", 0) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /" + b"x" * 100_000)
        assert await reader.read() == b""
        writer.close()
        assert (await get(port, b"GET /livez HTTP/1.1\r\n\r\n"))[0] == 200


async def test_an_address_that_is_taken_is_one_clear_error() -> None:
    async with serve(lambda: READY, "127.0.0.1", 0) as port:
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port}"):
            async with serve(lambda: READY, "127.0.0.1", port):
                pass


async def test_the_file_is_there_while_the_worker_is_ready(tmp_path: Path, clock: ManualClock) -> None:
    path, health = tmp_path / "ready", [READY]
    async with keep_file(lambda: health[0], path, clock):
        assert path.exists()
        health[0] = BUSY
        await clock.run_for(1)
        assert not path.exists()
        health[0] = READY
        await clock.run_for(1)
        assert path.exists()
    assert not path.exists()


async def test_a_file_that_cannot_be_written_is_one_clear_error(tmp_path: Path, clock: ManualClock) -> None:
    with pytest.raises(ConfigError, match="--probe-file"):
        async with keep_file(lambda: READY, tmp_path / "none" / "ready", clock):
            pass
