"""The statements of the engine, by name: each is a file in `sql/`, read once, at its first use."""

from __future__ import annotations

import re
import sqlite3
from functools import cache
from pathlib import Path
from typing import Final

__all__ = ["FOLDER", "execute", "statement"]

FOLDER: Final = Path(__file__).parent / "sql"

_MESSAGE: Final = """json_array(
    t.seq, (SELECT length(body) FROM stem_envelopes AS e WHERE e.seq = t.seq), t.id, t.name, t.queue, t.attempt,
    t.max_retries, t.generation, t.deliveries, t.crashes, t.lost, t.published_at,
    t.expires_at, t.ignore_result AND NOT t.watched & 1, t.cancel_requested, t.parks, t.fence,
    t.expires_at IS NOT NULL AND t.started_at < CASE
        WHEN t.lost_by IS NULL THEN coalesce(t.lease_until - t.lease, t.started_at + 1)
        ELSE t.started_at + 1
    END"""
_PARAMETER: Final = re.compile(r":([a-z_]+)")
_DOOMED: Final = """t.watched AND EXISTS (
    SELECT 1 FROM stem_links AS l CROSS JOIN stem_groups AS g ON g.id = l.grp
    WHERE l.task = t.id AND NOT l.ended AND g.closed_at IS NOT NULL
)"""
_GATE: Final = """json_array(
    g.opens_at, g.id, l.interval, l.tolerance, l.concurrency, coalesce(a.ahead, 0), coalesce(h.holders, 0)
)"""
_JUDGED: Final = """LEFT JOIN stem_limits AS l ON l.name = g.name AND l.shared = g.shared
LEFT JOIN stem_allowances AS a ON a.shared = g.shared AND a.key = g.rate_key
LEFT JOIN stem_holdings AS h ON h.shared = g.shared AND h.key = g.concurrency_key"""
"""What decides about a gate: the limit of its name, unless that uses another's allowances now."""
_PINNED: Final = """(t.watched AND (
    EXISTS (
        SELECT 1 FROM stem_links AS l CROSS JOIN stem_tasks AS d ON d.id = l.task
        WHERE l.after_id = t.id AND l.after_kind = 'task' AND d.finished_at IS NULL
    )
    OR EXISTS (
        SELECT 1 FROM stem_links AS m CROSS JOIN stem_groups AS g ON g.id = m.grp
        WHERE m.task = t.id AND m.place IS NOT NULL AND (g.closed_at IS NULL OR EXISTS (
            SELECT 1 FROM stem_links AS l CROSS JOIN stem_tasks AS d ON d.id = l.task
            WHERE l.after_id = g.id AND l.after_kind = 'group' AND d.finished_at IS NULL
        ))
    )
))"""
"""What is kept beyond its time: a live message waits for it, or its group has not come to its end."""
_HELD: Final = "t.lease, t.started, t.lost_by, t.lost_started, t.lost_backoff, t.lost_ack, t.place"
_SHARED: Final = {
    "message": _MESSAGE,
    "held": _HELD,
    "doomed": _DOOMED,
    "gate": _GATE,
    "judged": _JUDGED,
    "pinned": _PINNED,
}


@cache
def statement(name: str) -> str:
    """The text of `sql/<name>.sql`; the columns that several statements share are filled in."""
    text = (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    for key, columns in _SHARED.items():
        text = text.replace(f"{{{key}}}", columns)
    return text


def execute(connection: sqlite3.Connection, name: str, **parameters: object) -> sqlite3.Cursor:
    """Run a statement by its name.

    The parameters are passed by place: for each one that is passed by name the driver gives the interpreter away, and
    numbered ones (`?1`) are deprecated by some releases of Python 3.12.
    """
    text, names = _placed(name)
    return connection.execute(text, tuple(parameters[key] for key in names))


@cache
def _placed(name: str) -> tuple[str, tuple[str, ...]]:
    """The statement with a `?` for each use of a parameter, and the parameter's name at each of these places."""
    text = statement(name)
    return _PARAMETER.sub("?", text), tuple(_PARAMETER.findall(text))
