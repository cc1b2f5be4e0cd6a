"""Rules about the parameters of a handler."""

from __future__ import annotations

from collections.abc import Iterator

from stem_builder.check.verdict import diagnose
from stem_builder.diagnostics import Diagnostic
from stem_builder.model.facts import Facts, ParameterFact, Shape, TaskFact

__all__ = ["misplaced_context", "mutable_default", "positional_only", "unannotated", "variadic"]

_VARIADIC = {Shape.VAR_POSITIONAL: "*", Shape.VAR_KEYWORD: "**"}


def unannotated(facts: Facts) -> Iterator[Diagnostic]:
    """STL101: producers are checked against annotations."""
    for task in facts.tasks:
        for index, parameter in enumerate(task.parameters):
            if not parameter.annotated and parameter.shape not in _VARIADIC:
                yield diagnose(
                    "STL101",
                    parameter.place,
                    f"parameter `{parameter.name}` has no annotation",
                    note="producers cannot be checked against it",
                    help=_annotation_help(parameter, index),
                )
        if not task.returns:
            yield diagnose(
                "STL101",
                task.place,
                f"task `{task.name}` has no return annotation",
                note="producers cannot know its result",
                help=f"write `-> None`, or the type of what `{task.function}` returns",
            )


def misplaced_context(facts: Facts) -> Iterator[Diagnostic]:
    """STL105: the worker passes the context first, by position."""
    for task in facts.tasks:
        for index, parameter in enumerate(task.parameters):
            if parameter.is_context and (reason := _misplaced(task, parameter, index)):
                yield diagnose(
                    "STL105",
                    parameter.place,
                    f"`{parameter.name}: TaskContext` must be the first positional parameter",
                    note=reason,
                    help=f"write `def {task.function}({parameter.name}: TaskContext, ...)`",
                )


def variadic(facts: Facts) -> Iterator[Diagnostic]:
    """STL107: arguments travel by name, each with its type."""
    for task, parameter in _parameters(facts):
        if parameter.shape in _VARIADIC:
            yield diagnose(
                "STL107",
                parameter.place,
                f"`{_VARIADIC[parameter.shape]}{parameter.name}` is not allowed on a task",
                note=f"the arguments of `{task.name}` travel by name",
                help="name each parameter, or take a model or a list",
            )


def mutable_default(facts: Facts) -> Iterator[Diagnostic]:
    """STL108: all runs in a process would share it."""
    for _, parameter in _parameters(facts):
        if parameter.mutable_default:
            yield diagnose(
                "STL108",
                parameter.place,
                f"mutable default `{parameter.mutable_default}` for `{parameter.name}`",
                note="one object for all runs in a process",
                help="use `None` or a tuple",
            )


def positional_only(facts: Facts) -> Iterator[Diagnostic]:
    """STL109: every parameter must be reachable by name; the context is no parameter of the definition."""
    for task in facts.tasks:
        for index, parameter in enumerate(task.parameters):
            if parameter.shape is Shape.POSITIONAL_ONLY and not (index == 0 and parameter.is_context):
                yield diagnose(
                    "STL109",
                    parameter.place,
                    f"parameter `{parameter.name}` is positional-only",
                    note="arguments travel by name",
                    help="remove the `/`",
                )


def _parameters(facts: Facts) -> Iterator[tuple[TaskFact, ParameterFact]]:
    return ((task, parameter) for task in facts.tasks for parameter in task.parameters)


def _annotation_help(parameter: ParameterFact, index: int) -> str:
    if index == 0 and parameter.name in ("ctx", "context"):
        return f"write `{parameter.name}: TaskContext` for the context, or the type of the argument"
    return f"write `{parameter.name}: <type>`"


def _misplaced(task: TaskFact, parameter: ParameterFact, index: int) -> str:
    if not parameter.is_bare:
        return "the context stands in another type"
    if parameter.default is not None:
        return "the context has no default: the worker always passes it"
    if parameter.shape is Shape.KEYWORD_ONLY:
        return "the worker passes it by position"
    if index and task.parameters[0].is_context:
        return f"`{task.parameters[0].name}` is the context already"
    return "" if index == 0 else f"it stands behind `{task.parameters[0].name}`"
