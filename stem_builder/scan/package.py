"""Scans one package: files, handlers, facts, rules, model. Reads source only; nothing of the user's is imported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from stem.errors import BuildError
from stem_builder.check import apply_suppressions, check_facts, diagnose
from stem_builder.diagnostics import Diagnostic, ordered
from stem_builder.model import Package, Place
from stem_builder.model.facts import Facts, ModuleFact
from stem_builder.scan.annotations import TypeReader
from stem_builder.scan.build import build_package
from stem_builder.scan.closure import loads, package_imports
from stem_builder.scan.handlers import Handler, find_handlers, registry_imports, unseen_calls
from stem_builder.scan.modules import ModuleIndex
from stem_builder.scan.prefilter import SUPPRESSION, Candidate, decorator_names, select, walk
from stem_builder.scan.reader import Module, ModuleReader
from stem_builder.scan.resolve import Resolver
from stem_builder.scan.tasks import read_task
from stem_builder.scan.upcasts import read_upcast

__all__ = ["ScanResult", "scan_package"]


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What one package declares, every problem found, and the modules that only a worker may import."""

    package: Package
    diagnostics: tuple[Diagnostic, ...]
    handler_modules: frozenset[str]


def scan_package(package: str, *, roots: Sequence[Path], project: Path) -> ScanResult:
    """Everything that `package` declares, from its source alone; problems are returned, never raised.

    `roots` are the folders in which modules are found, the first one first; places are relative to `project`.
    The package's generated output may be missing, and is never read. Raises `BuildError` when no root has the package.
    """
    index = ModuleIndex([root.resolve() for root in roots], project.resolve())
    folder = index.directory(package)
    if folder is None:
        return _without_folder(package, index)
    reader = ModuleReader(index)
    sources = [index.describe(name, path) for path, name in walk(folder, package)]
    candidates = [Candidate(each, data) for each in sources if (data := reader.bytes_of(each)) is not None]
    facts, problems = _read(package, candidates, reader)
    found = [*problems, *check_facts(facts), *reader.broken.values()]
    kept = apply_suppressions(found, _suppressions(candidates))
    model = build_package(package, index.relative(folder), facts.tasks)
    return ScanResult(model, ordered(kept), facts.handler_modules)


def _read(package: str, candidates: list[Candidate], reader: ModuleReader) -> tuple[Facts, tuple[Diagnostic, ...]]:
    resolver = Resolver(reader)
    hits = select(candidates, decorator_names(candidates, reader.index))
    modules = [module for hit in hits if (module := reader.add(hit.source, hit.data)) is not None]
    declared = [each for module in modules for each in find_handlers(module, resolver)]
    handlers = [each for each in declared if each.under == "task"]
    names = frozenset(handler.module.name for handler in handlers)
    types = TypeReader(resolver, names)
    facts = Facts(
        package=package,
        tasks=tuple(read_task(handler, types, resolver) for handler in handlers),
        modules=tuple(_module_facts(modules, handlers, resolver)),
        package_imports=tuple(package_imports(package, reader, names)),
        upcasts=tuple(read_upcast(each, types, resolver) for each in declared if each.under == "upcast"),
    )
    return facts, types.problems


def _module_facts(modules: Iterable[Module], handlers: Iterable[Handler], resolver: Resolver) -> list[ModuleFact]:
    with_tasks = {handler.module.name for handler in handlers}
    found: list[ModuleFact] = []
    for module in modules:
        is_handler = module.name in with_tasks
        registry = tuple(module.place(node) for node in registry_imports(module)) if is_handler else ()
        loaded = loads(module, resolver.reader) if is_handler else ()
        calls = tuple(unseen_calls(module, resolver))
        if is_handler or calls:
            found.append(ModuleFact(module.name, loaded, registry, calls))
    return found


def _suppressions(candidates: Iterable[Candidate]) -> dict[tuple[str, int], dict[str, Place]]:
    found: dict[tuple[str, int], dict[str, Place]] = {}
    for candidate in candidates:
        for match in SUPPRESSION.finditer(candidate.data):
            line = candidate.data.count(b"\n", 0, match.start()) + 1
            column = match.start() - (candidate.data.rfind(b"\n", 0, match.start()) + 1) + 1
            place = Place(candidate.source.relative, line, column, line, column + len(match[0]))
            codes = match[1].decode(errors="replace").replace(" ", "").split(",")
            found[candidate.source.relative, line] = {code: place for code in codes if code}
    return found


def _without_folder(package: str, index: ModuleIndex) -> ScanResult:
    source = index.find(package)
    if source is None:
        raise BuildError(
            expected=f"the package `{package}` in one of the source roots",
            found="no folder of that name",
            do="Correct `packages` or `src` in [tool.stem.build].",
        )
    last = package.rpartition(".")[2]
    lone = diagnose(
        "STL117",
        Place(source.relative, 1, 1, 1, 1),
        f"`{package}` is a lone module, and stem-build writes `_stem` into a package",
        note="a single file has no inside",
        help=f"mkdir {last} && git mv {last}.py {last}/tasks.py && touch {last}/__init__.py",
    )
    return ScanResult(Package(package, "", ()), (lone,), frozenset())
