"""One local name per type: decided purely from the symbols, so the same package always gets the same names."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from stem_builder.model import Package, Symbol, TypeRef

__all__ = ["Import", "NameTable", "build_names", "free_name", "import_lines"]


@dataclass(frozen=True, slots=True, order=True)
class Import:
    """`from module import name as local`; `home` ("module:qualname") is where the object is defined."""

    module: str
    name: str
    local: str
    home: str = ""

    @property
    def clause(self) -> str:
        """The part after `import`."""
        return self.name if self.name == self.local else f"{self.name} as {self.local}"


@dataclass(frozen=True, slots=True)
class NameTable:
    """The local name of each symbol, and the imports that make those names: for annotations, and at run time."""

    locals: Mapping[Symbol, str]
    annotations: tuple[Import, ...]
    runtime: tuple[Import, ...]

    def text(self, ref: TypeRef) -> str:
        """The annotation or the value as it stands in the generated module."""
        return "".join(part if isinstance(part, str) else self.locals[part] for part in ref.parts)


def build_names(package: Package, taken: frozenset[str]) -> NameTable:
    """Names for every symbol of the package that collide neither with each other nor with what is taken.

    Of several symbols with one name the first by module keeps it; each other gets the last parts of its module as a
    suffix (`Order_billing`). Two import places of one object are one name.
    """
    typed, valued = frozenset(_annotation_symbols(package)), frozenset(_option_symbols(package))
    used = set(taken)
    chosen: dict[tuple[str, str], Import] = {}
    for symbol in sorted(typed | valued, key=lambda one: (one.import_module != "builtins", one)):
        key = _key(symbol)
        if key not in chosen:
            local = free_name(key[1], symbol.import_module, used)
            used.add(local)
            chosen[key] = Import(symbol.import_module, key[1], local, key[0])
    names = {symbol: chosen[_key(symbol)].local + _nested(symbol) for symbol in typed | valued}
    return NameTable(names, _imports(typed, chosen), _imports(valued, chosen))


def free_name(name: str, module: str, used: Iterable[str]) -> str:
    """`name`, or `name` with as many trailing parts of its module as make it free."""
    taken = frozenset(used)
    parts = module.split(".")
    suffixes = ("_".join(parts[-count:]) for count in range(1, len(parts) + 1))
    candidates = chain((name,), (f"{name}_{suffix}" for suffix in suffixes))
    free = next((candidate for candidate in candidates if candidate not in taken), None)
    return free if free is not None else free_name(f"{name}_", module, taken)


def import_lines(imports: Iterable[Import]) -> tuple[str, ...]:
    """One `from` line per module in order; within it constants, classes, then the rest, as import sorters have it."""
    modules: dict[str, list[str]] = {}
    for one in sorted(imports, key=lambda one: (one.module, not one.name.isupper(), one.name[:1].islower(), one.name)):
        modules.setdefault(one.module, []).append(one.clause)
    return tuple(f"from {module} import {', '.join(clauses)}" for module, clauses in modules.items())


def _annotation_symbols(package: Package) -> Iterator[Symbol]:
    for task in package.tasks:
        yield from task.result.symbols
        for parameter in task.parameters:
            yield from parameter.type.symbols


def _option_symbols(package: Package) -> Iterator[Symbol]:
    for task in package.tasks:
        for option in task.options:
            yield from option.value.symbols


def _imports(symbols: Iterable[Symbol], chosen: Mapping[tuple[str, str], Import]) -> tuple[Import, ...]:
    """What has to be imported for these symbols; a built-in only when its name was taken."""
    needed = {chosen[_key(symbol)] for symbol in symbols}
    return tuple(sorted(one for one in needed if one.module != "builtins" or one.local != one.name))


def _key(symbol: Symbol) -> tuple[str, str]:
    """The home of the outermost class of a (nested) name, and the name that is imported for it."""
    top, nested = symbol.name.partition(".")[0], _nested(symbol)
    module, _, qualname = symbol.home.partition(":")
    if qualname.endswith(nested):
        return f"{module}:{qualname[: len(qualname) - len(nested)]}", top
    return f"{symbol.import_module}:{top}", top


def _nested(symbol: Symbol) -> str:
    return symbol.name[len(symbol.name.partition(".")[0]) :]
