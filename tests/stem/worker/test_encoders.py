"""Encoded arguments and results, from the producer through the worker to whoever waits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from stem import Registry, Stem, SyncStem, definition, task
from stem.tasks.encoders import Base64, Encoders, Zlib, name_of
from stem.tasks.envelope import decode_envelope
from stem.tasks.state import TaskState
from tests.stem.worker.support import eventually

TEXT = "a" * 5_000


@task(name="tests.twice")
async def twice(text: str) -> str:
    return text + text


TWICE = definition(twice)


@dataclass(frozen=True)
class Hidden:
    """An encoder of an application's own."""

    name: str = "hidden"

    def encode(self, data: bytes, /) -> bytes:
        return data[::-1]

    def decode(self, data: bytes, /) -> bytes:
        return data[::-1]


async def test_what_is_stored_is_encoded_and_nobody_else_sees_it() -> None:
    encoders = Encoders(arguments=Zlib(), results=Base64())
    async with Stem("memory://", encoders=encoders) as stem, stem.worker(Registry.of(twice)):
        handle = await TWICE.enqueue(stem, TEXT)
        assert await handle.result() == TEXT + TEXT
        record = await stem.inspect.task(handle.id)
    assert name_of(decode_envelope(record.envelope).payload) == "zlib"
    assert name_of(record.result or b"") == "base64"


async def test_plain_and_encoded_tasks_live_beside_each_other(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    encoded = Encoders(arguments=Zlib(), results=Zlib())
    async with Stem(url) as plain, Stem(url, encoders=encoded) as packing, packing.worker(Registry.of(twice)):
        handles = [await TWICE.enqueue(stem, TEXT) for stem in (plain, packing)]
        results = [await plain.handle(handle.id).result() for handle in handles]
    assert results == [TEXT + TEXT, TEXT + TEXT]


def test_blocking_clients_encode_too(tmp_path: Path) -> None:
    with SyncStem(f"sqlite:///{tmp_path / 'a.db'}", encoders=Encoders(arguments=Zlib())) as stem:
        assert stem.enqueue(TWICE.call(TEXT)).status().state is TaskState.QUEUED


@pytest.mark.parametrize(
    ("known", "end"), [((Hidden(),), (TaskState.SUCCEEDED, None)), ((), (TaskState.FAILED, "undecodable"))]
)
async def test_a_worker_that_does_not_know_the_encoder_buries_the_task_with_the_reason(
    tmp_path: Path, known: tuple[Hidden, ...], end: tuple[TaskState, str | None]
) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    writing, reading = Encoders(arguments=Hidden()), Encoders(known=known)
    async with Stem(url, encoders=writing) as producer, Stem(url, encoders=reading) as other:
        handle = await TWICE.enqueue(producer, "b")
        async with other.worker(Registry.of(twice)) as worker:
            await eventually(lambda: bool(worker.stats.ended))
        status = await handle.status()
    assert (status.state, status.reason) == end
