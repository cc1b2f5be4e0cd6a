"""Why nothing was enqueued."""

from __future__ import annotations

from stem.errors.base import StemError

__all__ = [
    "DuplicateTask",
    "EnqueueError",
    "EnqueueRefused",
    "InvalidArguments",
    "PayloadTooLarge",
    "UnknownTask",
    "UnusableConnection",
]


class EnqueueError(StemError):
    """The task was not accepted; nothing was stored."""

    code = "STEM-E020"


class InvalidArguments(EnqueueError):
    """The arguments do not fit the task's parameters."""

    code = "STEM-E021"


class UnknownTask(EnqueueError):
    """No definition has this name."""

    code = "STEM-E022"


class PayloadTooLarge(EnqueueError):
    """The encoded arguments are larger than the limit."""

    code = "STEM-E023"


class DuplicateTask(EnqueueError):
    """Another live task holds the unique key; `holder` is its id."""

    code = "STEM-E024"

    def __init__(self, *, expected: str, found: str, do: str, holder: str = "") -> None:
        super().__init__(expected=expected, found=found, do=do)
        self.holder = holder


class UnusableConnection(EnqueueError):
    """The task cannot be part of this connection's transaction, which is as it was before."""

    code = "STEM-E025"


class EnqueueRefused(EnqueueError):
    """A middleware refused the call; its own error is the cause of this one."""

    code = "STEM-E026"
