"""A registry holds one handler per name, tells which tasks it can run, and gives the names that stem-build gives."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest

from stem.errors import ConfigError, InvalidArguments
from stem.registry import Registry, definition
from stem.tasks.context import TaskContext
from stem.tasks.markers import task


@dataclass
class Pair:
    left: int
    right: int


@task(name="tests.add", queue="maths", priority=4)
async def add(a: int, b: int = 2) -> int:
    return a + b


@task(name="tests.swap")
def swap(ctx: TaskContext, pair: Pair, *, times: int = 1) -> Pair:
    """Exchange both sides."""
    return Pair(pair.right, pair.left)


@task
def unnamed() -> None: ...


def undecorated() -> None: ...


def task_like(**options: object) -> Callable[..., object]:
    """A handler whose decorator was given these options."""
    decorate = cast("Callable[..., Callable[[object], Callable[..., object]]]", task)

    def handler() -> None: ...

    return decorate(**options)(handler)


class TestOf:
    def test_every_handler_is_found_under_its_name(self) -> None:
        registry = Registry.of(swap, add)
        assert registry.names == ("tests.add", "tests.swap")
        binding = registry.get("tests.add")
        assert binding is not None
        assert binding.handler is add

    def test_a_name_that_nobody_has_gives_none(self) -> None:
        assert Registry.of(add).get("tests.subtract") is None

    def test_it_sees_whether_a_handler_is_a_coroutine_and_wants_its_context(self) -> None:
        shapes = [(binding.wants_context, binding.is_async) for binding in Registry.of(add, swap).bindings]
        assert shapes == [(False, True), (True, False)]

    def test_a_function_without_the_decorator_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="undecorated"):
            Registry.of(add, undecorated)

    def test_two_handlers_of_one_name_are_refused_and_both_are_named(self) -> None:
        other = task_like(name="tests.add")
        with pytest.raises(ConfigError) as refused:
            Registry.of(add, other)
        assert "'tests.add'" in refused.value.expected
        assert ":add" in refused.value.found
        assert "handler" in refused.value.found

    def test_an_alias_that_is_another_tasks_name_is_refused(self) -> None:
        with pytest.raises(ConfigError, match=r"'tests\.add'"):
            Registry.of(add, task_like(name="tests.sum", aliases=("tests.add",)))

    def test_an_alias_leads_to_the_handler_but_is_no_name_of_its_own(self) -> None:
        registry = Registry.of(task_like(name="tests.sum", aliases=("tests.old_sum",)))
        assert registry.get("tests.old_sum") is registry.get("tests.sum") is not None
        assert registry.names == ("tests.sum",)

    def test_an_empty_registry_has_no_names(self) -> None:
        assert Registry.of().names == ()


class TestMerge:
    def test_the_tasks_of_all_are_in_the_merged_one(self) -> None:
        merged = Registry.merge(Registry.of(add), Registry.of(swap), Registry.of())
        assert merged.names == ("tests.add", "tests.swap")

    def test_different_handlers_of_one_name_are_refused(self) -> None:
        with pytest.raises(ConfigError, match=r"'tests\.add'"):
            Registry.merge(Registry.of(add), Registry.of(task_like(name="tests.add")))

    def test_the_same_handler_in_two_registries_is_one_task(self) -> None:
        merged = Registry.merge(Registry.of(add, swap), Registry.of(add))
        assert merged.names == ("tests.add", "tests.swap")
        assert len(merged.bindings) == 2


class TestFingerprint:
    def test_it_does_not_depend_on_the_order(self) -> None:
        assert Registry.of(add, swap).fingerprint == Registry.of(swap, add).fingerprint

    @pytest.mark.parametrize(
        "options", [{"name": "tests.other"}, {"version": 2}, {"accepts": (0,)}, {"aliases": ("tests.old",)}]
    )
    def test_it_changes_with_what_the_registry_can_run(self, options: dict[str, object]) -> None:
        first = Registry.of(task_like(name="tests.one"))
        second = Registry.of(task_like(**{"name": "tests.one", **options}))
        assert first.fingerprint != second.fingerprint

    def test_it_stays_when_only_the_way_of_running_changes(self) -> None:
        first = Registry.of(task_like(name="tests.one"))
        second = Registry.of(task_like(name="tests.one", run_in="thread", queue="other"))
        assert first.fingerprint == second.fingerprint


class TestDefinition:
    def test_it_has_the_decorators_options(self) -> None:
        assert definition(add).publish_options.queue == "maths"
        assert definition(add).publish_options.priority == 4

    def test_it_validates_like_the_handlers_signature(self) -> None:
        assert definition(add).call(1, b=3).payload == b'{"a":1,"b":3}'
        with pytest.raises(InvalidArguments):
            cast("Any", definition(add)).call("one")

    def test_the_context_is_no_part_of_it(self) -> None:
        payload = definition(swap).call(Pair(1, 2), times=3).payload
        assert payload == b'{"pair":{"left":1,"right":2},"times":3}'

    def test_the_handler_gets_what_the_producer_gave(self) -> None:
        binding = Registry.of(swap).get("tests.swap")
        assert binding is not None
        payload = definition(swap).call(Pair(1, 2)).payload
        assert binding.decode_arguments(payload) == {"pair": Pair(1, 2)}

    def test_the_result_comes_back_as_its_type(self) -> None:
        assert definition(swap).decode_result(b'{"left":2,"right":1}') == Pair(2, 1)

    def test_it_is_the_definition_that_the_registry_binds(self) -> None:
        binding = Registry.of(add).get("tests.add")
        assert binding is not None
        assert (binding.definition.name, binding.definition.version) == (definition(add).name, definition(add).version)

    @pytest.mark.parametrize("source", ["*args: int", "**options: int", "number: int, /"])
    def test_parameters_without_a_name_cannot_travel(self, source: str) -> None:
        scope: dict[str, Any] = {}
        exec(f"def handler({source}) -> None: ...", scope)
        with pytest.raises(ConfigError, match="parameters that can travel"):
            definition(task(scope["handler"]))

    def test_an_annotation_that_cannot_be_resolved_says_so(self) -> None:
        scope: dict[str, Any] = {}
        exec("def handler(thing: 'Mystery') -> None: ...", scope)
        with pytest.raises(ConfigError, match="Mystery"):
            definition(task(scope["handler"]))
        with pytest.raises(ConfigError, match="Mystery"):
            Registry.of(task(scope["handler"]))

    def test_a_function_without_the_decorator_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="undecorated"):
            definition(undecorated)


class TestNames:
    @staticmethod
    def named(module_name: str, **attributes: object) -> str:
        """The default name of a task that is defined in such a module."""
        module = ModuleType(module_name)
        module.__dict__.update(attributes)
        exec("def send() -> None: ...", module.__dict__)
        sys.modules[module_name] = module
        try:
            return definition(task(module.__dict__["send"])).name
        finally:
            del sys.modules[module_name]

    def test_a_name_begins_with_the_package(self) -> None:
        assert self.named("shop.mail.tasks", __package__="shop.mail") == "shop.mail.send"

    @pytest.mark.parametrize("package", ["", None])
    def test_a_module_of_its_own_counts_under_its_name(self, package: str | None) -> None:
        assert self.named("jobs", __package__=package) == "jobs.send"

    def test_a_file_that_is_run_counts_under_its_own_name(self, tmp_path: Path) -> None:
        script = tmp_path / "quick.py"
        script.write_text(
            "from stem import definition, task\n@task\ndef send() -> None: ...\nprint(definition(send).name)\n"
        )
        run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=60)
        assert run.stdout == "quick.send\n"

    def test_a_module_that_is_run_counts_under_its_package(self, tmp_path: Path) -> None:
        package = tmp_path / "shop"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "tasks.py").write_text(
            "from stem import definition, task\n@task\ndef send() -> None: ...\nprint(definition(send).name)\n"
        )
        command = [sys.executable, "-m", "shop.tasks"]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
        assert run.stdout == "shop.send\n"
