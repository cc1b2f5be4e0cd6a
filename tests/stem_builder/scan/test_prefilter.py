"""Bytes decide which files are parsed: none that can declare a task is missed."""

from __future__ import annotations

from pathlib import Path

import pytest

from stem_builder.scan.modules import ModuleIndex
from stem_builder.scan.prefilter import Candidate, decorator_names, select, walk
from tests.stem_builder.sources import write


def candidates(root: Path, texts: dict[str, str]) -> tuple[list[Candidate], ModuleIndex]:
    write(root, texts)
    index = ModuleIndex([root], root)
    found = walk(root / "shop", "shop")
    return [Candidate(index.describe(name, path), path.read_bytes()) for path, name in found], index


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        ({}, {"task"}),
        ({"shop/a.py": "from stem import task as job"}, {"task", "job"}),
        ({"shop/a.py": "from stem import (\n    TaskContext,\n    task as job,\n)"}, {"task", "job"}),
        (
            {"shop/a.py": "from stem import task as b", "shop/c.py": "from .a import b as c\nd = c"},
            {"task", "b", "c", "d"},
        ),
        ({"shop/a.py": "import stem\njob = stem.task  # ours\r\nother: Final = job"}, {"task", "job", "other"}),
        ({"shop/a.py": "job = task()\nmultitask as nothing"}, {"task"}),
        ({"shop/a.py": "from lib.jobs import job", "lib/jobs.py": "from stem import task as job"}, {"task", "job"}),
        ({"shop/a.py": "import json, lib.gone\nfrom . import x"}, {"task"}),
    ],
)
def test_every_name_of_the_decorator_is_discovered(tmp_path: Path, texts: dict[str, str], names: set[str]) -> None:
    assert decorator_names(*candidates(tmp_path, texts)) == names | {"upcast"}


@pytest.mark.parametrize(
    "text",
    [
        "@task",
        "@task(name='x')",
        "  @task\n",
        "@ stem . task ()",
        "@app.lib.task",
        "@job",
        "x = task(f)",
        "for f in fs: stem.task(f)",
        "partial(\n    task, queue='q')",
    ],
)
def test_a_file_that_can_declare_a_task_is_selected(tmp_path: Path, text: str) -> None:
    found, _ = candidates(tmp_path, {"shop/a.py": text})
    assert [one.source.name for one in select(found, frozenset({"task", "job"}))] == ["shop.a"]


@pytest.mark.parametrize(
    "text", ["", "@tasks", "@mytask", "create_task(x)", "asyncio.create_task(x)", "run(task)", "task = 1"]
)
def test_a_file_without_any_use_is_not_parsed(tmp_path: Path, text: str) -> None:
    found, _ = candidates(tmp_path, {"shop/a.py": text})
    assert select(found, frozenset({"task"})) == []


def test_files_come_in_the_same_order_on_every_file_system(tmp_path: Path) -> None:
    found, _ = candidates(tmp_path, {f"shop/{name}.py": "" for name in ("z", "a", "m/b", "m/__init__")})
    names = [one.source.name for one in found]
    assert names == ["shop", "shop.a", "shop.m", "shop.m.b", "shop.models", "shop.z"]
