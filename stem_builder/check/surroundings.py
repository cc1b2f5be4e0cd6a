"""Rules about what stands around the handlers: the modules of models, the package, the generated registry."""

from __future__ import annotations

from collections.abc import Iterator

from stem_builder.check.verdict import diagnose
from stem_builder.diagnostics import Diagnostic
from stem_builder.model import Place, Symbol, TypeRef
from stem_builder.model.facts import Facts, TaskFact

__all__ = ["costly_package", "models_beside_handlers", "registry_imported"]

_SHOWN = 5


def models_beside_handlers(facts: Facts) -> Iterator[Diagnostic]:
    """STL106: a producer that validates this type imports what its module imports; one warning for each model."""
    seen: set[str] = set()
    for task in facts.tasks:
        for symbol, place in _symbols(task):
            if symbol.import_module in facts.handler_modules and symbol.home not in seen:
                seen.add(symbol.home)
                yield _beside(facts, symbol, place)


def registry_imported(facts: Facts) -> Iterator[Diagnostic]:
    """STL112: the registry imports every handler module."""
    for module in facts.modules:
        for place in module.registry_imports:
            yield diagnose(
                "STL112",
                place,
                f"handler module `{module.name}` imports the generated registry",
                note="which imports every handler module",
                help=f"import `{facts.package}._stem.definitions` to enqueue other tasks",
            )


def costly_package(facts: Facts) -> Iterator[Diagnostic]:
    """STL113: Python imports the package's `__init__` before its definitions."""
    yield from _handlers_on_the_way(facts)
    for found in facts.package_imports:
        target = "handlers" if found.reaches_handler else f"`{found.chain[-1]}`"
        yield diagnose(
            "STL113",
            found.place,
            f"importing `{facts.package}._stem.definitions` also imports {target}",
            note=" -> ".join(found.chain),
            help=f"empty the `__init__` of `{found.chain[0]}`, or import lazily in a module-level `__getattr__`",
        )


def _handlers_on_the_way(facts: Facts) -> Iterator[Diagnostic]:
    """Tasks that stand in an `__init__` which importing the definitions runs; one warning for each module."""
    seen: set[str] = set()
    for task in facts.tasks:
        if f"{facts.package}.".startswith(f"{task.module}.") and task.module not in seen:
            seen.add(task.module)
            yield diagnose(
                "STL113",
                task.place,
                f"importing `{facts.package}._stem.definitions` also imports handlers",
                note=f"they stand in the `__init__` of `{task.module}`",
                help=f"move `{task.function}` to a module of its own, for example `{task.module}.tasks`",
            )


def _symbols(task: TaskFact) -> Iterator[tuple[Symbol, Place]]:
    typed: list[tuple[TypeRef | None, Place]] = [(each.type, each.type_place) for each in task.parameters]
    for ref, place in [*typed, (task.result, task.result_place)]:
        yield from ((symbol, place) for symbol in (ref.symbols if ref is not None else ()))


def _beside(facts: Facts, symbol: Symbol, place: Place) -> Diagnostic:
    module = facts.module(symbol.import_module)
    loads = module.loads if module is not None else ()
    more = f" and {len(loads) - _SHOWN} more" if len(loads) > _SHOWN else ""
    loaded = f"{', '.join(loads[:_SHOWN])}{more}" if loads else "the handlers"
    return diagnose(
        "STL106",
        place,
        f"model `{symbol.name}` lives in handler module `{symbol.import_module}`",
        note=f"a producer would load {loaded}",
        help=f"move `{symbol.name}` to a module without handlers, for example `{_package(symbol)}.models`",
    )


def _package(symbol: Symbol) -> str:
    return symbol.import_module.rpartition(".")[0] or symbol.import_module
