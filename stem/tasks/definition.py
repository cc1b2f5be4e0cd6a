"""What a producer imports: a task's name, version and signature, with no handler behind it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Concatenate, Final, Generic, Protocol, cast

from typing_extensions import ParamSpec, TypeVar, Unpack

from stem.tasks.call import TaskCall
from stem.tasks.codecs import TaskCodecs
from stem.tasks.context import TaskContext
from stem.tasks.handle import Enqueuer, TaskHandle
from stem.tasks.keys import asks_for_keys, with_keys
from stem.tasks.markers import mark_of
from stem.tasks.options import DefinitionOptions, EnqueueOptions, HandlerOptions, PublishOptions, merge_options
from stem.tasks.upcasts import upcasts_of

if TYPE_CHECKING:
    from stem.codec import ArgumentsCodec, ResultCodec

__all__ = [
    "DEFAULT",
    "Binding",
    "Described",
    "TaskDefinition",
    "mirror",
    "mirror_ctx",
    "mirror_sync",
    "mirror_sync_ctx",
    "task_def",
]

P = ParamSpec("P")
R = TypeVar("R")
StateT = TypeVar("StateT")


class _Default:
    """A default that is not a literal: left to the worker, omitted on the wire."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "DEFAULT"


DEFAULT: Final[Any] = _Default()  # Any: it stands for a value of every type in a generated signature


class Described(Protocol):
    """What a worker and a client need of a definition, whatever its signature."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def contract(self) -> str: ...
    @property
    def publish_options(self) -> PublishOptions: ...
    @property
    def arguments(self) -> ArgumentsCodec: ...
    @property
    def results(self) -> ResultCodec[Any]: ...
    def call_named(self, arguments: Mapping[str, object], options: EnqueueOptions) -> TaskCall[Any]: ...


@dataclass(frozen=True)
class TaskDefinition(Generic[P, R]):
    """A task as its producers see it: bound to nothing, safe to import anywhere."""

    name: str
    version: int
    contract: str
    stub: Callable[P, R] = field(repr=False)
    types: Mapping[str, str] = field(repr=False)
    given: EnqueueOptions
    source: str = ""
    _codecs: TaskCodecs | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self._codecs is None:
            object.__setattr__(self, "_codecs", TaskCodecs(self.name, self.stub, self.types, omit=DEFAULT))

    @property
    def signature(self) -> Callable[P, R]:
        return self.stub

    def options(self, **options: Unpack[EnqueueOptions]) -> TaskDefinition[P, R]:
        return replace(self, given=cast("EnqueueOptions", {**self.given, **options}))._checked()

    def call(self, /, *args: P.args, **kwargs: P.kwargs) -> TaskCall[R]:
        return self._call(args, kwargs)

    async def enqueue(self, to: Enqueuer, /, *args: P.args, **kwargs: P.kwargs) -> TaskHandle[R]:
        return await to.enqueue(self._call(args, kwargs))

    async def enqueue_and_wait(self, to: Enqueuer, /, *args: P.args, **kwargs: P.kwargs) -> R:
        handle = await to.enqueue(self._call(args, kwargs))
        return await handle.result()

    def handle(self, source: HandleMaker, task_id: str, /) -> TaskHandle[R]:
        return source.handle_of(task_id, self.decode_result)

    def call_named(self, arguments: Mapping[str, object], options: EnqueueOptions) -> TaskCall[R]:
        return self.options(**options)._call((), arguments)

    def load(self) -> None:
        _ = self.arguments, self.results

    def decode_result(self, data: bytes) -> R:
        return self._results.decode(data)

    @property
    def publish_options(self) -> PublishOptions:
        return self._publish_options

    @property
    def arguments(self) -> ArgumentsCodec:
        return self._arguments

    @property
    def results(self) -> ResultCodec[R]:
        return self._results

    # Worker side. P and R are fixed by the receiver, so the handler is checked and not inferred.
    def bind(self, handler: Callable[P, Awaitable[R]]) -> Binding:
        return Binding(self, handler, wants_context=False, is_async=True)

    def bind_ctx(self, handler: Callable[Concatenate[TaskContext[StateT], P], Awaitable[R]]) -> Binding:
        return Binding(self, handler, wants_context=True, is_async=True)

    def bind_sync(self, handler: Callable[P, R]) -> Binding:
        return Binding(self, handler, wants_context=False, is_async=False)

    def bind_sync_ctx(self, handler: Callable[Concatenate[TaskContext[StateT], P], R]) -> Binding:
        return Binding(self, handler, wants_context=True, is_async=False)

    def _call(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> TaskCall[R]:
        payload = self._arguments.encode(args, kwargs)
        call = TaskCall(
            self.name, self.version, self.contract, payload, self._publish_options, self.given, self.decode_result
        )
        return with_keys(call, self.arguments.values(args, kwargs)) if self._asks_for_keys else call

    def _checked(self) -> TaskDefinition[P, R]:
        _ = self.publish_options
        return self

    # Kept here, without the properties before them, for each call and each result.
    @cached_property
    def _publish_options(self) -> PublishOptions:
        return merge_options(self.given)

    @cached_property
    def _arguments(self) -> ArgumentsCodec:
        assert self._codecs is not None
        return self._codecs.arguments

    @cached_property
    def _results(self) -> ResultCodec[R]:
        assert self._codecs is not None
        return self._codecs.results

    @cached_property
    def _asks_for_keys(self) -> bool:
        return asks_for_keys(self._publish_options)


class HandleMaker(Protocol):
    """What can give a handle for an id: a `Stem`."""

    def handle_of(self, task_id: str, decode: Callable[[bytes], R], /) -> TaskHandle[R]: ...


@dataclass(frozen=True, slots=True)
class Binding:
    """A handler and the definition that it was checked against."""

    definition: Described
    handler: Callable[..., object] = field(repr=False)
    wants_context: bool
    is_async: bool

    @property
    def name(self) -> str:
        """The task's name."""
        return self.definition.name

    @property
    def version(self) -> int:
        """The version that the handler takes."""
        return self.definition.version

    @property
    def options(self) -> HandlerOptions:
        """The worker-side options on the handler's decorator."""
        mark = mark_of(self.handler)
        return mark.handler if mark is not None else HandlerOptions()

    @property
    def accepts(self) -> tuple[int, ...]:
        """The older versions that it takes, as they are or through an upcast, in order."""
        return tuple(sorted({*self.options.accepts, *upcasts_of(self.handler)}))

    def decode_arguments(self, payload: bytes) -> dict[str, object]:
        """The handler's keyword arguments. Raises `Undecodable`."""
        return self.definition.arguments.decode(payload)

    def encode_result(self, value: object) -> bytes:
        """The stored form of a result. Raises `ResultRefused`."""
        return self.definition.results.encode(value)


