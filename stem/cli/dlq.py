"""`stem dlq`: the dead letters, with their evidence, and the way back."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from stem.cli.exits import Exit, exit_of, lines_of
from stem.cli.filters import filter_options, paging_options, task_filter
from stem.cli.jobs import show_record
from stem.cli.output import Output
from stem.cli.session import app_option, ask, json_option, url_option
from stem.cli.views import DEAD_COLUMNS, dead_row, document_of
from stem.contracts.queries import TaskFilter
from stem.errors import StemError, StoreUnavailable, UnknownId
from stem.tasks.status import TaskStatus

if TYPE_CHECKING:
    from stem.app import Stem

__all__ = ["dlq"]

_HELP: Final = "The dead letters: list, show, replay."


@click.group("dlq", help=_HELP)
def dlq() -> None:
    """The group; its help is the table's."""


@dlq.command("ls")
@filter_options
@paging_options
@url_option
@app_option
@json_option
def list_dead(*, limit: int, after: str | None, url: str | None, app: str | None, as_json: bool, **where: Any) -> None:
    """List dead letters, the newest first."""
    page = ask(url, lambda stem: stem.inspect.dead_letters(task_filter(**where), limit=limit, after=after), app)
    statuses = [TaskStatus.of(record) for record in page.records]
    now = datetime.now(UTC)
    output = Output(as_json)
    rows = [document_of(status) if as_json else dead_row(status, now) for status in statuses]
    output.rows("dead letters" if not as_json else "dead_letters", DEAD_COLUMNS, rows, next=page.after)
    if page.after and not as_json:
        output.talk(f"more: --after {page.after}")


@dlq.command("show")
@click.argument("task_id", metavar="ID")
@click.option("--arguments", is_flag=True, help="Show the arguments too; they may hold what is not for every screen.")
@url_option
@app_option
@json_option
def show_dead(task_id: str, *, arguments: bool, url: str | None, app: str | None, as_json: bool) -> None:
    """Show a dead letter: why it was buried, the last error and its traceback."""
    record = ask(url, lambda stem: stem.inspect.task(task_id), app)
    if record.bury_reason is None:
        raise UnknownId(
            expected="the id of a dead letter",
            found=f"task '{task_id}', which is {record.state.value}",
            do=f"Look at it with: stem jobs show {task_id}",
        )
    show_record(record, arguments=arguments, as_json=as_json)


@dlq.command("replay")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All dead letters that the filters choose.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only say how many it would be.")
@filter_options
@url_option
@app_option
@json_option
@click.pass_context
def replay(
    context: click.Context,
    /,
    ids: tuple[str, ...],
    *,
    every: bool,
    yes: bool,
    dry_run: bool,
    url: str | None,
    app: str | None,
    as_json: bool,
    **where: Any,
) -> None:
    """Queue failed, cancelled or expired tasks again: the same id and arguments, with all counters at zero."""
    if bool(ids) == every:
        raise click.UsageError("name the tasks, or choose them with --all and filters; one of the two")
    chosen = list(ids) if ids else ask(url, lambda stem: _dead_ids(stem, task_filter(**where, dead=True)), app)
    output = Output(as_json)
    if dry_run:
        output.record({"would_replay": len(chosen)})
        return
    if every and chosen and not yes and not _agreed(len(chosen)):
        output.talk(f"refused: {len(chosen)} dead letters would be replayed; say so with --yes")
        context.exit(Exit.REFUSED)
    context.exit(_report(output, ask(url, lambda stem: _replay_all(stem, chosen), app)))


async def _dead_ids(stem: Stem, where: TaskFilter) -> list[str]:
    return [record.id async for record in stem.inspect.every_task(where)]


def _agreed(count: int) -> bool:
    """Whether the person at the terminal says yes; nobody at a terminal is a no."""
    return sys.stdin.isatty() and click.confirm(f"Replay {count} dead letters?", err=True)


async def _replay_all(stem: Stem, ids: Sequence[str]) -> dict[str, StemError | None]:
    """Each id with the error that it met. A store that is gone ends the walk; what was replayed stays replayed."""
    answers: dict[str, StemError | None] = {}
    with click.progressbar(ids, label="replaying", file=sys.stderr, hidden=len(ids) < 20) as bar:
        for task_id in bar:
            answers[task_id] = await _replay_one(stem, task_id)
    return answers


async def _replay_one(stem: Stem, task_id: str) -> StemError | None:
    try:
        await stem.inspect.replay(task_id)
    except StoreUnavailable:
        raise
    except StemError as error:
        return error
    return None


def _report(output: Output, answers: dict[str, StemError | None]) -> Exit:
    """Print what happened; the exit code of the first error."""
    failed = {task_id: error for task_id, error in answers.items() if error is not None}
    done = [task_id for task_id, error in answers.items() if error is None]
    refused = [{"id": task_id, "code": error.code, "found": error.found} for task_id, error in failed.items()]
    if output.as_json:
        output.document({"replayed": done, "refused": refused})
    else:
        output.record({"replayed": len(done)})
        output.talk("\n".join(line for error in failed.values() for line in lines_of(error)))
    return next(map(exit_of, failed.values()), Exit.OK)
