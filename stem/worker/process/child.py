"""A child process: one task at a time, until it is told to stop or its worker is gone."""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from functools import partial
from queue import SimpleQueue
from types import FrameType
from typing import Any, cast

from stem.errors import ResultRefused, SoftTimeLimit, Undecodable
from stem.registry import Registry
from stem.tasks.definition import Binding, TaskDefinition
from stem.tasks.retry import Retry
from stem.worker.contained import value_of
from stem.worker.decide import Fault, Judged, Reason, judge
from stem.worker.failures import failure_of, unencodable
from stem.worker.process.controls import ChildControls, open_context
from stem.worker.process.link import SOFT_SIGNAL, Link, PipeLog
from stem.worker.process.loop import LoopThread
from stem.worker.process.memory import current_memory
from stem.worker.process.messages import Answer, Begin, Cancel, Done, Failed, Ready, Setup, Soften, Stop
from stem.worker.process.references import resolve
from stem.worker.process.survival import die_with, pass_over_signals
from stem.worker.time_limits import soft_error
from stem.worker.versions import older_readers

__all__ = ["main"]


def main() -> None:
    """The process; its arguments are the descriptor of the pipe and the id of its worker's process."""
    descriptor, parent = int(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(descriptor, False)
    faulthandler.enable()
    die_with(parent)
    pass_over_signals()
    link = Link(socket.socket(fileno=descriptor))
    setup = link.receive()
    assert isinstance(setup, Setup)
    sys.path[:] = setup.path
    logging.basicConfig(level=setup.log_level, handlers=[PipeLog(link)], force=True)
    ChildProcess(link, setup).serve()


class ChildProcess:
    """Runs plain handlers in the main thread, where a signal reaches them, and coroutines on a loop of its own."""

    def __init__(self, link: Link, setup: Setup) -> None:
        self._link = link
        self._setup = setup
        self._loop = LoopThread()
        self._state: object = None
        self._runs: SimpleQueue[Begin | None] = SimpleQueue()
        self._bindings: dict[str, Binding] = {}
        self._number = 0
        self._controls: ChildControls | None = None
        self._armed = False
        self._soft: SoftTimeLimit | None = None
        signal.signal(SOFT_SIGNAL, self._on_soft_signal)

    def serve(self) -> None:
        """Work until told to stop."""
        threading.Thread(target=self._listen, name="stem-pipe", daemon=True).start()
        lifespan = self._lifespan()
        if lifespan is not None:
            self._state = self._loop.call(lifespan.__aenter__())
        self._link.send(Ready())
        while (run := self._runs.get()) is not None:
            self._attempt(run)
        if lifespan is not None:
            self._loop.call(lifespan.__aexit__(None, None, None))

    def _lifespan(self) -> AbstractAsyncContextManager[object] | None:
        if self._setup.lifespan is None:
            return None
        return cast("Callable[[], AbstractAsyncContextManager[object]]", resolve(self._setup.lifespan))()

    def _listen(self) -> None:
        try:
            while True:
                self._hear(self._link.receive())
        except (EOFError, OSError):
            os._exit(0)  # the worker is gone; its lease and this task are another's soon

    def _hear(self, message: object) -> None:
        match message:
            case Begin():
                self._runs.put(message)
            case Stop():
                self._runs.put(None)
            case Answer():
                self._link.answered(message)
            case Cancel(number) if number == self._number and self._controls is not None:
                self._controls.cancelled = True
            case Soften(number, limit) if number == self._number:
                self._soften(limit)
            case _:
                pass

    def _attempt(self, run: Begin) -> None:
        self._controls = ChildControls(run, self._link)
        self._soft, self._number = None, run.number
        try:
            result = self._result(run)
        except BaseException as error:  # noqa: BLE001  # whatever a handler raises is an outcome of its task
            self._number = 0
            self._link.send(_failed(run.number, self._fault(run, error)))
        else:
            self._number = 0
            self._link.send(Done(run.number, current_memory(), result))

    def _result(self, run: Begin) -> bytes:
        binding = self._binding(run)
        assert self._controls is not None
        context: tuple[object, ...] = ()
        if binding.wants_context:
            context = (open_context(run, self._controls, worker=self._setup.worker, state=self._state),)
        call = partial(binding.handler, *context, **_arguments(binding, run))
        return _encoded(binding, self._call(binding, call))

    def _call(self, binding: Binding, call: Callable[[], object]) -> object:
        if binding.is_async:
            self._raise_soft()
            return value_of(self._loop.run(cast("Callable[[], Coroutine[Any, Any, object]]", call)))
        try:
            self._armed = True
            self._raise_soft()
            return call()
        finally:
            self._armed = False

    def _binding(self, run: Begin) -> Binding:
        """The handler with its codecs, imported at its first use."""
        if run.handler not in self._bindings:
            handler = cast("Callable[..., object]", resolve(run.handler))
            if run.definition is None:
                (binding,) = Registry.of(handler).bindings
            else:
                definition = cast("TaskDefinition[..., Any]", resolve(run.definition))
                binding = Binding(definition, handler, run.wants_context, run.is_async)
            self._bindings[run.handler] = binding
        return self._bindings[run.handler]

    def _fault(self, run: Begin, error: BaseException) -> Fault:
        binding = self._bindings.get(run.handler)
        return judge(error, Retry() if binding is None else binding.options.retry)

    def _soften(self, limit: int) -> None:
        """From the thread that listens: interrupt the handler, wherever it is."""
        assert self._controls is not None
        self._controls.cancelled = True
        self._soft = soft_error(self._controls.task, limit)
        if not self._loop.interrupt(self._soft):
            signal.pthread_kill(threading.main_thread().ident or 0, SOFT_SIGNAL)

    def _on_soft_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._armed:
            self._raise_soft()

    def _raise_soft(self) -> None:
        """Also for a limit that was reached while the handler was still being imported."""
        error, self._soft = self._soft, None
        if error is not None:
            raise error


def _arguments(binding: Binding, run: Begin) -> dict[str, object]:
    try:
        return older_readers(binding).get(run.version, binding.decode_arguments)(run.body)
    except Undecodable as error:
        raise Judged(Fault(failure=failure_of(error), reason=Reason.UNDECODABLE)) from None


def _encoded(binding: Binding, value: object) -> bytes:
    try:
        return binding.encode_result(value)
    except Exception as error:  # noqa: BLE001  # serializers are the user's code
        refused = error if isinstance(error, ResultRefused) else unencodable(binding.name, error)
        raise Judged(Fault(failure=failure_of(refused), reason=Reason.RESULT_REFUSED)) from None


def _failed(number: int, fault: Fault) -> Failed:
    failure = fault.failure
    return Failed(
        number=number,
        memory=current_memory(),
        kind=failure.kind,
        message=failure.message,
        traceback=failure.traceback,
        code=failure.code,
        repeated=fault.repeated,
        delay=fault.delay,
        reason=fault.reason,
    )
