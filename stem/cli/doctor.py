"""`stem doctor`: look for what people lose days to, and say what to do about it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from stem.cli.checks import (
    EXTRAS,
    Finding,
    Level,
    clock_check,
    disk_check,
    extras_check,
    name_check,
    queue_checks,
    sqlite_check,
    worker_checks,
)
from stem.cli.exits import Exit
from stem.cli.find import file_of, find_app, find_url, read_project
from stem.cli.output import Output
from stem.cli.session import app_option, ask, json_option, registry_of, url_option
from stem.errors import StemError
from stem.stores.open import hide_secrets

if TYPE_CHECKING:
    from stem.app import Stem

__all__ = ["doctor"]

_HELP: Final = "Look for what people lose days to."
_COLUMNS: Final = ("level", "check", "found", "do")


@click.command("doctor", help=_HELP)
@url_option
@app_option
@json_option
@click.pass_context
def doctor(context: click.Context, *, url: str | None, app: str | None, as_json: bool) -> None:
    """Check the installation, the app, the store, the workers and the queues; end in 1 when something is broken."""
    findings = [*_installation(), *_location(url), _app(app), *_store(url, app)]
    rows = [{"level": f.level.value, "check": f.check, "found": f.found, "do": f.do} for f in findings]
    Output(as_json).rows("findings", _COLUMNS, rows)
    broken = any(finding.level is Level.FAIL for finding in findings)
    context.exit(Exit.PROBLEMS if broken else Exit.OK)


def _installation() -> Iterator[Finding]:
    """This Python, this version, and what is installed beside it."""
    yield Finding(Level.OK, "python", platform.python_version())
    yield Finding(Level.OK, "stem-jobs", importlib.metadata.version("stem-jobs"))
    yield name_check(found.name for found in importlib.metadata.distributions())
    modules = {name for needed in EXTRAS.values() for name in needed}
    yield extras_check({name: importlib.util.find_spec(name) is not None for name in modules})
    yield sqlite_check(sqlite3.sqlite_version_info)


def _location(url: str | None) -> Iterator[Finding]:
    """Which store, why that one, and the room beside it where it is a file."""
    found = find_url(url, os.environ)
    yield Finding(Level.OK, "url", f"{hide_secrets(found.value)} (from {found.origin})")
    file = file_of(found.value)
    if file is not None and file.parent.is_dir():
        yield disk_check(shutil.disk_usage(file.parent).free, str(file.parent))


def _app(app: str | None) -> Finding:
    """Whether the app can be loaded, and what is in it."""
    try:
        found = find_app(app, os.environ, read_project(Path.cwd()))
        if found is None:
            return Finding(Level.OK, "app", "none is named")
        registry = registry_of(app)
    except StemError as error:
        return _failure("app", error)
    tasks = "a Stem" if registry is None else f"{len(registry.names)} tasks"
    return Finding(Level.OK, "app", f"{found.value} (from {found.origin}): {tasks}")


def _store(url: str | None, app: str | None) -> list[Finding]:
    """Whether the store opens, its clock, its workers and queues."""
    try:
        return ask(url, _ask_store, app)
    except StemError as error:
        return [_failure("store", error)]


async def _ask_store(stem: Stem) -> list[Finding]:
    now = await stem.inspect.now()
    workers, queues = await stem.inspect.workers(), await stem.inspect.queues()
    opened = Finding(Level.OK, "store", "opens and answers")
    clock = clock_check(now, time.time_ns() // 1_000)
    settings = [Finding(Level.WARN, "durability", sentence) for sentence in await stem.inspect.warnings()]
    return [opened, clock, *settings, *worker_checks(workers), *queue_checks(queues, workers)]


def _failure(check: str, error: StemError) -> Finding:
    return Finding(Level.FAIL, check, f"[{error.code}] expected {error.expected}; found {error.found}", error.do)
