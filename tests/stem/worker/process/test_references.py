"""Which functions a child process can import, and what is said of the others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stem import ConfigError, Registry, task
from stem.worker.process.apart import apart_of, setup_of
from stem.worker.process.references import reference_of, resolve
from stem.worker.run import make_jobs
from tests.stem.worker.process import tasks

SCRIPT = """
import sys
from stem import Registry, task
from stem.worker.process.references import reference_of, resolve

@task(run_in="process")
def add(a: int) -> int:
    return a + 1

{guard}
    reference = reference_of(add, what="it")
    found = resolve(reference)
    print(reference.rpartition("/")[2], found.__module__, found(1))
"""


def test_a_function_of_a_module_is_found_by_its_name() -> None:
    reference = reference_of(tasks.twice, what="it")

    assert reference == "tests.stem.worker.process.tasks:twice"
    assert resolve(reference) is tasks.twice


def _hidden() -> Callable[..., object]:
    def inner() -> None:
        raise NotImplementedError

    return inner


def _moved() -> Callable[..., object]:
    def other() -> None:
        raise NotImplementedError

    other.__qualname__ = "SCRIPT"
    return other


@pytest.mark.parametrize(
    ("function", "found"),
    [(_hidden(), "which no import gives"), (lambda: None, "which no import gives"), (_moved(), "another object")],
)
def test_what_no_import_gives_is_refused_by_name(function: Callable[..., object], found: str) -> None:
    with pytest.raises(ConfigError, match=found) as caught:
        reference_of(function, what="the handler of task 'apart.hidden'")
    assert "the handler of task 'apart.hidden'" in caught.value.expected


def test_a_worker_with_such_a_task_does_not_start() -> None:
    hidden = task(name="apart.hidden", run_in="process")(_hidden())
    with pytest.raises(ConfigError, match="to be importable by a child process"):
        make_jobs(Registry.of(hidden))


def _run(folder: Path, guard: str) -> subprocess.CompletedProcess[str]:
    (folder / "script.py").write_text(SCRIPT.replace("{guard}", guard))
    return subprocess.run([sys.executable, "script.py"], cwd=folder, capture_output=True, text=True, timeout=60)


def test_a_script_is_found_by_its_file_and_is_not_started_again(tmp_path: Path) -> None:
    assert _run(tmp_path, 'if __name__ == "__main__":').stdout.split() == ["script.py:add", "__stem_main__", "2"]


def test_a_script_that_would_start_itself_again_is_refused(tmp_path: Path) -> None:
    assert "script.py without `if __name__ ==" in _run(tmp_path, "if True:").stderr


def test_a_task_is_told_with_all_that_a_child_needs_to_find_it() -> None:
    (binding,) = Registry.of(tasks.awaits).bindings
    apart = apart_of(binding)

    assert (apart.handler, apart.definition) == ("tests.stem.worker.process.tasks:awaits", None)
    assert (apart.wants_context, apart.is_async) == (True, True)


def test_a_lifespan_that_no_child_can_import_is_refused() -> None:
    with pytest.raises(ConfigError, match="the lifespan to be importable"):
        setup_of("worker-1", _hidden())
