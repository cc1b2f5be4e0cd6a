"""`stem jobs revoke`: tasks that no worker is to run, by their ids or by what they have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from stem.cli.exits import Exit
from stem.cli.filters import filter_options, task_filter
from stem.cli.output import Output
from stem.cli.session import app_option, ask, url_option
from stem.cli.sweeps import agreed, many_options
from stem.cli.values import DURATION
from stem.contracts.queries import TaskFilter

if TYPE_CHECKING:
    from stem.app import Stem

__all__ = ["revoke"]

_AT_ONCE: Final = 200


@click.command("revoke")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All that the filters choose and that has not ended.")
@click.option("--terminate", is_flag=True, help="Stop what runs.")
@click.option("--reason", default="", help="Why; it stands in the task's error.")
@click.option("--for", "expires", type=DURATION, default="7d", show_default=True, help="How long it holds.")
@click.option("--undo", is_flag=True, help="Take revocations of these ids back.")
@many_options
@filter_options
@url_option
@app_option
@click.pass_context
def revoke(context: click.Context, /, ids: tuple[str, ...], *, every: bool, **given: Any) -> None:
    """Let no worker run these ids, whether they are known yet or not. It survives restarts."""
    wanted = _Wanted.of(ids, every, given)
    context.exit(wanted.carry_out(Output()))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a command is about, and how it is to be done."""

    ids: tuple[str, ...]
    where: TaskFilter
    terminate: bool
    reason: str
    expires: timedelta
    undo: bool
    limit: int | None
    dry_run: bool
    yes: bool
    url: str | None
    app: str | None

    @classmethod
    def of(cls, ids: tuple[str, ...], every: bool, given: dict[str, Any]) -> _Wanted:
        """From the command's parameters. Raises `UsageError` unless it names tasks or says `--all`."""
        if bool(ids) == every or (every and given["undo"]):
            raise click.UsageError("name the tasks, or choose those to revoke with --all and filters; one of the two")
        own = {field.name: given.pop(field.name) for field in fields(cls) if field.name in given}
        return cls(ids, task_filter(**given), **own)

    def carry_out(self, output: Output) -> Exit:
        """Choose, ask, do and say."""
        ids = self.ids or ask(self.url, self._live, self.app)
        if self.dry_run:
            output.record({"would_revoke": len(ids)})
            return Exit.OK
        if not self.ids and not agreed(f"revoke {len(ids)} tasks", len(ids), output, yes=self.yes):
            return Exit.REFUSED
        ask(self.url, lambda stem: self._do(stem, ids), self.app)
        output.talk(f"{'revocations taken back' if self.undo else 'revoked'}: {len(ids)}")
        return Exit.OK

    async def _live(self, stem: Stem) -> tuple[str, ...]:
        return tuple(record.id for record in await stem.operate.live(self.where, limit=self.limit))

    async def _do(self, stem: Stem, ids: Sequence[str]) -> None:
        for first in range(0, len(ids), _AT_ONCE):
            some = ids[first : first + _AT_ONCE]
            if self.undo:
                await stem.operate.unrevoke(some)
            else:
                await stem.operate.revoke(some, terminate=self.terminate, reason=self.reason, expires=self.expires)
