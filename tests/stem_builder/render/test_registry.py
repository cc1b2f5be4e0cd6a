from __future__ import annotations

import ast

import pytest

from stem_builder.model import Package
from stem_builder.render.registry import render_registry
from tests.stem_builder.samples import package, task


def render(shop: Package) -> str:
    return render_registry(shop, contract="sha256:fedcba9876543210", version="1.2.3")


@pytest.mark.parametrize(
    ("is_async", "has_context", "suffix"),
    [(True, False, ""), (True, True, "_ctx"), (False, False, "_sync"), (False, True, "_sync_ctx")],
)
def test_each_kind_of_handler_is_checked_in_both_directions(is_async: bool, has_context: bool, suffix: str) -> None:
    text = render(package(task(is_async=is_async, has_context=has_context)))
    assert f"from stem import Registry, mirror{suffix}\n" in text
    assert f"    mirror{suffix}(shop.tasks.charge)(_d.charge.stub)\n" in text
    assert f"        _d.charge.bind{suffix}(shop.tasks.charge),\n" in text


def test_the_registry_knows_the_contract_of_the_package() -> None:
    assert 'contract="sha256:fedcba9876543210"' in render(package(task()))


def test_an_empty_package_has_an_empty_registry() -> None:
    text = render(package())
    assert "bindings=()," in text
    assert "TYPE_CHECKING" not in text


def test_each_module_is_imported_once_by_its_full_name() -> None:
    text = render(package(task("a"), task("b"), task("c", module="shop.queue")))
    assert "\nimport shop.queue\nimport shop.tasks\nfrom shop._stem import definitions as _d\n" in text


def test_a_function_with_the_name_of_its_module_is_imported_from_it() -> None:
    text = render(package(task("charge", module="shop.tasks.charge")))
    assert "from shop.tasks.charge import charge as _shop_tasks_charge__charge\n" in text
    assert "_d.charge.bind(_shop_tasks_charge__charge)" in text


def test_its_neighbours_in_that_module_are_imported_from_it_too() -> None:
    text = render(package(task("charge", module="shop.tasks.charge"), task("refund", module="shop.tasks.charge")))
    assert "\nimport shop" not in text
    assert "_d.refund.bind(_shop_tasks_charge__refund)" in text


def test_a_package_with_a_name_of_the_registry_is_imported_under_another() -> None:
    text = render(Package("registry", "registry", (task("charge", module="registry.tasks"),)))
    assert "import registry.tasks as _registry_tasks\n" in text
    assert "_d.charge.bind(_registry_tasks.charge)" in text


def test_the_text_is_python() -> None:
    tree = ast.parse(render(package(task("a"), task("b", is_async=False))))
    assert [type(node) for node in tree.body][-1] is ast.AnnAssign
