"""The arrows of the house: imports point down, adapters are found by name, states are named in one place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

import pytest

from tests.imports import ROOT, Source, cycles, graph, imports, sources

# From the roof down. A module may import its own layer and what is below it.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("stem.cli", "stem.dashboard"),
    ("stem",),
    ("stem.testing",),
    ("stem.app", "stem.sync", "stem.answers"),
    ("stem.schedules.scheduler", "stem.workflows.runtime"),
    ("stem.worker", "stem.client"),
    ("stem.registry", "stem.stores", "stem.routing", "stem.signals", "stem.security", "stem.observability"),
    ("stem.adapters",),
    ("stem.contracts", "stem.canvas", "stem.workflows", "stem.schedules"),
    ("stem.tasks",),
    ("stem.codec",),
    ("stem.errors", "stem.clock", "stem.ids"),
)
BUILDER_LAYERS: tuple[tuple[str, ...], ...] = (
    ("stem_builder.__main__",),
    ("stem_builder.cli", "stem_builder.init"),
    ("stem_builder",),
    ("stem_builder.build",),
    ("stem_builder.render", "stem_builder.lock", "stem_builder.scan", "stem_builder.check", "stem_builder.write"),
    ("stem_builder.config",),
    ("stem_builder.diagnostics",),
    ("stem_builder.model",),
)
STATES_LIVE_IN = {"stem.tasks.state", "stem.workflows.state"}
INPUT_OUTPUT = {"asyncio", "sqlite3", "aiosqlite", "socket", "threading", "subprocess", "selectors", "multiprocessing"}
PURE = (
    "stem.tasks",
    "stem.workflows.state",
    "stem.workflows.journal",
    "stem.schedules.next_fire",
    "stem_builder.model",
)

STEM = sources("stem")
BUILDER = sources("stem_builder")
EVERYTHING = {**STEM, **BUILDER}


def depth(module: str, layers: tuple[tuple[str, ...], ...]) -> int | None:
    """How far below the roof this module's layer is: the longest matching prefix decides."""
    found = [(len(name), level) for level, names in enumerate(layers) for name in names if _within(module, name)]
    return max(found)[1] if found else None


def _within(module: str, name: str) -> bool:
    """Whether a layer's name covers this module; the bare top-level packages cover only themselves."""
    return module == name or ("." in name and module.startswith(f"{name}."))


def upward(edges: Mapping[str, frozenset[str]], layers: tuple[tuple[str, ...], ...]) -> list[str]:
    """The imports that point up, or at a module that no layer names."""
    return sorted(
        f"{module} -> {target}"
        for module, targets in edges.items()
        for target in targets
        if _points_up(depth(module, layers), depth(target, layers))
    )


def _points_up(above: int | None, below: int | None) -> bool:
    return above is not None and below is not None and below < above


def adapter_of(module: str) -> str | None:
    """The engine folder that a module is in, if it is in one."""
    match = re.match(r"stem\.adapters\.(\w+)", module)
    return match[1] if match else None


def foreign_adapters(edges: Mapping[str, frozenset[str]]) -> list[str]:
    """The imports that name an adapter from outside that adapter's own folder."""
    return sorted(
        f"{module} -> {target}"
        for module, targets in edges.items()
        for target in targets
        if adapter_of(target) and adapter_of(target) != adapter_of(module)
    )


def state_words() -> frozenset[str]:
    """The values of the state table, read from its source."""
    body = STEM["stem.tasks.state"].tree.body
    (enum,) = [node for node in body if isinstance(node, ast.ClassDef) and node.name == "TaskState"]
    return frozenset(
        node.value.value
        for node in enum.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    )


def state_literals(source: Source, words: frozenset[str]) -> Iterator[str]:
    """Where a module writes a state's word itself: as a whole string, or quoted inside a statement."""
    quoted = re.compile(r"'(" + "|".join(sorted(words)) + r")'")
    for node in ast.walk(source.tree):
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if text in words or quoted.search(text):
            yield f"{source.path.relative_to(ROOT)}:{node.lineno}" if isinstance(node, ast.Constant) else ""


def test_imports_point_down() -> None:
    assert upward(graph(STEM), LAYERS) == []


def test_imports_of_the_builder_point_down() -> None:
    assert upward(graph(BUILDER), BUILDER_LAYERS) == []


@pytest.mark.parametrize("package", ["stem", "stem_builder"])
def test_no_modules_import_each_other_in_a_circle(package: str) -> None:
    assert cycles(graph(sources(package))) == []


def test_every_module_has_its_layer() -> None:
    assert [name for name in STEM if depth(name, LAYERS) is None] == []
    assert [name for name in BUILDER if depth(name, BUILDER_LAYERS) is None] == []


def test_the_runtime_never_imports_the_builder() -> None:
    users = [
        name for name, source in STEM.items() if any(found.split(".")[0] == "stem_builder" for found in imports(source))
    ]
    assert users == []


def test_nothing_imports_an_adapter_by_name() -> None:
    assert foreign_adapters(graph(STEM)) == []


def test_pure_modules_import_no_input_or_output() -> None:
    pure = [source for name, source in EVERYTHING.items() if name.startswith(PURE)]
    users = [source.name for source in pure if {found.split(".")[0] for found in imports(source)} & INPUT_OUTPUT]
    assert users == []


def test_only_the_scan_knows_libcst_and_only_the_render_knows_jinja2() -> None:
    homes = {"libcst": "stem_builder.scan", "jinja2": "stem_builder.render"}
    strays = [
        f"{name} -> {library}"
        for name, source in BUILDER.items()
        for library, home in homes.items()
        if not name.startswith(home) and any(found.split(".")[0] == library for found in imports(source))
    ]
    assert strays == []


def test_states_are_named_in_the_state_table_only() -> None:
    words = state_words()
    others = [source for name, source in STEM.items() if name not in STATES_LIVE_IN]
    assert [place for source in others for place in state_literals(source, words)] == []


def test_statements_in_files_name_no_state() -> None:
    quoted = re.compile(r"'(" + "|".join(sorted(state_words())) + r")'")
    files = [*(ROOT / "stem").rglob("*.sql"), *(ROOT / "stem").rglob("*.lua")]
    assert [path.name for path in files if quoted.search(path.read_text(encoding="utf-8"))] == []


def test_an_upward_arrow_is_found() -> None:
    assert upward({"stem.ids": frozenset({"stem.tasks.call"})}, LAYERS) == ["stem.ids -> stem.tasks.call"]


def test_a_circle_is_found() -> None:
    nothing: frozenset[str] = frozenset()
    edges = {"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("b"), "d": nothing}
    assert cycles(edges) == [["b", "c"]]


def test_an_adapter_imported_by_name_is_found() -> None:
    edges = {
        "stem.app": frozenset({"stem.adapters.sqlite.store"}),
        "stem.adapters.sqlite.a": frozenset({"stem.adapters.sqlite.b"}),
    }
    assert foreign_adapters(edges) == ["stem.app -> stem.adapters.sqlite.store"]


def test_a_state_written_by_hand_is_found() -> None:
    tree = ast.parse("x = 'queued'\nq = \"state = 'failed'\"\ny = 'not queued yet'")
    found = list(state_literals(Source("stem.x", ROOT / "stem/x.py", tree), frozenset({"queued", "failed"})))
    assert found == ["stem/x.py:1", "stem/x.py:2"]
