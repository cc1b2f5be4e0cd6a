"""`stem why`: why a task is not running, or not finished."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from stem.cli.output import Output
from stem.cli.session import app_option, ask, json_option, url_option

if TYPE_CHECKING:
    from stem.client.why import Reason, Why

__all__ = ["why"]

_HELP: Final = "Say why a task is not running, or not finished."


@click.command("why", help=_HELP)
@click.argument("task_id", metavar="ID")
@url_option
@app_option
@json_option
def why(task_id: str, *, url: str | None, app: str | None, as_json: bool) -> None:
    """A sentence for each reason that holds now, with what can be done about it."""
    found = ask(url, lambda stem: stem.inspect.why(task_id), app)
    output = Output(as_json)
    if as_json:
        output.document(_document(found))
    else:
        output.record({"id": found.id, "state": found.state.value, "because": "\n".join(map(_line, found.reasons))})


def _document(found: Why) -> dict[str, object]:
    reasons = [{"text": reason.text, "do": reason.do} for reason in found.reasons]
    return {"id": found.id, "state": found.state.value, "reasons": reasons}


def _line(reason: Reason) -> str:
    return f"{reason.text} -> {reason.do}" if reason.do else reason.text
