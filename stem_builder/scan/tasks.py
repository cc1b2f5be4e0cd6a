"""One handler to facts: its options, its parameters, its context, its result."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from stem_builder.model import Default
from stem_builder.model.facts import OptionFact, ParameterFact, Shape, TaskFact
from stem_builder.scan.annotations import TypeReader
from stem_builder.scan.handlers import Function, Handler, is_stem
from stem_builder.scan.literals import read_constant
from stem_builder.scan.reader import Module
from stem_builder.scan.resolve import Resolver, dotted
from stem_builder.scan.symbols import Scope

__all__ = ["read_options", "read_parameters", "read_task"]

_MUTABLE_CALLS: Final = frozenset({"list", "dict", "set", "bytearray", "defaultdict", "deque", "OrderedDict"})
_MUTABLE: Final = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)


@dataclass(frozen=True, slots=True)
class _Argument:
    node: ast.arg
    shape: Shape
    default: ast.expr | None


def read_task(handler: Handler, reader: TypeReader, resolver: Resolver) -> TaskFact:
    """Everything the source says about one handler; problems with its types are collected by the reader."""
    module, node = handler.module, handler.node
    scope = Scope(module, variables=_type_parameters(node))
    result = None if node.returns is None else reader.read(node.returns, scope)
    return TaskFact(
        module=module.name,
        package=module.source.package,
        function=node.name,
        nesting=handler.declaration.nesting,
        owner=handler.declaration.owner,
        is_async=handler.declaration.is_async,
        doc=handler.declaration.doc,
        options=tuple(read_options(handler.decorator, module, resolver)),
        parameters=read_parameters(node, scope, reader, resolver),
        returns=node.returns is not None,
        result=result,
        result_place=module.name_place(node) if node.returns is None else module.place(node.returns),
        place=module.name_place(node),
    )


def read_parameters(node: Function, scope: Scope, reader: TypeReader, resolver: Resolver) -> tuple[ParameterFact, ...]:
    """The parameters of a function as written."""
    return tuple(_parameter(each, scope, reader, resolver) for each in _arguments(node.args))


def read_options(decorator: ast.expr, module: Module, resolver: Resolver) -> Iterator[OptionFact]:
    """What a decorator is called with; without a name what stands in its place."""
    if not isinstance(decorator, ast.Call):
        return
    for argument in decorator.args:
        yield _option("", argument, whole=argument, module=module, resolver=resolver)
    for keyword in decorator.keywords:
        yield _option(keyword.arg or "", keyword.value, whole=keyword, module=module, resolver=resolver)


def _option(
    name: str, value: ast.expr, *, whole: ast.expr | ast.keyword, module: Module, resolver: Resolver
) -> OptionFact:
    constant = read_constant(value, module, resolver, lists=True) if name else None
    spread = "**" if isinstance(whole, ast.keyword) and whole.arg is None else ""
    return OptionFact(
        name=name,
        text=spread + module.text(value),
        known=constant is not None,
        value=constant.value if constant is not None else None,
        ref=constant.ref if constant is not None else None,
        place=module.place(whole),
        value_place=module.place(value),
    )


def _arguments(args: ast.arguments) -> Iterator[_Argument]:
    positional = [*args.posonlyargs, *args.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(args.defaults)) + list(args.defaults)
    for index, (node, default) in enumerate(zip(positional, defaults, strict=True)):
        only = index < len(args.posonlyargs)
        yield _Argument(node, Shape.POSITIONAL_ONLY if only else Shape.POSITIONAL_OR_KEYWORD, default)
    if args.vararg is not None:
        yield _Argument(args.vararg, Shape.VAR_POSITIONAL, None)
    for node, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        yield _Argument(node, Shape.KEYWORD_ONLY, default)
    if args.kwarg is not None:
        yield _Argument(args.kwarg, Shape.VAR_KEYWORD, None)


def _parameter(argument: _Argument, scope: Scope, reader: TypeReader, resolver: Resolver) -> ParameterFact:
    node, annotation = argument.node, argument.node.annotation
    contexts = [] if annotation is None else list(_contexts(_unquoted(annotation), scope.module, resolver))
    is_context = bool(contexts)
    readable = annotation is not None and not is_context and argument.shape not in _REFUSED
    return ParameterFact(
        name=node.arg,
        shape=argument.shape,
        annotated=annotation is not None,
        type=reader.read(annotation, scope) if annotation is not None and readable else None,
        is_context=is_context,
        is_bare=any(contexts),
        default=None if argument.default is None else Default(reader.default(argument.default, scope)),
        mutable_default=_mutable(argument.default),
        place=scope.module.place(node),
        type_place=scope.module.place(annotation if annotation is not None else node),
    )


_REFUSED: Final = (Shape.VAR_POSITIONAL, Shape.VAR_KEYWORD)


def _contexts(annotation: ast.expr, module: Module, resolver: Resolver) -> Iterator[bool]:
    """For each `TaskContext` in an annotation: whether it is the whole, bare or as `TaskContext[State]`."""
    whole = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    for node in ast.walk(annotation):
        name = dotted(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""
        if name and is_stem(module, name, "TaskContext", resolver):
            yield node is whole


def _unquoted(annotation: ast.expr) -> ast.expr:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            return ast.parse(annotation.value.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            return annotation
    return annotation


def _mutable(default: ast.expr | None) -> str:
    if default is None:
        return ""
    called = dotted(default.func).rpartition(".")[2] if isinstance(default, ast.Call) else ""
    return ast.unparse(default) if isinstance(default, _MUTABLE) or called in _MUTABLE_CALLS else ""


def _type_parameters(node: Function) -> frozenset[str]:
    """The names of `def f[T](...)`, which Python 3.11 does not know."""
    parameters: list[ast.AST] = getattr(node, "type_params", [])
    return frozenset(str(getattr(parameter, "name", "")) for parameter in parameters)
