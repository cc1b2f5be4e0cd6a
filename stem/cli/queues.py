"""`stem queues`: how much waits, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from stem.cli.output import Output
from stem.cli.session import app_option, ask, json_option, url_option
from stem.cli.views import QUEUE_COLUMNS, queue_row

if TYPE_CHECKING:
    from stem.app import Stem

__all__ = ["queues"]

_HELP: Final = "Queues with their tasks by state."


@click.group("queues", help=_HELP)
def queues() -> None:
    """The group; its help is the table's."""


@queues.command("ls")
@url_option
@app_option
@json_option
def list_queues(*, url: str | None, app: str | None, as_json: bool) -> None:
    """List queues: tasks by state, and the seconds that the oldest due task has waited."""
    Output(as_json).rows("queues", QUEUE_COLUMNS, ask(url, _rows, app))


async def _rows(stem: Stem) -> list[dict[str, object]]:
    now = await stem.inspect.now()
    return [queue_row(queue, now) for queue in await stem.inspect.queues()]
