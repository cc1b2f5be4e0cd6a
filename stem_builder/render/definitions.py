"""`_stem/definitions.py`: what producers import. It names types for checkers and imports none of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stem_builder.model import ParameterKind
from stem_builder.render.environment import render_template
from stem_builder.render.names import Import, NameTable, build_names, import_lines
from stem_builder.render.text import docstring, quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stem_builder.model import Package, Parameter, Task

__all__ = ["render_definitions"]

_HELPERS: Final[Mapping[str, str]] = {
    "TYPE_CHECKING": "typing",
    "Final": "typing",
    "DEFAULT": "stem",
    "task_def": "stem",
    "NotImplementedError": "builtins",
    "annotations": "__future__",
}


@dataclass(frozen=True, slots=True)
class _Stub:
    attr: str
    arguments: str
    parameters: str
    result: str
    doc: str


def render_definitions(package: Package, *, contract: str, contracts: Mapping[str, str], version: str) -> str:
    """The text of the module; `contract` is the package's hash, `contracts` holds the hash of each task by name."""
    helpers = _helpers(package)
    names = build_names(
        package, frozenset(task.attr for task in package.tasks) | frozenset(helpers.values()) | {"_TYPES"}
    )
    runtime = frozenset(names.runtime)
    values: dict[str, object] = {
        "version": version,
        "package": package.name,
        "contract": contract,
        "helpers": helpers,
        "future": f"from __future__ import {_clause('annotations', helpers)}",
        "stdlib": _stdlib(package, names, helpers),
        "stem": _from_stem(package, helpers),
        "typed": import_lines(one for one in names.annotations if one not in runtime),
        "types": sorted((quote(one.local), quote(one.home)) for one in names.annotations),
        "exported": ", ".join(quote(attr) for attr in sorted(task.attr for task in package.tasks)),
        "tasks": [_stub(task, names, helpers["DEFAULT"], contracts[task.name]) for task in package.tasks],
    }
    return render_template("definitions.py.jinja", values)


def _helpers(package: Package) -> dict[str, str]:
    """The names that the module itself uses; one that a task took gets an underscore."""
    taken = frozenset(task.attr for task in package.tasks)
    return {name: f"_{name}" if name in taken else name for name in _HELPERS}


def _clause(name: str, helpers: Mapping[str, str]) -> str:
    return Import("", name, helpers[name]).clause


def _stdlib(package: Package, names: NameTable, helpers: Mapping[str, str]) -> tuple[str, ...]:
    """Everything that is imported when the module is imported, but for `stem`."""
    needed = list(names.runtime)
    if package.tasks and helpers["NotImplementedError"] != "NotImplementedError":
        needed.append(Import("builtins", "NotImplementedError", helpers["NotImplementedError"]))
    if names.annotations:
        needed.append(Import("typing", "Final", helpers["Final"]))
    if set(names.annotations) - set(names.runtime):
        needed.append(Import("typing", "TYPE_CHECKING", helpers["TYPE_CHECKING"]))
    return import_lines(needed)


def _from_stem(package: Package, helpers: Mapping[str, str]) -> str:
    clauses = [_clause("task_def", helpers)] if package.tasks else []
    if any(_computed(parameter) for task in package.tasks for parameter in task.parameters):
        clauses.insert(0, _clause("DEFAULT", helpers))
    return f"from stem import {', '.join(clauses)}" if clauses else ""


def _stub(task: Task, names: NameTable, default: str, contract: str) -> _Stub:
    return _Stub(
        attr=task.attr,
        arguments=", ".join(_arguments(task, names, contract)),
        parameters=", ".join(_parameters(task, names, default)),
        result=names.text(task.result),
        doc=_doc(task),
    )


def _arguments(task: Task, names: NameTable, contract: str) -> Iterator[str]:
    yield quote(task.name)
    yield f"version={task.version}"
    yield f"contract={quote(contract)}"
    if task.queue != "default":
        yield f"queue={quote(task.queue)}"
    for option in task.options:
        yield f"{option.name}={names.text(option.value)}"
    if names.annotations:
        yield "types=_TYPES"
    yield f"source={quote(f'{task.module}:{task.qualname}')}"


def _parameters(task: Task, names: NameTable, default: str) -> Iterator[str]:
    star = False
    for parameter in task.parameters:
        if parameter.kind is ParameterKind.KEYWORD_ONLY and not star:
            star = True
            yield "*"
        yield f"{parameter.name}: {names.text(parameter.type)}{_default(parameter, names, default)}"


def _default(parameter: Parameter, names: NameTable, default: str) -> str:
    if parameter.default is None:
        return ""
    literal = parameter.default.literal
    return f" = {default}" if literal is None or literal.symbols else f" = {names.text(literal)}"


def _computed(parameter: Parameter) -> bool:
    """Whether the worker fills in the default: a literal is printed, a member of an enum would need its module."""
    default = parameter.default
    return default is not None and (default.literal is None or bool(default.literal.symbols))


def _doc(task: Task) -> str:
    place = f"{task.module}.{task.qualname}"
    line = f"Task `{task.name}` v{task.version}, queue `{task.queue}`. Handler: {place}"
    return docstring(f"{task.doc}\n\n{line}" if task.doc else line, "    ")
