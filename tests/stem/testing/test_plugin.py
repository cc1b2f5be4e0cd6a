"""The plugin in a run of pytest of its own: with pytest-asyncio, with anyio, and when nothing uses it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HEAD = """
from stem import Registry, definition, task

@task(name="t.add")
async def add(a: int, b: int) -> int:
    return a + b

registry = Registry.of(add)
"""
BODY = """
async def test_add(stem_jobs):
    async with stem_jobs({argument}) as jobs:
        handle = await definition(add).enqueue(jobs.stem, 1, 2)
        await jobs.drain()
        assert await handle.result() == 3
"""
HEAVY = {"pydantic", "stem.app", "stem.codec", "stem.registry"}
ANYIO = """
import pytest
pytestmark = pytest.mark.anyio

@pytest.fixture
def anyio_backend():
    return "asyncio"
"""


def run(folder: Path, test: str, *options: str) -> subprocess.CompletedProcess[str]:
    """A run of pytest, with the plugin, over this test alone."""
    (folder / "test_it.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "test_it.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)


def test_it_works_with_pytest_asyncio(tmp_path: Path) -> None:
    ran = run(tmp_path, HEAD + BODY.format(argument="registry"), "-o", "asyncio_mode=auto")
    assert "1 passed" in ran.stdout, ran.stdout


def test_it_works_with_anyio_and_a_registry_from_the_configuration(tmp_path: Path) -> None:
    options = ("-p", "no:asyncio", "-o", "stem_registry=test_it:registry")
    ran = run(tmp_path, HEAD + ANYIO + BODY.format(argument=""), *options)
    assert "1 passed" in ran.stdout, ran.stdout


def test_without_a_registry_it_says_how_to_name_one(tmp_path: Path) -> None:
    ran = run(tmp_path, HEAD + BODY.format(argument=""), "-o", "asyncio_mode=auto")
    assert "set `stem_registry`" in ran.stdout


def test_a_run_that_does_not_use_it_loads_nothing_for_it(tmp_path: Path) -> None:
    ran = run(tmp_path, f"import sys\n\ndef test_it():\n    assert not {HEAVY} & set(sys.modules)\n")
    assert "1 passed" in ran.stdout, ran.stdout
