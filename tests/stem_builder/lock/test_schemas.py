from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from stem.errors import BuildError
from stem_builder.lock import Problem, TypeSchema, collect_schemas
from stem_builder.model import Symbol, TypeRef
from tests.stem_builder.samples import builtin, ref, symbol, write_tree

MODELS = """
from decimal import Decimal
from pydantic import BaseModel

class Order(BaseModel):
    id: int
    amount: Decimal
"""


def ask(root: Path, *refs: TypeRef, handlers: tuple[str, ...] = (), timeout: float = 30) -> list[TypeSchema | Problem]:
    found = collect_schemas(refs, roots=[root], handlers=frozenset(handlers), packages=["shop"], timeout=timeout)
    return [found[one] for one in refs]


def shop(root: Path, files: Mapping[str, str]) -> Path:
    return write_tree(root, {"shop/__init__.py": "", **files})


def model(name: str = "Order", module: str = "shop.models") -> TypeRef:
    return ref(symbol(module, name))


def test_a_model_has_a_schema_for_each_direction(tmp_path: Path) -> None:
    (found,) = ask(shop(tmp_path, {"shop/models.py": MODELS}), model())
    assert isinstance(found, TypeSchema)
    assert found.validation["required"] == ["amount", "id"]
    assert found.validation != found.serialization


def test_directions_that_do_not_differ_are_one_schema(tmp_path: Path) -> None:
    (found,) = ask(tmp_path, ref(builtin("list"), "[", builtin("int"), "]"))
    assert found == TypeSchema(
        {"items": {"type": "integer"}, "type": "array"}, {"items": {"type": "integer"}, "type": "array"}
    )


def test_none_and_unions_are_annotations_too(tmp_path: Path) -> None:
    none, union = ask(tmp_path, ref("None"), ref(builtin("int"), " | None"))
    assert isinstance(none, TypeSchema)
    assert isinstance(union, TypeSchema)
    assert none.validation == {"type": "null"}
    assert union.validation == {"anyOf": [{"type": "integer"}, {"type": "null"}]}


def test_one_bad_annotation_does_not_stop_the_others(tmp_path: Path) -> None:
    tree = shop(tmp_path, {"shop/models.py": f"{MODELS}\nclass Plain: ...\n"})
    bad, missing, good = ask(tree, model("Plain"), model("Missing"), model())
    assert isinstance(bad, Problem)
    assert bad.kind == "schema"
    assert "Plain" in bad.message
    assert missing == Problem("missing", "shop.models:Missing")
    assert isinstance(good, TypeSchema)


def test_a_module_that_raises_is_a_problem_with_its_error(tmp_path: Path) -> None:
    tree = shop(tmp_path, {"shop/models.py": "raise RuntimeError('no settings')"})
    assert ask(tree, model()) == [Problem("import", "shop.models", "RuntimeError: no settings")]


def test_a_module_that_exits_is_a_problem_too(tmp_path: Path) -> None:
    tree = shop(tmp_path, {"shop/models.py": "raise SystemExit(3)"})
    assert ask(tree, model()) == [Problem("import", "shop.models", "SystemExit: 3")]


def test_a_handler_module_is_never_imported_and_the_chain_is_named(tmp_path: Path) -> None:
    tree = shop(
        tmp_path,
        {
            "shop/models.py": f"from shop import helpers\n{MODELS}",
            "shop/helpers.py": "import shop.tasks",
            "shop/tasks.py": "import pathlib; pathlib.Path(__file__).with_name('imported').touch()",
        },
    )
    assert ask(tree, model(), handlers=("shop.tasks",)) == [
        Problem("forbidden", "shop.models -> shop.helpers -> shop.tasks")
    ]
    assert not (tree / "shop" / "imported").exists()


@pytest.mark.parametrize("caught", ["ImportError", "Exception", "BaseException"])
def test_a_forbidden_import_is_reported_even_when_it_was_caught(tmp_path: Path, caught: str) -> None:
    source = f"try:\n    import shop.tasks\nexcept {caught}:\n    pass\n{MODELS}"
    tree = shop(tmp_path, {"shop/models.py": source, "shop/tasks.py": ""})
    assert ask(tree, model(), handlers=("shop.tasks",)) == [Problem("forbidden", "shop.models -> shop.tasks")]


def test_generated_packages_are_served_empty_while_models_load(tmp_path: Path) -> None:
    source = f"from shop._stem import definitions as defs\nfrom shop._stem.definitions import charge\n{MODELS}"
    (found,) = ask(shop(tmp_path, {"shop/models.py": source}), model())
    assert isinstance(found, TypeSchema)


def test_what_a_module_prints_does_not_reach_the_answer(tmp_path: Path) -> None:
    source = f"import os\nprint('hello')\nos.write(1, b'there')\n{MODELS}"
    (found,) = ask(shop(tmp_path, {"shop/models.py": source}), model())
    assert isinstance(found, TypeSchema)


def test_a_module_that_kills_the_process_is_an_error_with_what_it_said(tmp_path: Path) -> None:
    source = "import os, sys\nprint('last words', file=sys.stderr, flush=True)\nos._exit(9)"
    with pytest.raises(BuildError, match="exit status 9: last words"):
        ask(shop(tmp_path, {"shop/models.py": source}), model())


def test_a_module_that_hangs_is_an_error(tmp_path: Path) -> None:
    tree = shop(tmp_path, {"shop/models.py": "import threading\nthreading.Event().wait()"})
    with pytest.raises(BuildError, match="within 2 seconds"):
        ask(tree, model(), timeout=2)


def test_a_type_beside_handlers_is_opaque_and_changes_with_its_text(tmp_path: Path) -> None:
    beside = model(module="shop.tasks")
    first = ask(shop(tmp_path, {"shop/tasks.py": f"raise RuntimeError\n{MODELS}"}), beside, handlers=("shop.tasks",))
    moved = ask(
        shop(tmp_path, {"shop/tasks.py": f"raise RuntimeError\n\n\n{MODELS}"}), beside, handlers=("shop.tasks",)
    )
    second = ask(
        shop(tmp_path, {"shop/tasks.py": f"raise RuntimeError\n{MODELS}    paid: bool\n"}),
        beside,
        handlers=("shop.tasks",),
    )
    assert isinstance(first[0], TypeSchema)
    assert first[0].opaque
    assert first == moved
    assert first != second


def test_a_set_as_a_default_prints_the_same_every_time(tmp_path: Path) -> None:
    source = "from pydantic import BaseModel\nclass Order(BaseModel):\n    tags: set[str] = set('abcdefghij')\n"
    tree = shop(tmp_path, {"shop/models.py": source})
    assert ask(tree, model()) == ask(tree, model())


def test_nothing_to_ask_starts_no_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.executable", "/nonexistent")
    assert ask(tmp_path) == []


def test_the_home_is_imported_and_not_the_place_that_re_exports_it(tmp_path: Path) -> None:
    tree = shop(tmp_path, {"shop/models.py": MODELS})
    (found,) = ask(tree, ref(Symbol("shop.typing_only", "Order", "shop.models:Order")))
    assert isinstance(found, TypeSchema)
