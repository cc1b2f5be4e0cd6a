"""`stem queues`: how much waits, and for how long; holding a queue, and emptying it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from stem.cli.exits import Exit
from stem.cli.filters import choice_options, task_filter
from stem.cli.output import Output
from stem.cli.session import app_option, ask, json_option, url_option
from stem.cli.sweeps import agreed, many_options, progress, report
from stem.cli.views import QUEUE_COLUMNS, queue_row
from stem.contracts.queries import QueueCount
from stem.tasks.broadcast import worker_of
from stem.tasks.state import LIVE

if TYPE_CHECKING:
    from stem.app import Stem

__all__ = ["queues"]

_HELP: Final = "Queues: list, pause, resume, purge."


@click.group("queues", help=_HELP)
def queues() -> None:
    """The group; its help is the table's."""


@queues.command("ls")
@url_option
@app_option
@json_option
def list_queues(*, url: str | None, app: str | None, as_json: bool) -> None:
    """List queues: tasks by state, the seconds that the oldest due task has waited, and since when it is paused."""
    Output(as_json).rows("queues", QUEUE_COLUMNS, ask(url, _rows, app))


async def _rows(stem: Stem) -> list[dict[str, object]]:
    now = await stem.inspect.now()
    pauses = {pause.queue: pause for pause in await stem.operate.pauses()}
    found = [queue for queue in await stem.inspect.queues() if _is_shown(queue)]
    rows = [queue_row(queue, now, pauses.pop(queue.queue, None)) for queue in found]
    empty = [queue_row(QueueCount(queue, {}, None), now, pause) for queue, pause in pauses.items()]
    return [*rows, *empty]


def _is_shown(queue: QueueCount) -> bool:
    """The private queue of a worker only while something lives in it: workers come and go."""
    return worker_of(queue.queue) is None or not LIVE.isdisjoint(queue.counts)


@queues.command("pause")
@click.argument("queue")
@click.option("--reason", default="", help="Why, for whoever finds it paused.")
@url_option
@app_option
def pause(queue: str, *, reason: str, url: str | None, app: str | None) -> None:
    """Give nothing of a queue to any worker, until it is resumed; what runs goes on. Restarts do not end it."""
    ask(url, lambda stem: stem.operate.pause(queue, reason=reason), app)
    Output().talk(f"paused: {queue}")


@queues.command("resume")
@click.argument("queue")
@url_option
@app_option
def resume(queue: str, *, url: str | None, app: str | None) -> None:
    """Let the workers go on with a queue."""
    was_paused = ask(url, lambda stem: stem.operate.resume(queue), app)
    Output().talk(f"resumed: {queue}" if was_paused else f"was not paused: {queue}")


@queues.command("purge")
@click.argument("queue")
@many_options
@choice_options
@url_option
@app_option
@json_option
@click.pass_context
def purge(
    context: click.Context,
    /,
    queue: str,
    *,
    limit: int | None,
    dry_run: bool,
    yes: bool,
    url: str | None,
    app: str | None,
    as_json: bool,
    **where: Any,
) -> None:
    """Cancel what waits in a queue. What runs goes on; dead letters stay."""
    output = Output(as_json)
    chosen = task_filter(queue=queue, **where)
    tasks = ask(url, lambda stem: stem.operate.waiting(chosen, limit=limit), app)
    if dry_run:
        output.record({"would_purge": len(tasks)})
        return
    if not agreed(f"cancel {len(tasks)} tasks of {queue}", len(tasks), output, yes=yes):
        context.exit(Exit.REFUSED)
    with progress("purge", len(tasks)) as watch:
        swept = ask(url, lambda stem: stem.operate.cancel(tasks, watch=watch), app)
    context.exit(report(output, "purged", swept))
