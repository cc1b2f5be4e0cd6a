"""How tasks ended whose messages another store keeps: one field of a hash for each generation."""

from __future__ import annotations

import json
import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from stem.adapters.redis.changes import cut, dump, failure_text
from stem.adapters.redis.driver import Value
from stem.adapters.redis.part import CAPABILITIES, Part
from stem.contracts.outcomes import OLD_AGAIN, Outcome, fitting
from stem.tasks.state import TaskState
from stem.tasks.status import Failure

__all__ = ["OutcomesPart"]

_MOST: Final = 300
_MOST_BYTES: Final = 16 * 1024 * 1024
_HEAD: Final = struct.Struct(">QI")
"""Until when the result can be read, and the length of what is known besides; then that, then the result."""
_LENGTH: Final = struct.Struct(">I")


class OutcomesPart(Part):
    """`stem.contracts.outcomes.Outcomes`."""

    async def record_outcomes(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Record each for whose task and generation none is recorded; for each, in order, the one that stands."""
        standing: list[Outcome] = []
        for some in _in_parts([fitting(outcome, CAPABILITIES.max_value) for outcome in outcomes]):
            asked = [value for outcome in some for value in _asked(outcome)]
            stored: list[bytes] = await self.server.run("outcomes/record", *asked)
            standing += [_outcome(outcome.task_id, text) for outcome, text in zip(some, stored, strict=True)]
        return standing

    async def outcomes(self, ids: Sequence[str]) -> Mapping[str, Outcome]:
        """The outcome of the latest generation of those ids that have one; kept for twice its `result_ttl` at least."""
        found: dict[str, Outcome] = {}
        asked = list(dict.fromkeys(ids))
        for at in range(0, len(asked), _MOST):
            values: list[bytes] = await self.server.run("outcomes/find", *asked[at : at + _MOST])
            for task, text in zip(values[::2], values[1::2], strict=True):
                found[task.decode()] = _outcome(task.decode(), text)
        return found

    async def old_outcomes(self, limit: int) -> Sequence[str]:
        """Up to `limit` tasks of which `retain` has found an outcome that was kept long enough."""
        found: list[bytes] = await self.server.run("outcomes/old", limit)
        return list(dict.fromkeys(task.decode() for task in found))

    async def forget_outcomes(self, ids: Sequence[str], *, needed: Collection[str] = ()) -> None:
        """Delete the old outcomes of these tasks that are not needed."""
        for at in range(0, len(ids), _MOST):
            asked = [value for id_ in ids[at : at + _MOST] for value in (str(int(id_ in needed)), id_)]
            await self.server.run("outcomes/forget", OLD_AGAIN, *asked)


def _in_parts(outcomes: Sequence[Outcome]) -> Iterator[Sequence[Outcome]]:
    """The outcomes in parts that one call takes, in order."""
    begin = size = 0
    for place, outcome in enumerate(outcomes):
        added = len(outcome.result or b"")
        if place > begin and (place - begin >= _MOST or size + added > _MOST_BYTES):
            yield outcomes[begin:place]
            begin, size = place, 0
        size += added
    if begin < len(outcomes):
        yield outcomes[begin:]


def _asked(outcome: Outcome) -> tuple[Value, ...]:
    has_result = outcome.result is not None
    facts = [outcome.generation, outcome.state.value, has_result, failure_text(outcome.error), outcome.bury_reason]
    known = dump([*facts, outcome.result_ttl, outcome.by, outcome.follow_ups]).encode()
    text = _LENGTH.pack(len(known)) + known + (outcome.result or b"")
    return outcome.task_id, outcome.generation, cut(outcome.result_ttl), text


def _outcome(task: str, text: bytes) -> Outcome:
    until, size = _HEAD.unpack_from(text)
    end = _HEAD.size + size
    generation, state, has_result, error, reason, ttl, by, follow_ups = json.loads(text[_HEAD.size : end])
    return Outcome(
        task_id=task,
        generation=generation,
        state=TaskState(state),
        result=text[end:] if has_result else None,
        error=Failure(*json.loads(error)) if error else None,
        bury_reason=reason,
        result_ttl=ttl,
        by=by,
        follow_ups=follow_ups,
        result_until=until,
    )
