"""One upcast to facts: its handler, its version, what it takes and what it gives."""

from __future__ import annotations

import ast

from stem_builder.model.facts import UpcastFact
from stem_builder.scan.annotations import TypeReader
from stem_builder.scan.exports import Defined
from stem_builder.scan.handlers import Handler
from stem_builder.scan.lineage import lineage_of
from stem_builder.scan.resolve import Found, Resolver, dotted
from stem_builder.scan.symbols import Scope
from stem_builder.scan.tasks import read_options, read_parameters

__all__ = ["read_upcast"]


def read_upcast(upcast: Handler, reader: TypeReader, resolver: Resolver) -> UpcastFact:
    """Everything the source says about one function under `@upcast`; unreadable types are collected by the reader."""
    module, node = upcast.module, upcast.node
    scope = Scope(module)
    options = list(read_options(upcast.decorator, module, resolver))
    lineage = lineage_of(node.returns, module, resolver)
    handler = _handler(upcast)
    return UpcastFact(
        module=module.name,
        function=node.name,
        handler=module.text(handler),
        target=_target(handler, upcast, resolver),
        from_version=next((option for option in options if option.name == "from_version"), None),
        parameters=read_parameters(node, scope, reader, resolver),
        returns=node.returns is not None,
        by_name=lineage.is_mapping,
        result=None if node.returns is None or lineage.is_mapping else reader.read(node.returns, scope),
        result_text="" if node.returns is None else module.text(node.returns),
        lineage=lineage.homes,
        is_open=lineage.is_open,
        place=module.name_place(node),
        result_place=module.name_place(node) if node.returns is None else module.place(node.returns),
        handler_place=module.place(handler),
    )


def _handler(upcast: Handler) -> ast.expr:
    """What stands where the handler is named: the decorator itself, where nothing does."""
    decorator = upcast.decorator
    return decorator.args[0] if isinstance(decorator, ast.Call) and decorator.args else decorator


def _target(handler: ast.expr, upcast: Handler, resolver: Resolver) -> tuple[str, str] | None:
    name = dotted(handler)
    found = resolver.follow(upcast.module, name) if name else None
    if not isinstance(found, Found) or found.rest or not isinstance(found.binding, Defined):
        return None
    return found.module.name, found.qualname
