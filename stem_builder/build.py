"""One build in memory: scan, check, lock and render; nothing is written here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stem import __version__
from stem_builder.config import BuildConfig
from stem_builder.diagnostics import Diagnostic, Severity, has_errors, ordered
from stem_builder.lock import (
    Problem,
    TypeSchema,
    collect_schemas,
    contract_document,
    lock_document,
    lock_entry,
    package_contract,
    read_lock,
    task_contract,
)
from stem_builder.lock.normalise import Schema
from stem_builder.model import Package, Place, TypeRef
from stem_builder.render import render_package
from stem_builder.scan import scan_package
from stem_builder.write import current

__all__ = ["LOCK_NAME", "Build", "build", "generator_version"]

LOCK_NAME = "stem.lock.json"


@dataclass(frozen=True, slots=True)
class Build:
    """The files of a build in the order they are to be written, registries last; none when a diagnostic forbids it."""

    files: Mapping[Path, str]
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class _Output:
    files: Mapping[str, str]
    entry: Schema


def generator_version() -> str:
    """The version of this stem-build, as it stands in the header of every generated file."""
    return __version__


def build(config: BuildConfig, names: Sequence[str] = (), *, version: str | None = None) -> Build:
    """Everything that the named packages (all for none) should have on disk now, and every problem in them.

    Other configured packages are scanned too, because their handler modules must not be imported either, and they keep
    their part of the lock. Raises `BuildError` for what is not a fault in the user's source.
    """
    chosen = config.select(names)
    scans = {name: scan_package(name, roots=config.roots, project=config.project) for name in config.packages}
    handlers = frozenset[str]().union(*(scan.handler_modules for scan in scans.values()))
    packages = [scans[name].package for name in chosen]
    schemas = collect_schemas(
        [ref for package in packages for ref, _ in _annotations(package)],
        roots=config.roots,
        handlers=handlers,
        packages=config.packages,
    )
    found = [one for name in chosen for one in scans[name].diagnostics]
    diagnostics = ordered([*found, *_problems(packages, schemas, found)])
    if has_errors(diagnostics):
        return Build({}, diagnostics)
    types = {ref: schema for ref, schema in schemas.items() if isinstance(schema, TypeSchema)}
    generator = version or generator_version()
    outputs = {package.name: _output(package, types, generator) for package in packages}
    return Build(_files(config, outputs, generator, whole=not names), diagnostics)


def _annotations(package: Package) -> Iterator[tuple[TypeRef, Place]]:
    """Every annotation of a package with the place to name when it has no schema."""
    for task in package.tasks:
        yield from ((one.type, one.place) for one in task.parameters)
        yield task.result, task.place


def _problems(
    packages: Sequence[Package], schemas: Mapping[TypeRef, TypeSchema | Problem], found: Sequence[Diagnostic]
) -> Iterator[Diagnostic]:
    """One diagnostic per cause, at the first annotation that meets it and that the scan did not reject already."""
    seen: set[tuple[Problem, str]] = set()
    for package in packages:
        for ref, place in _annotations(package):
            problem = schemas[ref]
            if isinstance(problem, TypeSchema) or any(_inside(one, place) for one in found):
                continue
            subject = problem.subject or "".join(one if isinstance(one, str) else one.name for one in ref.parts)
            if (problem, subject) not in seen:
                seen.add((problem, subject))
                yield _diagnostic(problem, subject, place)


def _inside(found: Diagnostic, place: Place) -> bool:
    if found.severity is not Severity.ERROR or found.place is None or found.place.path != place.path:
        return False
    start, end = (place.line, place.column), (place.end_line, place.end_column)
    return start <= (found.place.line, found.place.column) <= end


def _diagnostic(problem: Problem, subject: str, place: Place) -> Diagnostic:
    rule, message, note, advice = _TEXTS[problem.kind]
    said = " ".join(problem.message.split()) or note
    return Diagnostic(rule, Severity.ERROR, place, message.format(subject), said, advice)


_TEXTS: Mapping[str, tuple[str, str, str, str]] = {
    "forbidden": (
        "STL110",
        "a model module imports a handler module: {}",
        "a producer that uses this type would load it too",
        "break this chain, so that a producer can import the model alone",
    ),
    "import": (
        "STL118",
        "model module `{}` cannot be imported",
        "",
        "make the module importable without a server, settings or worker packages",
    ),
    "missing": (
        "STL102",
        "`{}` does not exist when its module is imported",
        "",
        "define it at the top level of the module, not under a condition",
    ),
    "schema": (
        "STL103",
        "`{}` has no JSON Schema",
        "",
        "use a type that pydantic can validate and write as JSON, or pass an id instead",
    ),
}


def _output(package: Package, types: Mapping[TypeRef, TypeSchema], version: str) -> _Output:
    contracts = {task.name: task_contract(task, types) for task in package.tasks}
    contract = package_contract(package, contracts)
    runtime = contract_document(package, types, contract=contract, contracts=contracts)
    python = render_package(package, contract=contract, contracts=contracts, version=version)
    files = {"__init__.py": python["__init__.py"], "contract.json": runtime} | python
    return _Output(files, lock_entry(package, types, contract=contract, contracts=contracts))


def _files(config: BuildConfig, outputs: Mapping[str, _Output], version: str, *, whole: bool) -> dict[Path, str]:
    placed = [
        (config.directory(name) / "_stem" / file, text)
        for name, output in outputs.items()
        for file, text in output.files.items()
    ]
    lock = config.project / LOCK_NAME
    kept = {} if whole else _other_entries(lock, config)
    entries = kept | {name: output.entry for name, output in outputs.items()}
    files = {path: text for path, text in placed if path.name != "registry.py"}
    files[lock] = lock_document(entries, version=version)
    return files | {path: text for path, text in placed if path.name == "registry.py"}


def _other_entries(lock: Path, config: BuildConfig) -> dict[str, Schema]:
    text = current(lock)
    entries = read_lock(text) if text else {}
    return {name: entry for name, entry in entries.items() if name in config.packages}
