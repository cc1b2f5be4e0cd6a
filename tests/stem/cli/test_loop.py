"""The event loop of a worker process."""

from __future__ import annotations

import asyncio
import sys

import pytest

from stem.cli.loop import run_on
from stem.errors import ConfigError


def kind_of_loop(choice: str) -> str:
    kinds: list[str] = []

    async def look() -> None:
        kinds.append(type(asyncio.get_running_loop()).__module__)

    run_on(choice, look())
    return kinds[0]


def without_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)


def test_asyncio_is_the_loop_of_the_standard_library() -> None:
    assert kind_of_loop("asyncio").startswith("asyncio")


@pytest.mark.parametrize("choice", ["auto", "uvloop"])
def test_uvloop_is_taken_where_it_is_installed(choice: str) -> None:
    assert kind_of_loop(choice).startswith("uvloop")


def test_auto_takes_the_standard_loop_where_uvloop_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    without_uvloop(monkeypatch)
    assert kind_of_loop("auto").startswith("asyncio")


def test_uvloop_asked_for_and_not_installed_says_the_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    without_uvloop(monkeypatch)
    with pytest.raises(ConfigError, match=r"pip install 'stem-jobs\[uvloop\]'"):
        kind_of_loop("uvloop")