def task_def(
    name: str,
    *,
    version: int = 1,
    contract: str = "",
    types: Mapping[str, str] | None = None,
    source: str = "",
    **options: Unpack[DefinitionOptions],
) -> Callable[[Callable[P, R]], TaskDefinition[P, R]]:
    """Turn a stub function into a definition; what stem-build writes.

    `types` says where the names in the stub's annotations live ("module:qualname"); they are imported at first use.
    """

    def decorate(stub: Callable[P, R]) -> TaskDefinition[P, R]:
        given = cast("EnqueueOptions", options)
        return TaskDefinition(name, version, contract, stub, types or {}, given, source)

    return decorate


def mirror(handler: Callable[P, Awaitable[R]]) -> Callable[[Callable[P, R]], bool]:
    """The reverse check: the stub must be usable as the handler too, so the two are exactly alike."""
    return lambda stub: True


def mirror_ctx(
    handler: Callable[Concatenate[TaskContext[StateT], P], Awaitable[R]],
) -> Callable[[Callable[P, R]], bool]:
    """`mirror` for a coroutine function with a context."""
    return lambda stub: True


def mirror_sync(handler: Callable[P, R]) -> Callable[[Callable[P, R]], bool]:
    """`mirror` for a plain function."""
    return lambda stub: True


def mirror_sync_ctx(handler: Callable[Concatenate[TaskContext[StateT], P], R]) -> Callable[[Callable[P, R]], bool]:
    """`mirror` for a plain function with a context."""
    return lambda stub: True
