"""A store in a file, a way to run a command, and ways to bring tasks into every state without a worker."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from stem import Stem
from stem.cli.main import main
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import APPLIED, Bury, Change, Settle, Write
from stem.contracts.store import LeaseRequest, Store
from stem.stores.open import open_store
from stem.tasks.state import TaskEvent
from stem.tasks.status import Failure

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command did: its exit code, its data, its talk."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, object]:
        """The document on stdout."""
        document: dict[str, object] = json.loads(self.out)
        return document


Run = Callable[..., Ran]


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store of this test's own, in an empty working directory, with nothing said in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("STEM_URL", "STEM_APP"):
        monkeypatch.delenv(name, raising=False)
    return f"sqlite:///{tmp_path / 'cli.db'}"


@pytest.fixture
def run(url: str, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `stem ARGUMENTS --url URL` in this process; a URL of the test's own comes first."""

    def command(*arguments: str) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as exited:
            main([*arguments, *(() if "--url" in arguments else ("--url", url))])
        captured = capsys.readouterr()
        return Ran(int(exited.value.code or 0), captured.out, captured.err)

    return command


def enqueue(url: str, *names: str, queue: str = "default") -> list[str]:
    """Tasks of these names that wait; their ids."""

    async def publish(stem: Stem) -> list[str]:
        return [(await stem.enqueue_named(name, {"n": 1}, queue=queue, tags=("test",))).id for name in names]

    async def within() -> list[str]:
        async with Stem(url) as stem:
            return await publish(stem)

    return asyncio.run(within())


def bury(url: str, *names: str) -> list[str]:
    """Tasks of these names in the dead letters; their ids."""
    ids = enqueue(url, *names)
    asyncio.run(_end_all(url, Bury("retries", Failure("GatewayDown", "no answer\nat all", "Traceback: line 7"))))
    return ids


def succeed(url: str, name: str, result: bytes) -> str:
    """A task that has ended with this result; its id."""
    (task_id,) = enqueue(url, name)
    asyncio.run(_end_all(url, Settle(TaskEvent.SUCCEEDED, result=result)))
    return task_id


async def _end_all(url: str, write: Write) -> None:
    async def end(store: Store) -> None:
        request = LeaseRequest(
            request_id="r1", worker="w1", fingerprint="f1", queues={"default": 1}, limit=100, started=100
        )
        answer = await store.lease(request)
        changes = [Change((write,), fence=delivery.fence) for delivery in answer.deliveries]
        assert set(await store.commit(changes)) == {APPLIED}

    await _with_store(url, end)


async def _with_store(url: str, use: Callable[[Store], Awaitable[T]]) -> T:
    store = await open_store(url, StoreOptions())
    try:
        return await use(store)
    finally:
        await store.aclose()
