"""Bad input of every kind gives one clear error with its code, and nothing that was accepted is lost."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from stem.app import Stem
from stem.contracts.queries import TaskFilter
from stem.errors import (
    ConfigError,
    InvalidArguments,
    PayloadTooLarge,
    SchemaMismatch,
    StemError,
    StoreCorrupt,
    StoreFull,
    StoreReadOnly,
    TaskFailed,
)
from stem.registry import Registry, definition
from stem.signals import Attempt, NextAttempt, TaskStartedEvent
from stem.tasks.markers import task
from stem.tasks.state import TaskState

MINUTE = timedelta(seconds=60)


@task(name="orders.label", max_retries=0)
async def label(order_id: int, text: str = "") -> str:
    return f"{order_id} {text}"


@task(name="orders.untrue", max_retries=3)
async def untrue() -> int:
    return cast("int", object())


LABEL = definition(label)
REGISTRY = Registry.of(label, untrue)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "stem.db"


@pytest.fixture
async def stem(file: Path) -> AsyncIterator[Stem]:
    async with Stem(f"sqlite:///{file}") as opened:
        yield opened


def untyped(method: object) -> Callable[..., Any]:
    """As a program calls it that no type checker has seen."""
    return cast("Callable[..., Any]", method)


async def accepted(stem: Stem) -> str:
    """A task that the store has taken."""
    return (await LABEL.enqueue(stem, 1, "kept")).id


async def run_all(stem: Stem) -> dict[str, TaskState]:
    """Let a worker run what waits; the states by id."""
    async with stem.worker(REGISTRY):
        async for record in stem.inspect.every_task(TaskFilter()):
            with suppress(TaskFailed):
                await stem.handle(record.id).result(timeout=MINUTE)
    return {record.id: record.state async for record in stem.inspect.every_task(TaskFilter())}


class TestCalls:
    @pytest.mark.parametrize(
        ("args", "options", "error", "named"),
        [
            (("seven",), {}, InvalidArguments, "order_id: "),
            ((), {}, InvalidArguments, "no argument for `order_id`"),
            ((1, "a", "b"), {}, InvalidArguments, "3 positional arguments"),
            ((1,), {"prio": 3}, ConfigError, "`prio`"),
            ((1,), {"priority": 11}, ConfigError, "11"),
            ((1,), {"queue": ""}, ConfigError, "''"),
            ((1, "x" * 2_000_000), {}, PayloadTooLarge, "2,00"),
        ],
    )
    async def test_a_wrong_call_stores_nothing(
        self, args: tuple[object, ...], options: dict[str, object], error: type[StemError], named: str, stem: Stem
    ) -> None:
        kept = await accepted(stem)
        with pytest.raises(error) as refused:
            await untyped(untyped(LABEL.options)(**options).enqueue)(stem, *args)
        assert named in refused.value.found
        assert str(refused.value).startswith(f"[{error.code}] expected ")
        assert await run_all(stem) == {kept: TaskState.SUCCEEDED}

    async def test_a_result_that_cannot_be_stored_fails_its_task_and_no_other(self, stem: Stem) -> None:
        kept, handle = await accepted(stem), await definition(untrue).enqueue(stem)
        assert await run_all(stem) == {kept: TaskState.SUCCEEDED, handle.id: TaskState.FAILED}
        with pytest.raises(TaskFailed, match="return annotation"):
            await handle.result()
        status = await handle.status()
        assert (status.reason, status.attempt) == ("result_refused", 0)
        assert status.error is not None
        assert (status.error.kind, status.error.code) == ("ResultRefused", "STEM-E047")


class TestUrls:
    @pytest.mark.parametrize(
        "url",
        ["nonsense://x", "stem.db", "sqlite://", "sqlite://stem.db", "sqlite:///", "sqlite:///:memory:", "memory://x"],
    )
    async def test_a_url_that_leads_nowhere_is_refused(self, url: str) -> None:
        with pytest.raises(ConfigError) as refused:
            await Stem(url).__aenter__()
        assert refused.value.do

    @pytest.mark.parametrize("option", ["synchronous=perhaps", "colour=red"])
    async def test_an_option_in_the_url_that_is_none_is_refused(self, option: str, file: Path) -> None:
        with pytest.raises(ConfigError):
            await Stem(f"sqlite:///{file}?{option}").__aenter__()

    @pytest.mark.parametrize(
        ("url", "module", "extra"),
        [("redis://localhost", "redis", "redis"), ("postgresql://localhost/shop", "asyncpg", "postgres")],
    )
    async def test_an_engine_whose_driver_is_missing_names_the_line_that_installs_it(
        self, url: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in [name for name in sys.modules if name.startswith(f"stem.adapters.{extra}")]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(ConfigError) as refused:
            await Stem(url).__aenter__()
        assert f"pip install 'stem-jobs[{extra}]'" in refused.value.do

    async def test_a_folder_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(StemError) as refused:
            await Stem(f"sqlite:///{tmp_path}/nowhere/stem.db").__aenter__()
        assert "nowhere" in str(refused.value)
        assert refused.value.code in {"STEM-E001", "STEM-E031"}


class TestFiles:
    async def test_a_file_that_is_no_database_is_left_as_it_is(self, file: Path) -> None:
        file.write_text("Dear diary, " * 1000)
        with pytest.raises(StoreCorrupt) as refused:
            await Stem(f"sqlite:///{file}").__aenter__()
        assert refused.value.code == "STEM-E035"
        assert file.read_text() == "Dear diary, " * 1000

    async def test_a_schema_of_a_later_release_is_not_touched(self, file: Path) -> None:
        async with Stem(f"sqlite:///{file}") as stem:
            kept = await accepted(stem)
        _execute(file, "UPDATE stem_schema SET version = 999, compatible_from = 999")
        with pytest.raises(SchemaMismatch) as refused:
            await Stem(f"sqlite:///{file}").__aenter__()
        assert refused.value.code == "STEM-E032"
        assert _execute(file, "SELECT id FROM stem_tasks") == [(kept,)]

    async def test_a_later_schema_that_says_it_is_compatible_is_used(self, file: Path) -> None:
        async with Stem(f"sqlite:///{file}") as stem:
            kept = await accepted(stem)
        _execute(file, "UPDATE stem_schema SET version = 999")
        async with Stem(f"sqlite:///{file}") as stem:
            assert await run_all(stem) == {kept: TaskState.SUCCEEDED}

    async def test_a_corrupt_row_is_buried_and_its_neighbours_run(self, stem: Stem, file: Path) -> None:
        broken = (await LABEL.enqueue(stem, 1, "broken")).id
        kept = [await accepted(stem) for _ in range(3)]
        sequence = _execute(file, "SELECT seq FROM stem_tasks WHERE id = ?", broken)[0][0]
        _execute(file, "UPDATE stem_envelopes SET body = x'00ff00ff' WHERE seq = ?", sequence)
        states = await run_all(stem)
        assert states == {broken: TaskState.FAILED, **dict.fromkeys(kept, TaskState.SUCCEEDED)}
        status = await stem.handle(broken).status()
        assert status.reason == "undecodable"
        assert status.error is not None
        assert status.error.code == "STEM-E052"

    async def test_a_database_that_cannot_be_written_says_so_and_loses_nothing(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with Stem(f"sqlite:///{file}") as stem:
            kept = await accepted(stem)
        with monkeypatch.context() as patch:
            _every_connection(patch, "PRAGMA query_only = 1")
            with pytest.raises(StoreReadOnly) as refused:
                async with Stem(f"sqlite:///{file}") as stem:
                    await accepted(stem)
            assert refused.value.code == "STEM-E033"
        async with Stem(f"sqlite:///{file}") as stem:
            assert await run_all(stem) == {kept: TaskState.SUCCEEDED}

    async def test_a_full_disk_refuses_what_is_new_and_keeps_what_was_accepted(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            _every_connection(patch, "PRAGMA max_page_count = 100")
            async with Stem(f"sqlite:///{file}") as stem:
                ids, full = await _fill(stem)
                assert full.code == "STEM-E034"
                assert {record.id async for record in stem.inspect.every_task(TaskFilter())} == set(ids)
        async with Stem(f"sqlite:///{file}") as stem:
            more = await accepted(stem)
            assert await run_all(stem) == dict.fromkeys([*ids, more], TaskState.SUCCEEDED)


async def _fill(stem: Stem) -> tuple[list[str], StoreFull]:
    """Enqueue until the disk is full: what was accepted, and the error."""
    ids: list[str] = []
    while len(ids) < 1000:
        try:
            ids.append((await LABEL.enqueue(stem, 1, "x" * 20_000)).id)
        except StoreFull as full:
            return ids, full
    raise AssertionError("the disk never was full")


def _execute(file: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with sqlite3.connect(file) as connection:
        rows: list[tuple[Any, ...]] = connection.execute(statement, values).fetchall()
    connection.close()
    return rows


def _every_connection(patch: pytest.MonkeyPatch, pragma: str) -> None:
    """From now on every connection of this process begins with this setting."""
    connect = sqlite3.connect

    def limited(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **kwargs)
        connection.execute(pragma)
        return connection

    patch.setattr(sqlite3, "connect", limited)


class Wrong:
    """Middleware that raises before the task of this text, or never ends."""

    async def around_attempt(self, attempt: Attempt, call_next: NextAttempt) -> None:
        if attempt.headers.get("wrong") == "raises":
            raise LookupError("no span")
        if attempt.headers.get("wrong") == "hangs":
            await asyncio.Event().wait()
        await call_next()


@pytest.mark.parametrize(("wrong", "says"), [("raises", "LookupError from Wrong"), ("hangs", "no end of Wrong")])
async def test_middleware_that_raises_or_hangs_fails_its_task_and_no_other(file: Path, wrong: str, says: str) -> None:
    limit = timedelta(milliseconds=200)
    async with (
        Stem(f"sqlite:///{file}", middleware=[Wrong()]) as stem,
        stem.worker(REGISTRY, concurrency=1, middleware_limit=limit),
    ):
        with pytest.raises(TaskFailed, match=rf"STEM-E053.*found {says}\. \w+ "):
            await stem.enqueue_and_wait(LABEL.options(headers={"wrong": wrong}).call(1), timeout=MINUTE)
        assert await stem.enqueue_and_wait(LABEL.call(2), timeout=MINUTE) == "2 "


async def test_a_handler_of_signals_that_hangs_holds_up_no_task(stem: Stem) -> None:
    gate = asyncio.Event()

    async def hang(_: TaskStartedEvent) -> None:
        await gate.wait()

    stem.signals.task_started.connect(hang)
    async with stem.worker(REGISTRY):
        assert await stem.enqueue_and_wait(LABEL.call(1), timeout=MINUTE) == "1 "
        assert await stem.enqueue_and_wait(LABEL.call(2), timeout=MINUTE) == "2 "
    gate.set()
