"""`stem dlq`: the dead letters, with their evidence, and the way back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from stem.cli.exits import Exit
from stem.cli.filters import filter_options, paging_options, task_filter
from stem.cli.jobs import show_record
from stem.cli.output import Output
from stem.cli.session import app_option, ask, json_option, url_option
from stem.cli.sweeps import agreed, many_options, progress, report
from stem.cli.values import DURATION
from stem.cli.views import DEAD_COLUMNS, dead_row, document_of
from stem.client.operate import Sweep, Watch
from stem.contracts.queries import TaskFilter
from stem.errors import StemError, UnknownId
from stem.tasks.status import TaskRecord, TaskStatus

if TYPE_CHECKING:
    from stem.app import Stem

__all__ = ["dlq"]

_HELP: Final = "The dead letters: list, show, replay, purge."


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
@click.option("--delay", type=DURATION, default="0s", metavar="DURATION", help="Due only after this time.")
@many_options
@filter_options
@url_option
@app_option
@json_option
@click.pass_context
def replay(
    context: click.Context, /, ids: tuple[str, ...], *, every: bool, delay: timedelta, as_json: bool, **given: Any
) -> None:
    """Queue failed, cancelled or expired tasks again: the same id and arguments, with all counters at zero."""
    chosen = _Chosen.of(ids, every, given)
    context.exit(chosen.sweep("replay", "replayed", _replaying(delay), Output(as_json)))


@dlq.command("purge")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All dead letters that the filters choose.")
@many_options
@filter_options
@url_option
@app_option
@json_option
@click.pass_context
def purge(context: click.Context, /, ids: tuple[str, ...], *, every: bool, as_json: bool, **given: Any) -> None:
    """Give dead letters up: they stay failed tasks, and are kept no longer than any other."""
    chosen = _Chosen.of(ids, every, given)
    context.exit(chosen.sweep("purge", "purged", _discarding, Output(as_json)))


_Act = Callable[["Stem", "Sequence[TaskRecord]", "Watch"], Awaitable["Sweep"]]


def _replaying(delay: timedelta) -> _Act:
    return lambda stem, tasks, watch: stem.operate.replay(tasks, delay=delay, watch=watch)


def _discarding(stem: Stem, tasks: Sequence[TaskRecord], watch: Watch) -> Awaitable[Sweep]:
    return stem.operate.discard(tasks, watch=watch)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The dead letters that a command is about, and how it was asked for them."""

    ids: tuple[str, ...]
    where: TaskFilter
    limit: int | None
    dry_run: bool
    yes: bool
    url: str | None
    app: str | None

    @classmethod
    def of(cls, ids: tuple[str, ...], every: bool, given: dict[str, Any]) -> _Chosen:
        """From a command's parameters. Raises `UsageError` unless it names tasks or says `--all`."""
        if bool(ids) == every:
            raise click.UsageError("name the tasks, or choose them with --all and filters; one of the two")
        own = {name: given.pop(name) for name in ("limit", "dry_run", "yes", "url", "app")}
        return cls(ids, task_filter(**given), **own)

    def sweep(self, verb: str, done: str, act: _Act, output: Output) -> Exit:
        """Ask, do and report."""
        tasks, unknown = ask(self.url, self._find, self.app)
        if self.dry_run:
            output.record({f"would_{verb}": len(tasks)})
            return Exit.OK
        if not self.ids and not agreed(f"{verb} {len(tasks)} dead letters", len(tasks), output, yes=self.yes):
            return Exit.REFUSED
        with progress(verb, len(tasks)) as watch:
            swept = ask(self.url, lambda stem: act(stem, tasks, watch), self.app)
        return report(output, done, Sweep(swept.ids, {**unknown, **swept.refused}))

    async def _find(self, stem: Stem) -> tuple[list[TaskRecord], dict[str, StemError]]:
        """The tasks, and an error for each id that is not known."""
        if not self.ids:
            return await stem.operate.dead(self.where, limit=self.limit), {}
        found: list[TaskRecord] = []
        unknown: dict[str, StemError] = {}
        for task_id in dict.fromkeys(self.ids):
            try:
                found.append(await stem.inspect.task(task_id))
            except UnknownId as error:
                unknown[task_id] = error
        return found, unknown
