"""What a worker and its child process say to each other: typed messages in length-prefixed frames.

A frame is two lengths, a JSON head and a body; payloads and results are the body, byte for byte. Nothing is pickled.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, TypeAlias

from stem.clock import Micros
from stem.codec import dump_json, load_object
from stem.errors import Undecodable
from stem.tasks.options import JsonValue

__all__ = [
    "PREFIX",
    "Answer",
    "Ask",
    "Beat",
    "Begin",
    "Cancel",
    "Done",
    "Extend",
    "Failed",
    "Message",
    "Ready",
    "Report",
    "Said",
    "Setup",
    "Soften",
    "Stop",
    "decode",
    "encode",
    "lengths",
]

PREFIX: Final = struct.calcsize(">II")


@dataclass(frozen=True, slots=True)
class Setup:
    """The first word to a child: where its code is, and what it opens before it works."""

    path: list[str]
    worker: str
    log_level: int
    lifespan: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """One attempt; the body is the payload."""

    number: int
    handler: str
    definition: str | None
    wants_context: bool
    is_async: bool
    task_id: str
    name: str
    version: int
    queue: str
    attempt: int
    max_retries: int
    fence: int
    headers: dict[str, str]
    meta: dict[str, JsonValue]
    deadline: Micros | None
    cancelled: bool
    body: bytes


@dataclass(frozen=True, slots=True)
class Soften:
    """The soft limit of this attempt is reached; the limit."""

    number: int
    limit: Micros


@dataclass(frozen=True, slots=True)
class Cancel:
    """A cancel was requested for this attempt."""

    number: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Close what was opened, and exit."""


@dataclass(frozen=True, slots=True)
class Answer:
    """To an `Ask`: the id of the task, or an error."""

    request: int
    task_id: str = ""
    duplicate: bool = False
    error: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """The first word of a child: it can work."""


@dataclass(frozen=True, slots=True)
class Done:
    """The attempt succeeded; the body is the encoded result. `memory` is what the child holds now, in bytes."""

    number: int
    memory: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The attempt failed, and what that means by the handler's own policy."""

    number: int
    memory: int
    kind: str
    message: str
    traceback: str
    code: str
    repeated: bool
    delay: Micros | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """`ctx.progress`."""

    done: float
    total: float | None
    message: str | None
    data: JsonValue


@dataclass(frozen=True, slots=True)
class Beat:
    """`ctx.heartbeat`."""


@dataclass(frozen=True, slots=True)
class Extend:
    """`ctx.extend_lease`."""

    by: Micros


@dataclass(frozen=True, slots=True)
class Ask:
    """`ctx.enqueue` and `ctx.follow_up`: a call, whose payload is the body."""

    request: int
    at_the_end: bool
    call: dict[str, Any]
    body: bytes


@dataclass(frozen=True, slots=True)
class Said:
    """A log record."""

    level: int
    logger: str
    text: str
    extra: dict[str, str | int | float] = field(default_factory=dict[str, str | int | float])


Message: TypeAlias = (
    Setup | Begin | Soften | Cancel | Stop | Answer | Ready | Done | Failed | Report | Beat | Extend | Ask | Said
)

_KINDS: Final[Mapping[str, type[Message]]] = {
    kind.__name__: kind
    for kind in (Setup, Begin, Soften, Cancel, Stop, Answer, Ready, Done, Failed, Report, Beat, Extend, Ask, Said)
}


def encode(message: Message) -> bytes:
    """The frame of a message. Raises `ConfigError` for values that JSON cannot hold."""
    values: dict[str, Any] = {each.name: getattr(message, each.name) for each in fields(message)}
    body: bytes = values.pop("body", b"")
    head = dump_json({"is": type(message).__name__, **values})
    return struct.pack(">II", len(head), len(body)) + head + body


def lengths(prefix: bytes) -> tuple[int, int]:
    """How long the head and the body are that follow."""
    head, body = struct.unpack(">II", prefix)
    return head, body


def decode(head: bytes, body: bytes) -> Message:
    """The message of a frame. Raises `Undecodable` for anything else."""
    values = load_object(head)
    kind = _KINDS.get(str(values.pop("is", "")))
    if kind is not None:
        known = {each.name for each in fields(kind)}
        if "body" in known:
            values["body"] = body
        if values.keys() <= known:
            try:
                return kind(**values)
            except TypeError:
                pass
    raise Undecodable(
        expected="a message between a worker and its child process",
        found=f"{head[:80]!r}",
        do="Look for what else writes into the pipe of the child.",
    )
