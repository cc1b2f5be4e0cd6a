"""Rules about where a task stands and what it is called."""

from __future__ import annotations

import keyword
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from stem_builder.check.verdict import diagnose
from stem_builder.diagnostics import Diagnostic
from stem_builder.model import Place
from stem_builder.model.facts import Facts, Nesting, TaskFact

__all__ = ["clashing", "duplicate", "dynamic", "nested", "private", "unseen"]


def nested(facts: Facts) -> Iterator[Diagnostic]:
    """STL001: a worker finds a handler by module and name."""
    for task in facts.tasks:
        if task.nesting in (Nesting.FUNCTION, Nesting.CLASS):
            kind = "nested function" if task.nesting is Nesting.FUNCTION else "method"
            yield diagnose(
                "STL001",
                task.place,
                f"`@task` on {kind} `{task.function}`",
                note=f"it stands in `{task.owner}`, where workers cannot import it",
                help="move it to the top level of the module",
            )


def private(facts: Facts) -> Iterator[Diagnostic]:
    """STL002: the registry names the function from another module."""
    for task in facts.tasks:
        if task.function.startswith("_"):
            proposal = task.function.strip("_") or "a public name"
            yield diagnose(
                "STL002",
                task.place,
                f"task function `{task.function}` is private",
                note="the registry cannot name it",
                help=f"remove the underscore: `{proposal}`",
            )


def duplicate(facts: Facts) -> Iterator[Diagnostic]:
    """STL003: a name, or an old name, belongs to one handler; so does a function to one definition."""
    yield from _repeated(((name, place) for task in facts.tasks for name, place in _all_names(task)), _twice_named)
    functions = ((f"{task.module}:{task.function}", task.place) for task in _top_level(facts))
    yield from _repeated(functions, _twice_defined)


def dynamic(facts: Facts) -> Iterator[Diagnostic]:
    """STL004: names are read from source."""
    for task in facts.tasks:
        for name in ("name", "attr"):
            option = task.option(name)
            if option is not None and not (option.known and _is_text(option.value)):
                yield diagnose(
                    "STL004",
                    option.value_place,
                    f"task {'name' if name == 'name' else 'attribute'} must be a literal string, found `{option.text}`",
                    note="not known before the code runs",
                    help=f'write it out: `{name}="{facts.package}.{task.function}"`'
                    if name == "name"
                    else f'write it out: `attr="{task.function}"`',
                )


def clashing(facts: Facts) -> Iterator[Diagnostic]:
    """STL005: definitions are the names of one module."""
    seen: dict[str, TaskFact] = {}
    for task in _top_level(facts):
        first = seen.setdefault(task.attr, task)
        if first is not task and (first.module, first.function) != (task.module, task.function):
            yield _clash(
                task, f"and `{first.name}` both become `definitions.{task.attr}`", "set `attr=` on one of them"
            )
        elif unusable := _unusable(task):
            yield _clash(task, f"becomes `definitions.{task.attr}`, {unusable}", "set another one with `attr=`")


def unseen(facts: Facts) -> Iterator[Diagnostic]:
    """STL008: what a running module registers is not visible in its source."""
    for module in facts.modules:
        for call in module.calls:
            yield _unseen(call.place, f"task registered dynamically: `{call.text}`")
    for task in facts.tasks:
        if task.nesting in (Nesting.CONDITION, Nesting.LOOP):
            yield _unseen(task.place, f"task `{task.function}` stands in {task.nesting.value}")


def _unseen(place: Place, message: str) -> Diagnostic:
    return diagnose(
        "STL008",
        place,
        message,
        note="stem-build cannot see what this registers",
        help="write `@task` above a function at the top level of the module",
    )


def _top_level(facts: Facts) -> Iterator[TaskFact]:
    return (task for task in facts.tasks if task.nesting is Nesting.MODULE)


def _all_names(task: TaskFact) -> Iterator[tuple[str, Place]]:
    yield task.name, task.place
    aliases = task.option("aliases")
    if aliases is not None and isinstance(aliases.value, tuple):
        yield from ((alias, aliases.value_place) for alias in aliases.value if isinstance(alias, str))


def _repeated(
    named: Iterable[tuple[str, Place]], say: Callable[[str, Place, Place], Diagnostic]
) -> Iterator[Diagnostic]:
    places: defaultdict[str, list[Place]] = defaultdict(list)
    for name, place in named:
        places[name].append(place)
    for name, where in places.items():
        first, *rest = sorted(where)
        yield from (say(name, first, again) for again in rest)


def _twice_named(name: str, first: Place, again: Place) -> Diagnostic:
    return diagnose(
        "STL003",
        again,
        f"task name `{name}` is defined twice: {first.path}:{first.line} and {again.path}:{again.line}",
        note=f"first at {first.path}:{first.line}",
        help="give one of them another `name=`",
    )


def _twice_defined(name: str, first: Place, again: Place) -> Diagnostic:
    function = name.partition(":")[2]
    return diagnose(
        "STL003",
        again,
        f"task function `{function}` is defined twice in one module",
        note=f"hides the one in line {first.line}, which can then not be bound",
        help="rename one of them",
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable()


def _unusable(task: TaskFact) -> str:
    attr = task.attr
    if not attr.isidentifier() or keyword.iskeyword(attr):
        return "which is no identifier"
    return "which is private" if attr.startswith("_") and attr != task.function else ""


def _clash(task: TaskFact, message: str, help_: str) -> Diagnostic:
    option = task.option("attr")
    place = option.value_place if option is not None else task.place
    return diagnose(
        "STL005", place, f"`{task.name}` {message}", note="the definition needs a name of its own", help=help_
    )
