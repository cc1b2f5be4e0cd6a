"""Hand-made models: the values that a scan would give, without any source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from stem_builder.model import Default, Option, Package, Parameter, ParameterKind, Place, Symbol, Task, TypeRef

PLACE = Place("shop/tasks.py", 3, 1, 3, 10)


def builtin(name: str) -> Symbol:
    return Symbol("builtins", name, f"builtins:{name}")


def symbol(module: str, name: str, home: str = "") -> Symbol:
    return Symbol(module, name, home or f"{module}:{name}")


def ref(*parts: str | Symbol) -> TypeRef:
    return TypeRef(parts)


def parameter(name: str, kind: TypeRef, default: str | None = None, *, keyword: bool = False) -> Parameter:
    """A parameter; `default` is the text of a literal, and "..." means a computed one."""
    literal = None if default == "..." else ref(default or "")
    return Parameter(
        name,
        ParameterKind.KEYWORD_ONLY if keyword else ParameterKind.POSITIONAL_OR_KEYWORD,
        kind,
        None if default is None else Default(literal),
        PLACE,
    )


def task(
    attr: str = "charge",
    parameters: Sequence[Parameter] = (),
    *,
    result: TypeRef | None = None,
    module: str = "shop.tasks",
    is_async: bool = True,
    has_context: bool = False,
    doc: str = "",
    version: int = 1,
    queue: str = "default",
    options: Mapping[str, TypeRef] | None = None,
) -> Task:
    return Task(
        name=f"shop.{attr}",
        attr=attr,
        module=module,
        qualname=attr,
        is_async=is_async,
        has_context=has_context,
        parameters=tuple(parameters),
        result=result or ref("None"),
        doc=doc,
        version=version,
        queue=queue,
        options=tuple(Option(name, value) for name, value in (options or {}).items()),
        place=PLACE,
    )


def package(*tasks: Task) -> Package:
    return Package("shop", "shop", tasks)


def write_tree(root: Path, files: Mapping[str, str]) -> Path:
    """The files below `root`, with their folders."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root
