"""Every error that Stem raises.

StemError
├── ConfigError            E001   a setting, a URL, an option or a missing extra
├── BuildError             E010   stem-build cannot go on
├── EnqueueError           E020   nothing was stored
│   ├── InvalidArguments   E021
│   ├── UnknownTask        E022
│   ├── PayloadTooLarge    E023
│   ├── DuplicateTask      E024
│   ├── UnusableConnection E025
│   └── EnqueueRefused     E026
├── StoreError             E030   the engine answered with an error
│   ├── StoreUnavailable   E031
│   ├── SchemaMismatch     E032
│   ├── StoreReadOnly      E033
│   ├── StoreFull          E034
│   └── StoreCorrupt       E035
├── TaskError              E040   what waiting for a result, or running, can meet
│   ├── TaskFailed         E041
│   ├── TaskCancelled      E042
│   ├── TaskExpired        E043
│   ├── WaitTimeout        E044
│   ├── ResultExpired      E045
│   ├── ResultIgnored      E046
│   ├── ResultRefused      E047
│   ├── UnknownId          E048
│   ├── HardTimeLimit      E049
│   ├── SoftTimeLimit      E050
│   ├── WorkerLost         E051
│   ├── Undecodable        E052
│   ├── MiddlewareFailed   E053
│   └── BroadcastError     E054
├── WorkflowError          E060
│   ├── RunFailed          E061
│   ├── RunCancelled       E062
│   ├── EventTimeout       E063
│   ├── NonDeterminism     E064
│   └── UnknownWorkflow    E065
├── SecurityError          E070
│   ├── BadSignature       E071
│   └── UnknownKey         E072
├── InvalidTransition      E080   a state change that the table does not allow
└── UnknownWorker          E081   a command for a worker that is not there

Each says what was expected, what was found and what to do, and has a stable code.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "BadSignature",
    "BroadcastError",
    "BuildError",
    "ConfigError",
    "DuplicateTask",
    "EnqueueError",
    "EnqueueRefused",
    "EventTimeout",
    "HardTimeLimit",
    "InvalidArguments",
    "InvalidTransition",
    "MiddlewareFailed",
    "NonDeterminism",
    "PayloadTooLarge",
    "ResultExpired",
    "ResultIgnored",
    "ResultRefused",
    "RunCancelled",
    "RunFailed",
    "SchemaMismatch",
    "SecurityError",
    "SoftTimeLimit",
    "StemError",
    "StoreCorrupt",
    "StoreError",
    "StoreFull",
    "StoreReadOnly",
    "StoreUnavailable",
    "TaskCancelled",
    "TaskError",
    "TaskExpired",
    "TaskFailed",
    "Undecodable",
    "UnknownId",
    "UnknownKey",
    "UnknownTask",
    "UnknownWorker",
    "UnknownWorkflow",
    "UnusableConnection",
    "WaitTimeout",
    "WorkerLost",
    "WorkflowError",
]


class StemError(Exception):
    """What was expected, what was found and what to do about it, under a stable code."""

    code: ClassVar[str] = "STEM-E000"

    def __init__(self, *, expected: str, found: str, do: str) -> None:
        super().__init__(expected, found, do)
        self.expected = expected
        self.found = found
        self.do = do

    def __str__(self) -> str:
        return f"[{self.code}] expected {self.expected}; found {self.found}. {self.do}"

    def __reduce__(self) -> tuple[object, ...]:
        return _blank, (type(self), self.args), self.__dict__


def _blank(kind: type[StemError], args: tuple[str, ...]) -> StemError:
    """An error before its attributes: copying and sending to another process cannot call `__init__` by position."""
    return kind.__new__(kind, *args)


class ConfigError(StemError):
    """A setting, a URL, an option value or a missing extra stands in the way."""

    code = "STEM-E001"


class BuildError(StemError):
    """stem-build cannot go on."""

    code = "STEM-E010"


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


class StoreError(StemError):
    """The engine answered with an error."""

    code = "STEM-E030"


class StoreUnavailable(StoreError):
    """The engine did not answer in time; what was sent may or may not have happened."""

    code = "STEM-E031"


class SchemaMismatch(StoreError):
    """The schema in the database is not one that this version can use."""

    code = "STEM-E032"


class StoreReadOnly(StoreError):
    """The database cannot be written."""

    code = "STEM-E033"


class StoreFull(StoreError):
    """There is no space left for the database; what was accepted before is intact."""

    code = "STEM-E034"


class StoreCorrupt(StoreError):
    """The file is not a database, or is damaged."""

    code = "STEM-E035"


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


class WorkflowError(StemError):
    """A run cannot go on."""

    code = "STEM-E060"


class RunFailed(WorkflowError):
    """The run ended as failed."""

    code = "STEM-E061"


class RunCancelled(WorkflowError):
    """The run was cancelled."""

    code = "STEM-E062"


class EventTimeout(WorkflowError):
    """The event did not come in time."""

    code = "STEM-E063"


class NonDeterminism(WorkflowError):
    """The code took another path than the journal recorded."""

    code = "STEM-E064"


class UnknownWorkflow(WorkflowError):
    """No definition of a workflow has this name."""

    code = "STEM-E065"


class SecurityError(StemError):
    """A payload cannot be trusted."""

    code = "STEM-E070"


class BadSignature(SecurityError):
    """The signature does not fit the payload."""

    code = "STEM-E071"


class UnknownKey(SecurityError):
    """The payload names a key that this process does not have."""

    code = "STEM-E072"


class InvalidTransition(StemError):
    """The table of states does not allow this event in this state."""

    code = "STEM-E080"


class UnknownWorker(StemError):
    """No live worker has this name, or it did not answer in time."""

    code = "STEM-E081"
