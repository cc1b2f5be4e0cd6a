"""`stem workers`: who lives, what they do, and telling them to stop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from stem.cli.exits import Exit
from stem.cli.output import Output
from stem.cli.session import app_option, ask, json_option, url_option
from stem.cli.values import DURATION
from stem.cli.views import listed_row, told_rows

if TYPE_CHECKING:
    from stem.app import Stem
    from stem.client.control import Answers, StopMode

__all__ = ["workers"]

_HELP: Final = "Workers: list, ping, stats, inspect, drain, stop."
_COLUMNS: Final = ("worker", "host", "pid", "queues", "busy", "concurrency", "silent", "late", "longest")
_STATS: Final = ("worker", "busy", "concurrency", "leased", "handled", "rescued", "fenced", "dropped", "stopping")
_TASKS: Final = ("worker", "id", "name", "queue", "attempt", "seconds", "phase", "cancel_requested", "told")
_STATE: Final = ("worker", "busy", "stopping")


@click.group("workers", help=_HELP)
def workers() -> None:
    """The group; its help is the table's."""


def _command(name: str) -> Callable[[Callable[..., None]], click.Command]:
    """A command for workers: their names or globs, how long to wait, and where they are."""

    def decorate(function: Callable[..., None]) -> click.Command:
        for option in (
            json_option,
            app_option,
            url_option,
            click.option("--timeout", type=DURATION, default="2s", show_default=True, help="Wait so long for answers."),
            click.argument("names", metavar="[WORKER]...", nargs=-1),
        ):
            function = option(function)
        return workers.command(name)(function)

    return decorate


@workers.command("ls")
@url_option
@app_option
@json_option
def list_workers(*, url: str | None, app: str | None, as_json: bool) -> None:
    """List the workers of the last hour by their signs of life: silent for so many seconds, and what runs longest."""

    async def rows(stem: Stem) -> list[dict[str, object]]:
        now = await stem.inspect.now()
        return [listed_row(worker, now) for worker in await stem.inspect.workers()]

    Output(as_json).rows("workers", _COLUMNS, ask(url, rows, app))


@_command("ping")
def ping(names: tuple[str, ...], *, timeout: timedelta, as_json: bool, **where: Any) -> None:
    """Ask workers whether they hear. Names may be globs; none is all of them."""
    _tell(lambda stem: stem.control.ping(names or ("*",), timeout=timeout), _STATE, as_json, **where)


@_command("stats")
def stats(names: tuple[str, ...], *, timeout: timedelta, as_json: bool, **where: Any) -> None:
    """What workers have done since they started."""
    _tell(lambda stem: stem.control.stats(names or ("*",), timeout=timeout), _STATS, as_json, **where)


@_command("inspect")
def inspect(names: tuple[str, ...], *, timeout: timedelta, as_json: bool, **where: Any) -> None:
    """What runs in workers, since when, and on which queue. `told` is when one that does not answer last said so."""

    def question(stem: Stem) -> Awaitable[Answers]:
        return stem.control.inspect(names or ("*",), timeout=timeout)

    _tell(question, _TASKS, as_json, rows=_task_rows, **where)


@_command("drain")
@click.option("--all", "every", is_flag=True, help="Every worker, when none is named.")
def drain(names: tuple[str, ...], *, every: bool, timeout: timedelta, as_json: bool, **where: Any) -> None:
    """Let workers finish what runs, take nothing more, and stop."""
    chosen = _chosen(names, every)
    _tell(lambda stem: stem.control.drain(chosen, timeout=timeout), _STATE, as_json, **where)


@_command("stop")
@click.option("--all", "every", is_flag=True, help="Every worker, when none is named.")
@click.option("--mode", type=click.Choice(["warm", "soft", "hard"]), default="warm", show_default=True)
def stop(
    names: tuple[str, ...], *, every: bool, mode: StopMode, timeout: timedelta, as_json: bool, **where: Any
) -> None:
    """Stop workers: warm lets what runs finish, soft cancels it, hard waits for nothing. No attempt is used up."""
    chosen = _chosen(names, every)
    _tell(lambda stem: stem.control.stop(chosen, mode=mode, timeout=timeout), _STATE, as_json, **where)


_Question = Callable[["Stem"], Awaitable["Answers"]]


def _chosen(names: tuple[str, ...], every: bool) -> tuple[str, ...]:
    if bool(names) == every:
        raise click.UsageError("name the workers, or say --all; one of the two")
    return names or ("*",)


def _answer_rows(answers: Answers) -> list[dict[str, object]]:
    return [{"worker": each.worker, **each.value, "error": each.error} for each in answers.answers]


def _task_rows(answers: Answers) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for each in answers.answers:
        tasks = each.value.get("tasks")
        found = tasks if isinstance(tasks, list) else []
        rows.extend({"worker": each.worker, **task} for task in found if isinstance(task, dict))
    return rows + [row for worker in answers.told for row in told_rows(worker)]


def _tell(
    question: _Question,
    columns: tuple[str, ...],
    as_json: bool,
    *,
    rows: Callable[[Answers], list[dict[str, object]]] = _answer_rows,
    url: str | None,
    app: str | None,
) -> None:
    """Print the answers; end in 1 when a live worker that was meant said nothing, or could not do it."""
    answers = ask(url, question, app)
    output = Output(as_json)
    name = "tasks" if rows is _task_rows else "workers"
    output.rows(name, columns, rows(answers), silent=list(answers.silent))
    failed = [each for each in answers.answers if each.error is not None]
    for worker in answers.silent:
        output.talk(f"no answer in time from {worker}")
    for each in failed:
        output.talk(f"{each.worker}: {each.error}")
    if failed or answers.silent:
        click.get_current_context().exit(Exit.PROBLEMS)
