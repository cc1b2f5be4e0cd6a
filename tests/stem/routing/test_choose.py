"""From a client's rules to the queue of its tasks, and of its workers."""

from __future__ import annotations

from pathlib import Path

import pytest

from stem import Registry, Stem, SyncStem, definition, task
from stem.errors import ConfigError
from stem.routing import QueueRules, Route, Routing
from stem.routing.choose import choose_router

RULES = Routing(
    queues={"default": QueueRules(), "sums": QueueRules(aliases=("math",))},
    routes=(Route(queue="math", priority=4, task=("tests.*",)),),
)
FILE = 'routes: [{match: {task: "tests.*"}, queue: sums}]\n'


@task(name="tests.add")
async def add(a: int, b: int) -> int:
    return a + b


async def test_a_task_goes_where_the_rules_say_and_a_worker_serves_that_queue_by_an_alias() -> None:
    async with Stem("memory://", routing=RULES) as stem, stem.worker(Registry.of(add), queues=("math",)) as worker:
        handle = await definition(add).enqueue(stem, 1, 2)
        assert await handle.result() == 3
        status = await handle.status()
    assert (status.queue, status.priority, dict(worker.settings.queues)) == ("sums", 4, {"sums": 1})


async def test_every_way_to_enqueue_is_routed() -> None:
    async with Stem("memory://", routing=RULES) as stem:
        (one,) = await stem.enqueue_many([definition(add).call(1, 2)])
        named = await stem.enqueue_named("tests.add", {"a": 1, "b": 2})
        assert [(await handle.status()).queue for handle in (one, named)] == ["sums", "sums"]


def test_blocking_clients_have_the_same_rules(tmp_path: Path) -> None:
    with SyncStem(f"sqlite:///{tmp_path / 'a.db'}", routing=RULES) as stem:
        assert stem.enqueue(definition(add).call(1, 2)).status().queue == "sums"


@pytest.mark.parametrize("as_text", [True, False])
def test_rules_come_from_the_file_that_is_named(tmp_path: Path, as_text: bool) -> None:
    path = tmp_path / "routing.yaml"
    path.write_text(FILE)
    router = choose_router(str(path) if as_text else path, {})
    assert router is not None
    assert router.options("tests.add", {}, {}).queue == "sums"


def test_the_environment_names_a_file_where_nothing_was_passed(tmp_path: Path) -> None:
    path = tmp_path / "routing.yaml"
    path.write_text(FILE)
    environment = {"STEM_ROUTING": str(path)}
    found, given = choose_router(None, environment), choose_router(Routing(), environment)
    assert found is not None
    assert given is not None
    assert (found.options("tests.add", {}, {}).queue, given.options("tests.add", {}, {}).queue) == ("sums", "default")


def test_without_rules_there_is_no_router() -> None:
    assert choose_router(None, {"STEM_ROUTING": ""}) is None


def test_a_file_that_is_not_there_is_told_when_the_client_is_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a routing file that can be read"):
        Stem("memory://", routing=tmp_path / "none.yaml")
