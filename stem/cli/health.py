"""`stem health`: whether the store answers and what is due has a worker."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import click

from stem.cli.exits import Exit
from stem.cli.output import Output
from stem.cli.session import app_option, ask, json_option, url_option
from stem.cli.values import DURATION
from stem.cli.views import queue_row, worker_row

if TYPE_CHECKING:
    from stem.app import Stem

__all__ = ["health"]

_HELP: Final = "Whether the store answers and workers live."


@click.command("health", help=_HELP)
@click.option("--workers", "at_least", type=click.IntRange(0), default=0, help="Ask for so many live workers.")
@click.option("--max-latency", type=DURATION, metavar="DURATION", help="Ask that no due task waits longer.")
@url_option
@app_option
@json_option
@click.pass_context
def health(
    context: click.Context,
    *,
    at_least: int,
    max_latency: timedelta | None,
    url: str | None,
    app: str | None,
    as_json: bool,
) -> None:
    """End in 0 when all is well, in 1 when work is stuck, in 4 when the store does not answer."""
    document = ask(url, _look, app)
    problems = [*_unserved(document), *_too_few(document, at_least), *_too_slow(document, max_latency)]
    output = Output(as_json)
    if as_json:
        output.document({"healthy": not problems, "problems": problems, **document})
    else:
        output.record({"healthy": not problems, "workers": len(_alive(document)), "problems": "\n".join(problems)})
    context.exit(Exit.PROBLEMS if problems else Exit.OK)


Document = dict[str, list[dict[str, object]]]


async def _look(stem: Stem) -> Document:
    found = await stem.inspect.health()
    now = await stem.inspect.now()
    return {
        "workers": [worker_row(worker, now) for worker in found.workers],
        "queues": [{**queue_row(queue, now), "served": queue.queue not in found.unserved} for queue in found.queues],
    }


def _alive(document: Document) -> list[dict[str, object]]:
    return [worker for worker in document["workers"] if not worker["late"]]


def _unserved(document: Document) -> list[str]:
    waiting = [queue["queue"] for queue in document["queues"] if not queue["served"]]
    return [f"due tasks in queue {name} and no live worker for it" for name in waiting]


def _too_few(document: Document, at_least: int) -> list[str]:
    alive = len(_alive(document))
    return [f"{alive} live workers, {at_least} asked for"] if alive < at_least else []


def _too_slow(document: Document, limit: timedelta | None) -> list[str]:
    if limit is None:
        return []
    waits = [(queue["queue"], queue["latency"]) for queue in document["queues"]]
    late = [(name, wait) for name, wait in waits if isinstance(wait, float) and wait > limit.total_seconds()]
    return [f"a due task in queue {name} has waited {wait:.1f} s" for name, wait in late]
