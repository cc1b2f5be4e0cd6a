"""What operators say to workers over the store's broadcasts, and what workers answer. Pure: values and their bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final, Literal, TypeAlias, cast, get_args

from stem.clock import Micros
from stem.codec import dump_json, load_object
from stem.errors import Undecodable
from stem.tasks.options import JsonValue

__all__ = [
    "CONTROL",
    "KEEP_ANSWER",
    "Answer",
    "Command",
    "CommandKind",
    "answers_to",
    "decode_answer",
    "decode_command",
    "encode_answer",
    "encode_command",
]

CONTROL: Final = "stem:control"
"""The channel that every worker listens to."""
KEEP_ANSWER: Final[Micros] = 60_000_000
CommandKind: TypeAlias = Literal["ping", "stats", "inspect", "drain", "stop", "revoked"]
_KINDS: Final = frozenset(get_args(CommandKind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """For the workers whose names one of the globs fits. A worker that hears it later than `valid` after it was said
    passes over it, so that a worker that was cut off does not stop long after nobody wants that any more."""

    id: str
    kind: CommandKind
    workers: tuple[str, ...] = ("*",)
    valid: Micros = 60_000_000
    arguments: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])

    def is_for(self, worker: str) -> bool:
        """Whether the worker of this name is meant."""
        return any(fnmatchcase(worker, glob) for glob in self.workers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one worker says to a command: a value, or why it could not do it."""

    worker: str
    value: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    error: str | None = None


def answers_to(command_id: str) -> str:
    """The channel of the answers to one command."""
    return f"stem:answers:{command_id}"


def encode_command(command: Command) -> bytes:
    """The bytes that are broadcast."""
    fields = {"kind": command.kind, "workers": list(command.workers), "valid": command.valid}
    return dump_json({**fields, "arguments": dict(command.arguments)})


def decode_command(command_id: str, body: bytes) -> Command:
    """Raises `Undecodable` for what is no command, or one of a later release."""
    found = load_object(body)
    kind, workers, valid = found.get("kind"), found.get("workers"), found.get("valid")
    arguments = found.get("arguments")
    shaped = isinstance(workers, list) and isinstance(valid, int) and isinstance(arguments, dict)
    if (
        not isinstance(kind, str)
        or kind not in _KINDS
        or not shaped
        or not all(isinstance(name, str) for name in cast("list[object]", workers))
    ):
        raise _damaged(f"a command among {', '.join(sorted(_KINDS))}", repr(kind))
    return Command(
        id=command_id,
        kind=cast("CommandKind", kind),
        workers=tuple(cast("list[str]", workers)),
        valid=cast("int", valid),
        arguments=cast("dict[str, JsonValue]", arguments),
    )


def encode_answer(answer: Answer) -> bytes:
    """The bytes that are broadcast."""
    return dump_json({"worker": answer.worker, "value": dict(answer.value), "error": answer.error})


def decode_answer(body: bytes) -> Answer:
    """Raises `Undecodable` for what is no answer."""
    found = load_object(body)
    worker, value, error = found.get("worker"), found.get("value"), found.get("error")
    if not isinstance(worker, str) or not isinstance(value, dict) or not isinstance(error, str | None):
        raise _damaged("an answer of a worker", "something else")
    return Answer(worker=worker, value=cast("dict[str, JsonValue]", value), error=error)


def _damaged(expected: str, found: str) -> Undecodable:
    return Undecodable(expected=expected, found=found, do="Look at who else writes into this channel.")
