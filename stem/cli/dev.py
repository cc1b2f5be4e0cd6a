"""`stem dev`: a worker that is started again whenever a file changes."""

from __future__ import annotations

import asyncio
import importlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

import click

from stem.cli.session import app_option, url_option
from stem.cli.supervise import Started, start_worker
from stem.cli.values import DURATION
from stem.errors import ConfigError

__all__ = ["Reloader", "dev"]

_HELP: Final = """Run a worker, and start it again whenever a file changes.

    Arguments and options are those of `stem worker`. Watched are the Python, TOML and YAML files below the current
    directory, or below each --watch. A worker that cannot start waits for the next change. Ctrl-C ends it.
    """
_WATCHED: Final = (".toml", ".yaml", ".yml")
_PATIENCE: Final = 5.0
"""Seconds that a worker has, beyond its drain, to end before it is killed."""
_SHOWN: Final = 3

Changes = AsyncIterator[Collection[str]]


@click.command("dev", help=_HELP, context_settings={"ignore_unknown_options": True})
@click.argument("registry", metavar="[MODULE:REGISTRY]", required=False)
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[WORKER OPTIONS]...")
@click.option("--watch", "paths", type=click.Path(exists=True, path_type=Path), multiple=True, help="Repeatable.")
@click.option("--drain", type=DURATION, default="2s", show_default=True, metavar="DURATION", help="For a restart.")
@url_option
@app_option
def dev(
    registry: str | None,
    *,
    options: tuple[str, ...],
    paths: tuple[Path, ...],
    drain: timedelta,
    url: str | None,
    app: str | None,
) -> int:
    """The command; its help is above."""
    named = [word for name, value in (("--url", url), ("--app", app)) if value for word in (name, value)]
    own = [] if registry is None else [registry]
    words = ["worker", *own, *options, *named, "--drain", f"{drain.total_seconds():g}s"]
    return asyncio.run(_develop(words, paths or (Path.cwd(),), drain.total_seconds()))


async def _develop(words: list[str], paths: tuple[Path, ...], drain: float) -> int:
    stopped = asyncio.Event()
    reloader = Reloader(
        partial(start_worker, words, None, (), 1, None),
        _changes(paths, stopped),
        say=lambda text: click.echo(text, err=True),
        patience=drain + _PATIENCE,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, reloader.ask_to_stop)
    try:
        return await reloader.run()
    finally:
        stopped.set()


class Reloader:
    """Keeps one worker process, and replaces it at each change; ends when it is asked to."""

    def __init__(
        self,
        start: Callable[[], Awaitable[Started]],
        changes: Changes,
        *,
        say: Callable[[str], None],
        patience: float = _PATIENCE,
    ) -> None:
        self._start = start
        self._changes = changes
        self._say = say
        self._patience = patience
        self._asked = asyncio.Event()
        self._process: Started | None = None

    def ask_to_stop(self) -> None:
        """The first time the worker lets what runs finish, the second time it is killed."""
        if self._asked.is_set() and self._process is not None:
            self._send(self._process, signal.SIGKILL)
        self._asked.set()

    async def run(self) -> int:
        """The exit code: 0, because only a person ends it."""
        change = asyncio.ensure_future(_next(self._changes))
        asked = asyncio.ensure_future(self._asked.wait())
        try:
            while not self._asked.is_set():
                await self._live(change, asked)
                if change.done():
                    self._say(_told(change.result()))
                    change = asyncio.ensure_future(_next(self._changes))
        finally:
            for each in (change, asked):
                each.cancel()
            await asyncio.gather(change, asked, return_exceptions=True)
        return 0

    async def _live(self, change: asyncio.Future[Collection[str]], asked: asyncio.Future[Literal[True]]) -> None:
        """One worker, until there is a reason to end it, and it has ended."""
        process = self._process = await self._start()
        ended = asyncio.ensure_future(process.wait())
        await asyncio.wait((change, asked, ended), return_when=asyncio.FIRST_COMPLETED)
        if ended.done() and not change.done() and not asked.done():
            self._say(f"the worker ended by itself (exit code {ended.result()}); waiting for a change")
            await asyncio.wait((change, asked), return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            self._send(process, signal.SIGTERM)
            await asyncio.wait((ended,), timeout=self._patience)
        if not ended.done():
            self._say("the worker does not end; it is killed")
            self._send(process, signal.SIGKILL)
        await ended

    def _send(self, process: Started, number: int) -> None:
        with suppress(ProcessLookupError):
            process.send_signal(number)


async def _next(changes: Changes) -> Collection[str]:
    return await anext(changes)


def _changes(paths: tuple[Path, ...], stopped: asyncio.Event) -> Changes:
    """The paths of what changed, as often as something does. Raises `ConfigError` where nothing can watch."""
    try:
        watchfiles: Any = importlib.import_module("watchfiles")  # typed by halves
    except ModuleNotFoundError:
        raise ConfigError(
            expected="a watcher of files", found="no module 'watchfiles'", do="Install it: pip install 'stem-jobs[dev]'"
        ) from None
    only = watchfiles.PythonFilter(extra_extensions=_WATCHED)

    async def watch() -> Changes:
        async for found in watchfiles.awatch(*paths, watch_filter=only, stop_event=stopped):
            yield sorted({str(path) for _, path in found})

    return watch()


def _told(paths: Collection[str]) -> str:
    names = [Path(path).name for path in paths]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"changed: {', '.join(names[:_SHOWN])}{more}; starting the worker again"
