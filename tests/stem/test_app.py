"""`Stem` ties a store, a client and a worker together, and says clearly what it cannot do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest

from stem.app import Stem
from stem.contracts.queries import TaskFilter
from stem.errors import ConfigError, InvalidArguments, PayloadTooLarge, TaskCancelled, TaskFailed, UnknownTask
from stem.registry import Registry, definition
from stem.stores.settings import DEFAULT_URL
from stem.tasks.context import TaskContext
from stem.tasks.definition import task_def
from stem.tasks.markers import task
from stem.tasks.retry import Retry
from stem.tasks.state import TaskState
from stem.tasks.status import Progress
from stem.testing import ManualClock

NO_WAIT = Retry(initial=timedelta(0))


@task(name="tests.add", unique="{a}")
async def add(a: int, b: int = 2) -> int:
    return a + b


@task(name="tests.thread")
def thread(ctx: TaskContext, text: str) -> str:
    ctx.progress(1, 2, "half")
    return text.upper()


@task(name="tests.fail", retry=NO_WAIT, max_retries=2)
async def fail() -> None:
    raise ValueError("not today")


@task(name="tests.give_up", retry=Retry(give_up_on=(KeyError,)))
async def give_up() -> None:
    raise KeyError("gone")


@task(name="tests.third_time", retry=NO_WAIT)
async def third_time(ctx: TaskContext) -> int:
    if ctx.attempt < 2:
        ctx.retry(timedelta(0), "not yet")
    return ctx.attempt


@task(name="tests.pooled")
async def pooled(ctx: TaskContext[list[str]]) -> list[str]:
    return ctx.state


@task(name="tests.parent")
async def parent(ctx: TaskContext) -> list[str]:
    handle = await ctx.enqueue(definition(add).call(40))
    return [handle.id, ctx.follow_up(definition(thread).call("after"))]


@task(name="tests.endless", lease=timedelta(seconds=1))
async def endless(ctx: TaskContext) -> None:
    ctx.progress(0)
    await asyncio.Event().wait()


REGISTRY = Registry.of(add, thread, fail, give_up, third_time, pooled, parent, endless)


@asynccontextmanager
async def lifespan() -> AsyncGenerator[object]:
    pool = ["open"]
    yield pool
    pool[0] = "closed"


@pytest.fixture
async def stem() -> AsyncIterator[Stem]:
    """A client with a worker beside it in this process."""
    async with Stem("memory://", lifespan=lifespan) as opened, opened.worker(REGISTRY):
        yield opened


class TestWork:
    async def test_a_task_is_enqueued_run_and_answered(self, stem: Stem) -> None:
        assert await definition(add).enqueue_and_wait(stem, 40) == 42

    async def test_a_plain_function_runs_in_a_thread_with_its_context(self, stem: Stem) -> None:
        handle = await definition(thread).enqueue(stem, "loud")
        assert await handle.result() == "LOUD"
        assert (await handle.status()).progress == Progress(
            sequence=(1 << 32) + 1, done=1, total=2, message="half", data=None
        )

    async def test_a_failing_task_is_tried_as_often_as_it_may_be(self, stem: Stem) -> None:
        handle = await definition(fail).enqueue(stem)
        with pytest.raises(TaskFailed, match="not today") as failed:
            await handle.result()
        assert failed.value.kind == "ValueError"
        assert "raise ValueError" in failed.value.traceback
        status = await handle.status()
        assert (status.state, status.attempt, status.reason) == (TaskState.FAILED, 2, "retries_used_up")

    async def test_an_error_to_give_up_on_is_not_repeated(self, stem: Stem) -> None:
        handle = await definition(give_up).enqueue(stem)
        with pytest.raises(TaskFailed):
            await handle.result()
        status = await handle.status()
        assert (status.attempt, status.reason) == (0, "not_retried")

    async def test_a_task_that_asks_for_a_retry_gets_one(self, stem: Stem) -> None:
        assert await definition(third_time).enqueue_and_wait(stem) == 2

    async def test_the_lifespans_value_is_the_state_of_every_task(self, stem: Stem) -> None:
        assert await definition(pooled).enqueue_and_wait(stem) == ["open"]

    async def test_a_task_enqueues_others_in_its_own_lineage(self, stem: Stem) -> None:
        handle = await definition(parent).enqueue(stem)
        children = await handle.result()
        assert await stem.handle(children[0]).result() == 42
        assert await stem.handle(children[1]).result() == "AFTER"
        for child in children:
            status = await stem.handle(child).status()
            assert (status.root, status.parent) == (handle.id, handle.id)

    async def test_a_running_task_can_be_terminated(self, stem: Stem) -> None:
        handle = await definition(endless).enqueue(stem)
        await anext(handle.progress())
        await handle.cancel(terminate=True)
        with pytest.raises(TaskCancelled):
            await handle.result(timeout=timedelta(seconds=60))

    async def test_a_hundred_tasks_at_once_each_give_their_own_result(self, stem: Stem) -> None:
        batch = await stem.enqueue_many([definition(add).call(number) for number in range(100)])
        assert await batch.result() == [number + 2 for number in range(100)]


class TestNamedCalls:
    async def test_a_name_and_a_map_are_enough(self, stem: Stem) -> None:
        handle = await stem.enqueue_named("tests.add", {"a": 1, "b": 1}, registry=REGISTRY)
        assert await handle.result() == 2

    async def test_without_a_registry_the_worker_checks_the_arguments(self, stem: Stem) -> None:
        assert await (await stem.enqueue_named("tests.add", {"a": 1})).result() == 3
        wrong = await stem.enqueue_named("tests.add", {"a": "one"})
        with pytest.raises(TaskFailed, match="a: "):
            await wrong.result()
        assert (await wrong.status()).reason == "undecodable"

    async def test_with_a_registry_the_arguments_are_checked_before_anything_is_stored(self, stem: Stem) -> None:
        with pytest.raises(InvalidArguments):
            await stem.enqueue_named("tests.add", {"a": "one"}, registry=REGISTRY)
        assert [record async for record in stem.inspect.every_task(TaskFilter())] == []

    async def test_a_name_that_the_registry_does_not_have_is_refused(self, stem: Stem) -> None:
        with pytest.raises(UnknownTask) as refused:
            await stem.enqueue_named("tests.sub", {}, registry=REGISTRY)
        assert refused.value.code == "STEM-E022"
        assert "tests.add" in refused.value.expected

    async def test_options_hold_as_in_a_typed_call(self) -> None:
        async with Stem("memory://") as stem:
            handle = await stem.enqueue_named("tests.add", {"a": 1}, registry=REGISTRY, priority=7, queue="slow")
            status = await handle.status()
            assert (status.priority, status.queue) == (7, "slow")

    async def test_it_is_unique_where_a_typed_call_is(self) -> None:
        async with Stem("memory://") as stem:
            typed = await definition(add).enqueue(stem, 1)
            named = await stem.enqueue_named("tests.add", {"a": 1, "b": 9}, registry=REGISTRY)
            assert (named.id, named.duplicate) == (typed.id, True)

    async def test_a_map_that_json_cannot_hold_is_refused(self, stem: Stem) -> None:
        with pytest.raises(ConfigError):
            await stem.enqueue_named("tests.add", {"a": object()})


class TestOpening:
    def test_without_a_url_it_is_that_of_the_environment_else_a_file_here(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("STEM_URL", "memory://")
        assert repr(Stem()) == "Stem('memory://')"
        monkeypatch.delenv("STEM_URL")
        assert repr(Stem()) == f"Stem('{DEFAULT_URL}')"

    def test_making_a_client_touches_nothing(self, tmp_path: Path) -> None:
        Stem(f"sqlite:///{tmp_path}/stem.db")
        assert list(tmp_path.iterdir()) == []

    def test_a_password_does_not_appear_when_it_is_printed(self) -> None:
        assert "hunter2" not in repr(Stem("redis://me:hunter2@example.org/0"))

    @pytest.mark.parametrize("url", ["", "stem.db", "mysql://host/db", "://", "sqlite", "memory:/x", "Hello://x"])
    async def test_a_url_with_an_unknown_scheme_lists_the_known_ones(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("STEM_URL", "nonsense")
        with pytest.raises(ConfigError) as refused:
            await Stem(url).__aenter__()
        assert "memory://" in refused.value.expected
        assert refused.value.code == "STEM-E001"

    @pytest.mark.parametrize("scheme", ["mysql", "amqps"])
    async def test_an_engine_that_is_not_there_is_a_clear_error(self, scheme: str) -> None:
        with pytest.raises(ConfigError) as refused:
            await Stem(f"{scheme}://me:hunter2@example.org/0").__aenter__()
        assert "hunter2" not in str(refused.value)
        assert "nstall" in refused.value.do

    async def test_a_missing_driver_names_the_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def missing(name: str) -> ModuleType:
            del name
            raise ModuleNotFoundError("No module named 'aiosqlite'", name="aiosqlite")

        monkeypatch.setattr("importlib.import_module", missing)
        with pytest.raises(ConfigError) as refused:
            await Stem("sqlite:///x.db").__aenter__()
        assert "aiosqlite" in refused.value.found
        assert "stem-jobs[sqlite]" in refused.value.do

    @pytest.mark.parametrize("defaults", [{"queue": ""}, {"prio": 3}, {"unique": True}, {"rate_limit_key": "{user}"}])
    def test_defaults_that_make_no_sense_are_refused_when_it_is_made(self, defaults: dict[str, Any]) -> None:
        with pytest.raises(ConfigError):
            Stem("memory://", defaults=cast("Any", defaults))

    async def test_entering_twice_is_one_opening(self) -> None:
        stem = Stem("memory://")
        async with stem, stem:
            await definition(add).enqueue(stem, 1)


class TestClosing:
    async def test_a_client_that_is_not_open_says_how_to_open_it(self) -> None:
        with pytest.raises(ConfigError, match="async with"):
            await definition(add).enqueue(Stem("memory://"), 1)

    async def test_a_closed_client_answers_nothing_any_more(self) -> None:
        async with Stem("memory://") as stem:
            handle = await definition(add).enqueue(stem, 1)
        for ask in (handle.status, handle.result, handle.cancel):
            with pytest.raises(ConfigError):
                await ask()
        with pytest.raises(ConfigError):
            await anext(handle.progress())

    async def test_closing_twice_is_one_closing(self) -> None:
        async with Stem("memory://") as stem:
            await stem.aclose()
            await stem.aclose()

    async def test_it_can_be_opened_again(self, tmp_path: Path) -> None:
        stem = Stem("memory://")
        async with stem:
            pass
        async with stem:
            assert (await definition(add).enqueue(stem, 1)).id


class TestWorkerSettings:
    @pytest.mark.parametrize(
        "settings", [{"queues": ()}, {"queues": {"a": 0}}, {"concurrency": 0}, {"drain": timedelta(seconds=-1)}]
    )
    async def test_settings_that_make_no_sense_are_refused(self, settings: dict[str, Any]) -> None:
        async with Stem("memory://") as stem:
            make = cast("Callable[..., object]", stem.worker)
            with pytest.raises(ConfigError):
                make(REGISTRY, **settings)

    async def test_a_worker_that_could_not_run_a_task_does_not_start(self) -> None:
        @task(name="tests.forked", run_in="process")
        def forked() -> None: ...

        async with Stem("memory://") as stem:
            with pytest.raises(ConfigError, match=r"tests\.forked"):
                await stem.worker(Registry.of(forked)).__aenter__()

    async def test_names_of_queues_are_queues_of_equal_weight(self) -> None:
        async with Stem("memory://") as stem:
            worker = stem.worker(REGISTRY, queues=("a", "b"), name="w")
            assert (dict(worker.settings.queues), worker.name) == ({"a": 1, "b": 1}, "w")


async def test_time_is_the_injected_clocks() -> None:
    clock = ManualClock()
    async with Stem("memory://", clock=clock) as stem:
        handle = await definition(add).options(delay=timedelta(days=1)).enqueue(stem, 1)
        status = await handle.status()
        assert status.due_at is not None
        assert status.due_at - status.published_at == timedelta(days=1)


async def test_a_payload_over_the_clients_limit_is_refused() -> None:
    async with Stem("memory://", payload_limit=10) as stem:
        with pytest.raises(PayloadTooLarge):
            await definition(thread).enqueue(stem, "x" * 10)


def test_preloading_builds_every_definition_of_a_module() -> None:
    @task_def("tests.broken", types={"Gone": "no_such_module:Gone"})
    def broken(value: int) -> Gone:  # type: ignore[name-defined]  # pyright: ignore[reportUndefinedVariable]  # noqa: F821 - a name of the generated table
        raise NotImplementedError

    module = ModuleType("tests_generated")
    Stem("memory://").preload(module)
    module.__dict__["broken"] = broken
    with pytest.raises(ConfigError, match=r"tests\.broken"):
        Stem("memory://").preload(module)
