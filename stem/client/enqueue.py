"""From a call to a published message: the one publish path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from stem.client.passage import pass_through
from stem.clock import SystemClock, to_micros
from stem.contracts.changes import Applied, Change, Duplicate, Publish, RefusalCode, Refused, UniqueKey, Verdict
from stem.errors import DuplicateTask, EnqueueError, PayloadTooLarge, StemError, StoreUnavailable
from stem.ids import new_id
from stem.routing.router import Router
from stem.signals.events import TaskDuplicateEvent, TaskPublishedEvent, TaskPublishingEvent
from stem.signals.hub import Signals
from stem.signals.middleware import OnEnqueue
from stem.stores.committer import Committer
from stem.tasks.broadcast import announcement
from stem.tasks.call import TaskCall
from stem.tasks.encoders import PLAIN, Encoders
from stem.tasks.envelope import Envelope, encode_envelope
from stem.tasks.handle import HandleSource, TaskHandle
from stem.tasks.options import EnqueueOptions, merge_options

__all__ = ["PAYLOAD_LIMIT", "Publisher"]

R = TypeVar("R")

PAYLOAD_LIMIT: Final = 1024 * 1024


class Publisher:
    """Makes messages of calls, hands them to the committer, and gives handles for what was accepted.

    `expect` is told the id of each new task before it is published. `middleware` sees each call first, `signals` tell
    what becomes of it.
    """

    def __init__(
        self,
        committer: Committer,
        source: HandleSource,
        *,
        defaults: EnqueueOptions,
        payload_limit: int,
        expect: Callable[[str], None] | None = None,
        router: Router | None = None,
        encoders: Encoders = PLAIN,
        middleware: Sequence[OnEnqueue] = (),
        signals: Signals | None = None,
    ) -> None:
        self.middleware: Final = middleware
        self._signals = signals or Signals(SystemClock())
        self._committer = committer
        self._source = source
        self._defaults = defaults
        self._payload_limit = payload_limit
        self._expect = expect
        self._router = router
        self._encoders = encoders
        self._is_plain = router is None and not defaults and not middleware
        """Whether calls are published as they come."""

    async def publish(self, call: TaskCall[R]) -> TaskHandle[R]:
        """Store the call. Raises `PayloadTooLarge`, `DuplicateTask`, `StoreError`; then nothing was stored."""
        if not self._is_plain:
            call = await self._passed(call)
        message = self._message(call)
        if self._expect is not None and call.options.task_id is None:
            self._expect(message.envelope.id)
        return self._accepted(call, message, await self._committer.commit(self._change(call, message)))

    async def publish_as(self, call: TaskCall[R], *, task_id: str, root: str, parent: str) -> TaskHandle[R]:
        """Store the call under this id and lineage, for a running task; repeated, it finds what it stored before."""
        call = await self._passed(call)
        message = self._message(call, task_id=task_id, root=root, parent=parent)
        return self._accepted(call, message, await self._committer.commit(self._change(call, message)))

    async def publish_all(self, calls: Sequence[TaskCall[R]], *, root: str) -> list[TaskHandle[R]]:
        """Store all calls as one lineage. Raises the first error, after every call has its verdict."""
        calls = [await self._passed(call) for call in calls]
        messages = [self._message(call, root=root) for call in calls]
        answers = await self._committer.commit_all(list(map(self._change, calls, messages)))
        for answer in answers:
            if isinstance(answer, StemError):
                raise answer
        return [
            self._accepted(call, message, answer)
            for call, message, answer in zip(calls, messages, answers, strict=True)
            if not isinstance(answer, StemError)
        ]

    async def ready(
        self, calls: Sequence[TaskCall[R]], *, root: str = ""
    ) -> tuple[list[Change], Callable[[Sequence[Verdict]], list[TaskHandle[R]]]]:
        """The changes that store the calls, and what makes handles of their verdicts, or raises the first error."""
        passed = [await self._passed(call) for call in calls]
        messages = [self._message(call, root=root) for call in passed]

        def accept(verdicts: Sequence[Verdict]) -> list[TaskHandle[R]]:
            answered = zip(passed, messages, verdicts, strict=True)
            return [self._accepted(call, message, verdict) for call, message, verdict in answered]

        return list(map(self._change, passed, messages)), accept

    def prepare(
        self, call: TaskCall[R], *, task_id: str | None = None, root: str = "", parent: str | None = None
    ) -> Publish:
        """The message for a call, which no middleware has seen; nothing is sent. Raises `PayloadTooLarge`."""
        return self._message(self._with_options(call), task_id=task_id, root=root, parent=parent)

    async def prepare_passed(self, call: TaskCall[R], *, task_id: str, root: str, parent: str) -> Publish:
        """The message for a call that goes through the middleware; nothing is sent. Raises `EnqueueError`s."""
        return self._message(await self._passed(call), task_id=task_id, root=root, parent=parent)

    async def _passed(self, call: TaskCall[R]) -> TaskCall[R]:
        """The call with all its options, as the middleware passes it on."""
        call = self._with_options(call)
        return await pass_through(call, self.middleware) if self.middleware else call

    def _with_options(self, call: TaskCall[R]) -> TaskCall[R]:
        """The call with the options of all layers, and the queue that the rules give it."""
        if self._router is not None:
            return call._replace(options=self._router.options(call.name, self._defaults, call.given))
        return call._replace(options=merge_options(self._defaults, call.given)) if self._defaults else call

    def _message(
        self, call: TaskCall[R], *, task_id: str | None = None, root: str = "", parent: str | None = None
    ) -> Publish:
        if len(call.payload) > self._payload_limit:
            raise self._too_large(call)
        options = call.options
        payload = self._encoders.write_arguments(call.name, call.payload)
        task_id = options.task_id or task_id or new_id()
        envelope = Envelope(task_id, payload, call.name, call.version, call.contract, *options.travelling, root, parent)
        if options.broadcast:
            envelope = announcement(envelope)
        message = Publish(envelope, encode_envelope(envelope), *options.due)
        return message if not _has_keys(call) else _with_keys(message, call)

    def _handle(self, task_id: str, call: TaskCall[R], *, duplicate: bool = False) -> TaskHandle[R]:
        return TaskHandle(task_id, self._source, call.decode_result, call.options.wait_timeout, duplicate=duplicate)

    def _change(self, call: TaskCall[R], message: Publish) -> Change:
        if self._signals.heard:
            self._tell(TaskPublishingEvent, call, message.envelope.id)
        return Change((message,))

    def _tell(
        self, kind: type[TaskPublishingEvent | TaskPublishedEvent | TaskDuplicateEvent], call: TaskCall[R], task_id: str
    ) -> None:
        signals = self._signals
        signals.tell(kind(at=signals.now(), task_id=task_id, task=call.name, queue=call.options.queue))

    def _accepted(self, call: TaskCall[R], message: Publish, verdict: Verdict) -> TaskHandle[R]:
        match verdict:
            case Applied():
                if self._signals.heard:
                    self._tell(TaskPublishedEvent, call, message.envelope.id)
                return self._handle(message.envelope.id, call)
            case Duplicate(holder):
                return self._duplicate(call, holder)
            case Refused(RefusalCode.HELD_UP, detail):
                raise StoreUnavailable(
                    expected=f"the unique key of task '{call.name}' to be free, or taken, within 30 s",
                    found=detail,
                    do="Enqueue again when that transaction has ended; nothing was stored.",
                )
            case Refused(code, detail):
                raise EnqueueError(
                    expected=f"the store to take task '{call.name}'",
                    found=f"{code}: {detail}",
                    do="Make the payload smaller or correct it; nothing was stored.",
                )
            case _:
                raise AssertionError(f"a publish has no fence, but the store answered {verdict}")

    def _duplicate(self, call: TaskCall[R], holder: str) -> TaskHandle[R]:
        if self._signals.heard:
            self._tell(TaskDuplicateEvent, call, holder)
        if call.options.on_duplicate == "raise":
            raise DuplicateTask(
                expected=f"no live task with this unique key for '{call.name}'",
                found=f"task {holder}",
                do="Wait for it, or use on_duplicate='existing' to get its handle.",
                holder=holder,
            )
        return self._handle(holder, call, duplicate=True)

    def _too_large(self, call: TaskCall[object]) -> PayloadTooLarge:
        return PayloadTooLarge(
            expected=f"arguments of at most {self._payload_limit:,} bytes for task '{call.name}'",
            found=f"{len(call.payload):,} bytes",
            do="Store the data elsewhere and pass a reference, or raise Stem(payload_limit=...).",
        )


def _has_keys(call: TaskCall[object]) -> bool:
    return not (call.options.unique_key is call.rate_key is call.concurrency_key is None)


def _with_keys(message: Publish, call: TaskCall[object]) -> Publish:
    key = call.options.unique_key
    return message._replace(
        unique=None if key is None else _unique(call, key),
        rate_key=call.rate_key,
        concurrency_key=call.concurrency_key,
    )


def _unique(call: TaskCall[object], key: str) -> UniqueKey:
    unique_for = call.options.unique_for
    return UniqueKey(f"{call.name}:{key}", None if unique_for is None else to_micros(unique_for))
