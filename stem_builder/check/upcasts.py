"""Rules about upcasts: for which task, from which version, and whether what they give fits it."""

from __future__ import annotations

from collections.abc import Iterator

from stem_builder.check.verdict import diagnose
from stem_builder.diagnostics import Diagnostic
from stem_builder.model import Place, Symbol, TypeRef
from stem_builder.model.facts import Facts, ParameterFact, Shape, TaskFact, UpcastFact

__all__ = ["misfit"]

_REFUSED = {Shape.VAR_POSITIONAL: "*", Shape.VAR_KEYWORD: "**"}


def misfit(facts: Facts) -> Iterator[Diagnostic]:
    """STL120: an upcast that a worker would refuse, as far as source shows it."""
    tasks = {(task.module, task.function): task for task in facts.tasks}
    taken: dict[tuple[str, str, int], UpcastFact] = {}
    for upcast in facts.upcasts:
        task = None if upcast.target is None else tasks.get(upcast.target)
        if task is None:
            note, help_ = "no function under `@task` in this package", "name a handler: `@upcast(handler, ...)`"
            yield _found(upcast.handler_place, f"`{upcast.handler}` is no task", note, help_)
            continue
        yield from _place(upcast, task)
        yield from _version(upcast, task, taken)
        yield from _signature(upcast)
        yield from _result(upcast, task)


def _place(upcast: UpcastFact, task: TaskFact) -> Iterator[Diagnostic]:
    if upcast.module != task.module:
        message = f"upcast `{upcast.function}` stands in another module than its handler"
        note = f"`{task.function}` is in `{task.module}`, and may be loaded without it"
        yield _found(upcast.place, message, note, f"move it to `{task.module}`")


def _version(upcast: UpcastFact, task: TaskFact, taken: dict[tuple[str, str, int], UpcastFact]) -> Iterator[Diagnostic]:
    option, today = upcast.from_version, task.option("version")
    if option is None or not isinstance(option.value, int):
        return
    version = 1 if today is None else today.value
    if isinstance(version, int) and not 1 <= option.value < version:
        message = f"`from_version={option.value}` is not older than task `{task.name}`"
        help_ = f"raise the task's version: `@task(version={max(option.value, version) + 1})`, or correct this one"
        yield _found(option.value_place, message, f"which has version {version}", help_)
    first = taken.setdefault((task.module, task.function, option.value), upcast)
    if first is not upcast:
        message = f"two upcasts of task `{task.name}` begin from version {option.value}"
        yield _found(option.value_place, message, f"the other one is `{first.function}`", "keep one of them")


def _signature(upcast: UpcastFact) -> Iterator[Diagnostic]:
    for parameter in upcast.parameters:
        if parameter.shape in _REFUSED:
            message = f"`{_REFUSED[parameter.shape]}{parameter.name}` is not allowed on an upcast"
            yield _found(parameter.place, message, "older arguments are read by name", "name each parameter")
        elif not parameter.annotated:
            message = f"parameter `{parameter.name}` of upcast `{upcast.function}` has no annotation"
            yield _found(
                parameter.place, message, "older arguments are read by it", f"write `{parameter.name}: <type>`"
            )
    if not upcast.returns:
        message = f"upcast `{upcast.function}` has no return annotation"
        help_ = "write the type of the task's first argument, or `-> dict[str, object]` for all of them"
        yield _found(upcast.place, message, "whether it fits cannot be known", help_)


def _result(upcast: UpcastFact, task: TaskFact) -> Iterator[Diagnostic]:
    first = _first(task)
    if first is None:
        help_ = f"take the upcast away, and write `@task(accepts=(...))` on `{task.function}`"
        yield _found(upcast.place, f"task `{task.name}` has an upcast and no arguments", "nothing to make", help_)
    elif upcast.result is not None and first.type is not None and not _fits(upcast, upcast.result, first.type):
        message = f"upcast `{upcast.function}` gives `{upcast.result_text}`, which task `{task.name}` does not take"
        note = f"`{first.name}` is `{_text(first.type)}`"
        help_ = f"give `{_text(first.type)}`, or a mapping with all arguments by name"
        yield _found(upcast.result_place, message, note, help_)


def _first(task: TaskFact) -> ParameterFact | None:
    return next((each for each in task.parameters if not each.is_context and each.shape not in _REFUSED), None)


def _fits(upcast: UpcastFact, given: TypeRef, wanted: TypeRef) -> bool:
    """The same type, its members in any order, or a class that is derived from it or may be."""
    if given == wanted or (" | " in wanted.parts and sorted(map(str, given.parts)) == sorted(map(str, wanted.parts))):
        return True
    symbol = wanted.parts[0]
    if len(given.parts) > 1 or len(wanted.parts) > 1 or not isinstance(symbol, Symbol):
        return False
    return upcast.is_open or symbol.home in upcast.lineage


def _text(type_: TypeRef) -> str:
    return "".join(part if isinstance(part, str) else part.name for part in type_.parts)


def _found(place: Place, message: str, note: str, help_: str) -> Diagnostic:
    return diagnose("STL120", place, message, note=note, help=help_)
