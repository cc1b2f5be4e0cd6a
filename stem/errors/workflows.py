"""Why a run cannot go on."""

from __future__ import annotations

from stem.errors.base import StemError

__all__ = ["EventTimeout", "NonDeterminism", "RunCancelled", "RunFailed", "UnknownWorkflow", "WorkflowError"]


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
