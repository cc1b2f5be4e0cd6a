"""Facts to the neutral model: only what the rules let pass, in a stable order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from stem_builder.check.options import DEFINITION_OPTIONS
from stem_builder.model import Option, Package, Parameter, ParameterKind, Task
from stem_builder.model.facts import Nesting, ParameterFact, Shape, TaskFact

__all__ = ["build_package"]

_OWN_FIELDS: Final = frozenset({"version", "queue"})
_KINDS: Final = {
    Shape.POSITIONAL_OR_KEYWORD: ParameterKind.POSITIONAL_OR_KEYWORD,
    Shape.KEYWORD_ONLY: ParameterKind.KEYWORD_ONLY,
}


def build_package(name: str, directory: str, facts: Iterable[TaskFact]) -> Package:
    """The package's model; a task that cannot be written down is left out, and a diagnostic says why."""
    tasks = [task for fact in facts if (task := _task(fact)) is not None]
    return Package(name, directory, tuple(sorted(tasks, key=lambda task: (task.name, task.module, task.qualname))))


def _task(fact: TaskFact) -> Task | None:
    arguments = [parameter for parameter in fact.parameters if not parameter.is_context]
    parameters = [built for parameter in arguments if (built := _parameter(parameter)) is not None]
    if fact.result is None or len(parameters) < len(arguments) or fact.nesting is not Nesting.MODULE:
        return None
    return Task(
        name=fact.name,
        attr=fact.attr,
        module=fact.module,
        qualname=fact.function,
        is_async=fact.is_async,
        has_context=len(arguments) < len(fact.parameters),
        parameters=tuple(parameters),
        result=fact.result,
        doc=fact.doc,
        version=_version(fact),
        queue=_queue(fact),
        options=_options(fact),
        place=fact.place,
    )


def _parameter(fact: ParameterFact) -> Parameter | None:
    kind = _KINDS.get(fact.shape)
    if kind is None or fact.type is None:
        return None
    return Parameter(fact.name, kind, fact.type, fact.default, fact.place)


def _options(fact: TaskFact) -> tuple[Option, ...]:
    written = {option.name: option.ref for option in fact.options if option.name not in _OWN_FIELDS}
    return tuple(Option(name, ref) for name in DEFINITION_OPTIONS if (ref := written.get(name)) is not None)


def _version(fact: TaskFact) -> int:
    option = fact.option("version")
    return option.value if option is not None and isinstance(option.value, int) else 1


def _queue(fact: TaskFact) -> str:
    option = fact.option("queue")
    return option.value if option is not None and isinstance(option.value, str) else "default"
