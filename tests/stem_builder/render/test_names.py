from __future__ import annotations

from stem_builder.model import Symbol
from stem_builder.render.names import Import, build_names, free_name, import_lines
from tests.stem_builder.samples import builtin, package, parameter, ref, symbol, task


def names_of(*symbols: Symbol, taken: frozenset[str] = frozenset()) -> list[str]:
    table = build_names(package(task("f", [parameter(f"p{i}", ref(one)) for i, one in enumerate(symbols)])), taken)
    return [table.locals[one] for one in symbols]


def test_a_symbol_keeps_its_name() -> None:
    assert names_of(symbol("shop.models", "Order")) == ["Order"]


def test_the_second_of_two_symbols_with_one_name_gets_its_module_as_a_suffix() -> None:
    assert names_of(symbol("shop.b", "Order"), symbol("shop.a", "Order")) == ["Order_b", "Order"]


def test_modules_with_the_same_last_part_give_longer_suffixes() -> None:
    orders = [symbol(f"shop.{name}.models", "Order") for name in ("a", "b", "c")]
    assert names_of(*orders) == ["Order", "Order_models", "Order_c_models"]


def test_a_name_that_a_task_took_is_imported_under_another() -> None:
    assert names_of(symbol("shop.models", "charge"), taken=frozenset({"charge"})) == ["charge_models"]


def test_a_built_in_is_not_imported_unless_its_name_was_taken() -> None:
    free = build_names(
        package(task("f", [parameter("p", ref(builtin("list"), "[", builtin("int"), "]"))])), frozenset()
    )
    assert free.annotations == ()
    taken = build_names(package(task("f", [parameter("p", ref(builtin("list")))])), frozenset({"list"}))
    assert taken.annotations == (Import("builtins", "list", "list_builtins", "builtins:list"),)


def test_a_model_named_like_a_used_built_in_gives_way() -> None:
    assert names_of(builtin("list"), symbol("shop.models", "list")) == ["list", "list_models"]


def test_two_import_places_of_one_object_are_one_name() -> None:
    first = symbol("shop", "Order", "shop.models:Order")
    second = symbol("shop.models", "Order")
    table = build_names(package(task("f", [parameter("a", ref(first)), parameter("b", ref(second))])), frozenset())
    assert [one.module for one in table.annotations] == ["shop"]
    assert table.locals == {first: "Order", second: "Order"}


def test_a_nested_class_is_imported_by_its_outermost_class() -> None:
    nested = symbol("shop.models", "Order.Status")
    table = build_names(package(task("f", [parameter("p", ref(nested))])), frozenset())
    assert table.locals[nested] == "Order.Status"
    assert table.annotations == (Import("shop.models", "Order", "Order", "shop.models:Order"),)


def test_a_re_exported_nested_class_lives_where_its_outermost_class_is_defined() -> None:
    nested = symbol("shop", "Order.Status", "shop.models:Order.Status")
    table = build_names(package(task("f", [parameter("p", ref(nested))])), frozenset())
    assert table.annotations == (Import("shop", "Order", "Order", "shop.models:Order"),)


def test_a_value_of_an_option_is_imported_at_run_time() -> None:
    delta = symbol("datetime", "timedelta")
    table = build_names(package(task("f", options={"expires": ref(delta, "(hours=1)")})), frozenset())
    assert [one.clause for one in table.runtime] == ["timedelta"]
    assert table.annotations == ()


def test_the_order_of_tasks_does_not_change_the_names() -> None:
    first, second = symbol("shop.a", "Order"), symbol("shop.b", "Order")
    one = task("one", [parameter("p", ref(first))])
    two = task("two", [parameter("p", ref(second))])
    assert build_names(package(one, two), frozenset()) == build_names(package(two, one), frozenset())


def test_a_free_name_is_found_even_when_every_suffix_is_taken() -> None:
    assert free_name("Order", "shop", {"Order", "Order_shop"}) == "Order_"


def test_import_lines_are_sorted_and_one_per_module() -> None:
    imports = [Import("b", "Z", "Z"), Import("a", "B", "B_a"), Import("b", "A", "A")]
    assert import_lines(imports) == ("from a import B as B_a", "from b import A, Z")
