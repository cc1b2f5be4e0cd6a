"""`stem result`: what a task gave."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import click

from stem.cli.exits import Exit
from stem.cli.output import Output
from stem.cli.session import app_option, ask, json_option, url_option
from stem.cli.values import DURATION
from stem.cli.waiting import wait_for

if TYPE_CHECKING:
    from stem.app import Stem

__all__ = ["result"]

_HELP: Final = "Print the result of a task."


@click.command("result", help=_HELP)
@click.argument("task_id", metavar="ID")
@click.option("--wait", is_flag=True, help="Wait until the task has ended.")
@click.option("--timeout", type=DURATION, metavar="DURATION", help="Wait at most so long; ends in 124 then.")
@url_option
@app_option
@json_option
@click.pass_context
def result(
    context: click.Context,
    task_id: str,
    *,
    wait: bool,
    timeout: timedelta | None,
    url: str | None,
    app: str | None,
    as_json: bool,
) -> None:
    """Print the result as JSON; a task that ended without one is an error that says how it ended."""
    output = Output(as_json)
    payload = ask(url, lambda stem: _read(stem, task_id, wait or timeout is not None, timeout), app)
    if payload is None:
        output.talk(f"task {task_id} has not ended; wait for it with --wait")
        context.exit(Exit.PROBLEMS)
    output.value({"id": task_id, "result": json.loads(payload)} if as_json else json.loads(payload))


async def _read(stem: Stem, task_id: str, wait: bool, timeout: timedelta | None) -> bytes | None:
    """The result's JSON; `None` when the task has not ended and is not to be waited for."""
    if wait or (await stem.task_status(task_id)).state.is_terminal:
        return await wait_for(stem, task_id, timeout)
    return None
