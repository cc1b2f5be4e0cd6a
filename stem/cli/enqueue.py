"""`stem enqueue`: a task by its name, checked by the app where there is one."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

import click

from stem.cli.output import Output
from stem.cli.session import app_option, ask, json_option, registry_of, url_option
from stem.cli.values import DURATION, arguments_of
from stem.cli.waiting import wait_for
from stem.tasks.options import EnqueueOptions, JsonValue

if TYPE_CHECKING:
    from stem.app import Stem
    from stem.tasks.handle import TaskHandle

__all__ = ["enqueue"]

_HELP: Final = "Enqueue a task by its name."


@click.command("enqueue", help=_HELP)
@click.argument("name")
@click.argument("arguments", nargs=-1, metavar="[JSON | name=value | -]...")
@click.option("--queue", "-q", help="Another queue than the task's own.")
@click.option("--priority", type=click.IntRange(0, 9), help="0 to 9, higher first.")
@click.option("--delay", type=DURATION, metavar="DURATION", help="Not before this time has passed.")
@click.option("--expires", type=DURATION, metavar="DURATION", help="Not after this time has passed.")
@click.option("--max-retries", type=click.IntRange(0), help="Attempts after the first.")
@click.option("--unique-key", metavar="KEY", help="No second live task with this key.")
@click.option("--task-id", metavar="ID", help="An id of your own: the same id twice is one task.")
@click.option("--broadcast", is_flag=True, help="On every live worker of its queue.")
@click.option("--header", "headers", multiple=True, metavar="NAME=VALUE", help="Repeatable.")
@click.option("--wait", is_flag=True, help="Wait for the result and print it.")
@click.option("--timeout", type=DURATION, metavar="DURATION", help="Wait at most so long; ends in 124 then.")
@url_option
@app_option
@json_option
def enqueue(
    name: str,
    arguments: tuple[str, ...],
    *,
    queue: str | None,
    priority: int | None,
    delay: timedelta | None,
    expires: timedelta | None,
    max_retries: int | None,
    unique_key: str | None,
    task_id: str | None,
    broadcast: bool,
    headers: tuple[str, ...],
    wait: bool,
    timeout: timedelta | None,
    url: str | None,
    app: str | None,
    as_json: bool,
) -> None:
    """Print the task's id; with --wait its result.

    Arguments are one JSON object, `name=value` pairs, or `-` for a JSON object on stdin. With an app they are checked
    by the task's own definition; without one the worker checks them.
    """
    options = _options(
        queue=queue,
        priority=priority,
        delay=delay,
        expires=expires,
        max_retries=max_retries,
        unique_key=unique_key,
        task_id=task_id,
        broadcast=broadcast or None,
        headers=_headers(headers) or None,
    )
    values = _arguments(arguments)
    registry = registry_of(app)
    waits = wait or timeout is not None

    async def run(stem: Stem) -> tuple[TaskHandle[object], bytes | None]:
        handle = await stem.enqueue_named(name, values, registry=registry, **options)
        return handle, await _wait(stem, handle.id, timeout) if waits else None

    _print(Output(as_json), *ask(url, run, app))


def _options(**given: object) -> EnqueueOptions:
    """The options that were given; what was not stays the definition's."""
    return cast("EnqueueOptions", {name: value for name, value in given.items() if value is not None})


def _arguments(words: Sequence[str]) -> dict[str, JsonValue]:
    """The words as arguments: at most one document, and any number of pairs."""
    pairs = [word for word in words if word != "-" and not word.lstrip().startswith("{")]
    documents = [sys.stdin.read() if word == "-" else word for word in words if word not in pairs]
    if len(documents) > 1:
        raise click.UsageError("give one JSON object")
    try:
        return arguments_of(documents[0] if documents else None, pairs)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _headers(pairs: Sequence[str]) -> dict[str, str]:
    split = [pair.partition("=") for pair in pairs]
    wrong = [name for name, equals, _ in split if not name or not equals]
    if wrong:
        raise click.UsageError("a header is NAME=VALUE")
    return {name: value for name, _, value in split}


async def _wait(stem: Stem, task_id: str, timeout: timedelta | None) -> bytes:
    click.echo(f"enqueued {task_id}", err=True)
    return await wait_for(stem, task_id, timeout)


def _print(output: Output, handle: TaskHandle[object], payload: bytes | None) -> None:
    document: dict[str, object] = {"id": handle.id, "duplicate": handle.duplicate}
    if payload is not None:
        output.value({**document, "result": json.loads(payload)} if output.as_json else json.loads(payload))
    elif output.as_json:
        output.document(document)
    else:
        click.echo(handle.id)
