"""Messages that some registries may not have for a time: what becomes of them when that time is over."""

from __future__ import annotations

from itertools import chain
from typing import Final, cast

from stem.adapters.sqlite.rows import dump, load_refusals
from stem.adapters.sqlite.write import Writing
from stem.clock import Micros

__all__ = ["MOST_JUDGED", "judge_refusals"]

MOST_JUDGED: Final = 200
"""How many messages of a queue one lease call judges anew."""


def judge_refusals(writing: Writing, queues: str) -> None:
    """Line up messages whose first pause is over, or that came back, by who still passes them over.

    What nobody passes over any more goes into the line of all, at the place that it has had since it was parked.
    """
    asked = writing.ask("refusals/over", queues=queues, now=writing.now, limit=MOST_JUDGED)
    found = chain(*cast("list[list[tuple[int, str | None, Micros]]]", asked))
    rows = [_judged(seq, load_refusals(refused), since, writing.now) for seq, refused, since in found]
    if rows:
        writing.execute("refusals/judge", rows=dump(rows))


def _judged(seq: int, refused: list[tuple[str, Micros]], since: Micros, now: Micros) -> list[object]:
    pausing = {fingerprint: until for fingerprint, until in refused if until > now}
    if not pausing:
        return [seq, None, since, since]
    return [seq, dump(sorted(pausing)), since, min(pausing.values())]
