"""Waiting for a task at a terminal: its progress on stderr, its result as an answer."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from stem.errors import StemError
from stem.tasks.status import Progress

if TYPE_CHECKING:
    from stem.app import Stem

__all__ = ["wait_for"]


async def wait_for(stem: Stem, task_id: str, timeout: timedelta | None) -> bytes:
    """The stored result. A person at a terminal sees the task's progress reports meanwhile.

    Raises what waiting raises: `WaitTimeout`, the error that the task ended with, `UnknownId`.
    """
    if not sys.stderr.isatty():
        return await stem.wait_result(task_id, timeout)
    watcher = asyncio.create_task(_watch(stem, task_id))
    try:
        return await stem.wait_result(task_id, timeout)
    finally:
        watcher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watcher
        click.echo("\r\x1b[K", nl=False, err=True)


async def _watch(stem: Stem, task_id: str) -> None:
    """Show each report over the one before. An error here is the waiter's to tell."""
    click.echo("waiting…", nl=False, err=True)
    with contextlib.suppress(StemError):
        async for report in stem.task_progress(task_id):
            click.echo(f"\r\x1b[K{_line(report)}", nl=False, err=True)


def _line(report: Progress) -> str:
    share = f"{report.done:g}" if report.total is None else f"{report.done:g}/{report.total:g}"
    message = "".join(char for char in report.message or "" if char.isprintable())
    return f"{share} {message}".rstrip()[:78]
