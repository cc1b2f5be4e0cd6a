"""`_stem/registry.py`: what workers import. Each handler is checked against its definition in both directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stem_builder.render.environment import render_template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stem_builder.model import Package, Task

__all__ = ["render_registry"]

_OWN_NAMES: Final = frozenset(
    {
        "annotations",
        "TYPE_CHECKING",
        "Final",
        "Registry",
        "mirror",
        "mirror_ctx",
        "mirror_sync",
        "mirror_sync_ctx",
        "registry",
    }
)


@dataclass(frozen=True, slots=True)
class _Binding:
    attr: str
    handler: str
    bind: str
    mirror: str


def render_registry(package: Package, *, contract: str, version: str) -> str:
    """The text of the module; `contract` is the package's hash."""
    hidden = frozenset(task.module for task in package.tasks if _hides_its_module(task))
    bindings = [_binding(task, hidden) for task in package.tasks]
    values: dict[str, object] = {
        "version": version,
        "package": package.name,
        "contract": contract,
        "stem": ", ".join(["Registry", *sorted({one.mirror for one in bindings})]),
        "imports": list(_imports(package, hidden)),
        "bindings": bindings,
    }
    return render_template("registry.py.jinja", values)


def _hides_its_module(task: Task) -> bool:
    """A function with its module's name (`tasks/charge.py: charge`): where it is re-exported it hides the module."""
    return task.module.rpartition(".")[2] == task.qualname


def _binding(task: Task, hidden: frozenset[str]) -> _Binding:
    suffix = ("" if task.is_async else "_sync") + ("_ctx" if task.has_context else "")
    return _Binding(task.attr, _handler(task, hidden), f"bind{suffix}", f"mirror{suffix}")


def _imports(package: Package, hidden: frozenset[str]) -> Iterator[str]:
    """Absolute imports of the handlers' modules, or of handlers whose module may be hidden; then definitions."""
    for module in sorted({task.module for task in package.tasks} - hidden):
        yield f"import {module} as {_alias(module)}" if _clashes(module) else f"import {module}"
    for task in sorted(package.tasks, key=lambda one: (one.module, one.qualname)):
        if task.module in hidden:
            yield f"from {task.module} import {task.qualname} as {_handler(task, hidden)}"
    if package.tasks:
        yield f"from {package.name}._stem import definitions as _d"


def _handler(task: Task, hidden: frozenset[str]) -> str:
    if task.module in hidden:
        return f"{_alias(task.module)}__{task.qualname}"
    return f"{_alias(task.module) if _clashes(task.module) else task.module}.{task.qualname}"


def _clashes(module: str) -> bool:
    return module.partition(".")[0] in _OWN_NAMES


def _alias(module: str) -> str:
    return f"_{module.replace('.', '_')}"
