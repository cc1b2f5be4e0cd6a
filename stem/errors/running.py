"""What running a task, or waiting for its result, can meet."""

from __future__ import annotations

from stem.errors.base import StemError

__all__ = [
    "BroadcastError",
    "HardTimeLimit",
    "MiddlewareFailed",
    "ResultExpired",
    "ResultIgnored",
    "ResultRefused",
    "SoftTimeLimit",
    "TaskCancelled",
    "TaskError",
    "TaskExpired",
    "TaskFailed",
    "Undecodable",
    "UnknownId",
    "WaitTimeout",
    "WorkerLost",
]


class TaskError(StemError):
    """There is no result to give, or the task cannot go on."""

    code = "STEM-E040"


class TaskFailed(TaskError):
    """The task ended as failed; `kind` and `message` are those of the last error, `traceback` its text."""

    code = "STEM-E041"

    def __init__(
        self, *, expected: str, found: str, do: str, kind: str = "", message: str = "", traceback: str = ""
    ) -> None:
        super().__init__(expected=expected, found=found, do=do)
        self.kind = kind
        self.message = message
        self.traceback = traceback


class TaskCancelled(TaskError):
    """The task was cancelled."""

    code = "STEM-E042"


class TaskExpired(TaskError):
    """The task was not started before its `expires`."""

    code = "STEM-E043"


class WaitTimeout(TaskError):
    """The result did not come in time; the task goes on."""

    code = "STEM-E044"


class ResultExpired(TaskError):
    """The result was kept for its `result_ttl` and is gone."""

    code = "STEM-E045"


class ResultIgnored(TaskError):
    """The task was enqueued with `ignore_result`, so no result was stored."""

    code = "STEM-E046"


class ResultRefused(TaskError):
    """The result could not be encoded as its declared type, or is larger than the engine takes."""

    code = "STEM-E047"


class UnknownId(TaskError):
    """No task has this id."""

    code = "STEM-E048"


class HardTimeLimit(TaskError):
    """The attempt ran longer than its hard time limit and was stopped."""

    code = "STEM-E049"


class SoftTimeLimit(TaskError):
    """The attempt ran longer than its soft time limit; raised inside the handler."""

    code = "STEM-E050"


class WorkerLost(TaskError):
    """The worker that ran the task is gone, and the task must not run again."""

    code = "STEM-E051"


class Undecodable(TaskError):
    """What was stored cannot be read as a task of this registry."""

    code = "STEM-E052"


class MiddlewareFailed(TaskError):
    """A middleware raised around the attempt, did not run the handler, or took too long; the attempt failed."""

    code = "STEM-E053"


class BroadcastError(TaskError):
    """A task that runs on every worker has a result for each and not one of its own; no other task has copies."""

    code = "STEM-E054"
