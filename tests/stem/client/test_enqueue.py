"""From a call to a stored message, and from the verdict to a handle or one clear error."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from stem.adapters.memory import MemoryStore
from stem.app import Stem
from stem.client.enqueue import Publisher
from stem.client.inspect import Inspector
from stem.clock import to_micros
from stem.contracts.capabilities import Capabilities
from stem.contracts.changes import Bury, Replay
from stem.errors import ConfigError, DuplicateTask, EnqueueError, PayloadTooLarge
from stem.registry import Registry
from stem.stores.committer import Committer
from stem.tasks.call import TaskCall
from stem.tasks.envelope import decode_envelope
from stem.tasks.markers import task
from stem.tasks.options import EnqueueOptions
from stem.tasks.retry import Retry
from stem.tasks.state import TaskState
from stem.testing.contracts.build import Bench, seconds
from tests.stem.client.support import charge, succeed


@task(name="tests.numbered")
async def numbered(number: int) -> None: ...


async def test_an_enqueued_task_is_stored_when_enqueue_returns(stem: Stem, bench: Bench) -> None:
    handle = await charge.enqueue(stem, 7)
    record = await bench.record(handle.id)
    assert (record.name, record.queue, record.state) == ("billing.charge", "default", TaskState.QUEUED)
    assert decode_envelope(record.envelope).payload == b'{"order_id":7}'
    assert not handle.duplicate


async def test_every_option_that_travels_arrives(stem: Stem, bench: Bench) -> None:
    retry = Retry(initial=timedelta(seconds=9), factor=3.0, max_delay=timedelta(seconds=90), jitter=0.5)
    definition = charge.options(
        queue="billing",
        priority=8,
        max_retries=5,
        expires=timedelta(minutes=2),
        result_ttl=timedelta(hours=1),
        ignore_result=True,
        headers={"trace": "1"},
        meta={"who": ["me", 1]},
        tags=("money",),
        retry=retry,
        delay=timedelta(seconds=30),
    )
    handle = await definition.enqueue(stem, 7)
    record = await bench.record(handle.id)
    envelope = decode_envelope(record.envelope)
    assert (record.queue, record.priority, record.max_retries) == ("billing", 8, 5)
    assert (record.ignore_result, record.tags) == (True, ("money",))
    assert (envelope.headers, envelope.meta) == ({"trace": "1"}, {"who": ["me", 1]})
    assert (envelope.result_ttl, envelope.retry) == (seconds(3600), retry.backoff)
    assert record.due_at == bench.clock.now() + seconds(30)
    assert record.expires_at == bench.clock.now() + seconds(120)


async def test_an_eta_is_when_it_becomes_due(stem: Stem, bench: Bench) -> None:
    eta = datetime(2027, 1, 1, tzinfo=UTC)
    handle = await charge.options(eta=eta).enqueue(stem, 7)
    assert (await bench.record(handle.id)).due_at == to_micros(eta)


async def test_a_task_is_the_root_of_its_own_lineage(stem: Stem, bench: Bench) -> None:
    handle = await charge.enqueue(stem, 7)
    record = await bench.record(handle.id)
    assert (record.root, record.parent) == (handle.id, None)


class TestIds:
    async def test_two_calls_alike_are_two_tasks(self, stem: Stem) -> None:
        call = charge.call(7)
        assert (await stem.enqueue(call)).id != (await stem.enqueue(call)).id

    async def test_the_same_id_twice_is_one_task(self, stem: Stem, bench: Bench) -> None:
        named = charge.options(task_id="order-7")
        first, second = await named.enqueue(stem, 7), await named.enqueue(stem, 7)
        assert first.id == second.id == "order-7"
        assert len(await bench.everything()) == 1

    async def test_an_id_known_from_an_ended_task_gives_its_result(self, stem: Stem, bench: Bench) -> None:
        named = charge.options(task_id="order-7")
        await named.enqueue(stem, 7)
        await succeed(bench)
        again = await named.enqueue(stem, 7)
        assert await again.result() == "paid"


class TestUniqueKeys:
    async def test_a_duplicate_gets_the_holders_handle(self, stem: Stem, bench: Bench) -> None:
        unique = charge.options(unique_key="order-7")
        first, second = await unique.enqueue(stem, 7), await unique.enqueue(stem, 8)
        assert (second.id, second.duplicate, first.duplicate) == (first.id, True, False)
        assert len(await bench.everything()) == 1

    async def test_a_duplicates_handle_gives_the_holders_result(self, stem: Stem, bench: Bench) -> None:
        unique = charge.options(unique_key="order-7")
        await unique.enqueue(stem, 7)
        second = await unique.enqueue(stem, 7)
        await succeed(bench)
        assert await second.result() == "paid"

    async def test_a_duplicate_raises_when_that_was_asked_for(self, stem: Stem) -> None:
        unique = charge.options(unique_key="order-7", on_duplicate="raise")
        first = await unique.enqueue(stem, 7)
        with pytest.raises(DuplicateTask) as refused:
            await unique.enqueue(stem, 7)
        assert refused.value.holder == first.id
        assert refused.value.code == "STEM-E024"

    async def test_the_key_is_free_again_when_its_holder_has_ended(self, stem: Stem, bench: Bench) -> None:
        unique = charge.options(unique_key="order-7")
        first = await unique.enqueue(stem, 7)
        await succeed(bench)
        second = await unique.enqueue(stem, 7)
        assert (second.duplicate, second.id == first.id) == (False, False)

    async def test_a_key_with_a_time_is_held_for_exactly_that_time(self, stem: Stem, bench: Bench) -> None:
        unique = charge.options(unique_key="order-7", unique_for=timedelta(seconds=60))
        first = await unique.enqueue(stem, 7)
        await succeed(bench)
        bench.clock.advance(59)
        assert (await unique.enqueue(stem, 7)).id == first.id
        bench.clock.advance(1)
        assert (await unique.enqueue(stem, 7)).id != first.id

    async def test_keys_of_different_tasks_do_not_meet(self, stem: Stem) -> None:
        first = await stem.enqueue_named("tests.one", {}, unique_key="k")
        second = await stem.enqueue_named("tests.two", {}, unique_key="k")
        assert not second.duplicate
        assert first.id != second.id

    async def test_unique_true_makes_the_arguments_the_key(self, stem: Stem) -> None:
        unique = charge.options(unique=True)
        first = await unique.enqueue(stem, 7)
        assert (await unique.enqueue(stem, 7)).id == first.id
        assert (await unique.enqueue(stem, 8)).id != first.id

    async def test_a_template_makes_some_arguments_the_key(self, stem: Stem) -> None:
        unique = charge.options(unique="order {order_id}")
        first = await unique.enqueue(stem, 7, note="one")
        assert (await unique.enqueue(stem, 7, note="two")).id == first.id
        assert (await unique.enqueue(stem, 8, note="one")).id != first.id


class TestKeysOfLimits:
    async def test_templates_say_whose_allowances_a_call_uses(self, stem: Stem, bench: Bench) -> None:
        keyed = charge.options(rate_limit_key="r-{order_id}", concurrency_key="c-{note}")
        handle = await keyed.enqueue(stem, 7, note="one")
        assert await keys_of(bench, handle.id) == ("r-7", "c-one")

    async def test_without_a_template_a_call_uses_the_allowance_of_its_task_alone(
        self, stem: Stem, bench: Bench
    ) -> None:
        assert await keys_of(bench, (await charge.enqueue(stem, 7)).id) == (None, None)

    async def test_many_calls_have_each_their_own_key(self, stem: Stem, bench: Bench) -> None:
        keyed = charge.options(rate_limit_key="{order_id}")
        batch = await stem.enqueue_many([keyed.call(number) for number in (1, 2)])
        assert [await keys_of(bench, handle.id) for handle in batch] == [("1", None), ("2", None)]

    @pytest.mark.parametrize("registry", [None, Registry.of(numbered)], ids=["unknown", "registered"])
    async def test_a_call_by_name_has_the_keys_of_its_map(
        self, stem: Stem, bench: Bench, registry: Registry | None
    ) -> None:
        handle = await stem.enqueue_named(
            "tests.numbered", {"number": 7}, registry=registry, concurrency_key="n{number}"
        )
        assert await keys_of(bench, handle.id) == (None, "n7")

    async def test_a_replayed_task_keeps_its_keys(self, stem: Stem, bench: Bench) -> None:
        handle = await charge.options(rate_limit_key="{order_id}").enqueue(stem, 7)
        await bench.finish(Bury("crashed"))
        await bench.apply(Replay(handle.id))
        assert await keys_of(bench, handle.id) == ("7", None)

    async def test_a_unique_call_has_its_other_keys_too(self, stem: Stem, bench: Bench) -> None:
        keyed = charge.options(unique="{order_id}", rate_limit_key="{note}")
        first = await keyed.enqueue(stem, 7, note="one")
        assert (await keyed.enqueue(stem, 7, note="two")).id == first.id
        assert await keys_of(bench, first.id) == ("one", None)

    async def test_a_key_that_is_given_is_not_made_of_the_arguments(self, stem: Stem) -> None:
        keyed = charge.options(unique="{order_id}", rate_limit_key="{order_id}", unique_key="mine")
        first = await keyed.enqueue(stem, 7)
        assert (await keyed.enqueue(stem, 8)).id == first.id

    @pytest.mark.parametrize("option", ["unique", "rate_limit_key", "concurrency_key"])
    @pytest.mark.parametrize(
        ("template", "said"),
        [
            ("{ordr_id}", "template over its arguments"),
            ("{order_id.number}", "template over its arguments"),
            ("{order_id", "template over its arguments"),
            ("{note}", "1 to 200 printable characters"),
            ("", "1 to 200 printable characters"),
        ],
    )
    def test_a_template_that_gives_no_key_is_an_error_that_names_its_option(
        self, option: str, template: str, said: str
    ) -> None:
        options = cast("EnqueueOptions", {option: template})
        with pytest.raises(ConfigError, match=rf"`{option}` of task 'billing\.charge'.*{said}"):
            charge.options(**options).call(7, note="x" * 201)


async def keys_of(bench: Bench, task_id: str) -> tuple[str | None, str | None]:
    record = await bench.record(task_id)
    return record.rate_key, record.concurrency_key


class TestDefaultsOfTheClient:
    @pytest.fixture
    def publisher(self, stem: Stem, committer: Committer) -> Publisher:
        defaults = EnqueueOptions(queue="slow", max_retries=9, on_duplicate="raise")
        return Publisher(committer, stem, defaults=defaults, payload_limit=100)

    async def test_they_lie_below_what_the_definition_gives(self, publisher: Publisher) -> None:
        envelope = publisher.prepare(charge.call(7)).envelope  # the definition says queue="default"
        assert (envelope.queue, envelope.max_retries) == ("default", 9)

    async def test_they_hold_for_what_a_handle_does_too(self, publisher: Publisher) -> None:
        unique = charge.options(unique_key="order-7")
        await publisher.publish(unique.call(7))
        with pytest.raises(DuplicateTask):
            await publisher.publish(unique.call(7))

    async def test_a_call_overrides_them(self, publisher: Publisher) -> None:
        unique = charge.options(unique_key="order-7", on_duplicate="existing")
        await publisher.publish(unique.call(7))
        assert (await publisher.publish(unique.call(7))).duplicate

    async def test_a_payload_at_the_limit_is_taken_and_one_byte_more_is_not(self, publisher: Publisher) -> None:
        room = 100 - len(charge.call(7, note="").payload)
        await publisher.publish(charge.call(7, note="x" * room))
        with pytest.raises(PayloadTooLarge) as refused:
            await publisher.publish(charge.call(7, note="x" * (room + 1)))
        assert ("100 bytes" in refused.value.expected, refused.value.found) == (True, "101 bytes")
        assert refused.value.code == "STEM-E023"


class TestTasksOfTasks:
    async def test_a_task_enqueued_by_a_task_has_its_lineage(self, stem: Stem, committer: Committer) -> None:
        publisher = Publisher(committer, stem, defaults={}, payload_limit=1000)
        handle = await publisher.publish_as(charge.call(7), task_id="child", root="root", parent="parent")
        status = await handle.status()
        assert (status.id, status.root, status.parent) == ("child", "root", "parent")

    async def test_enqueued_again_by_a_rerun_it_is_still_one_task(
        self, stem: Stem, committer: Committer, bench: Bench
    ) -> None:
        publisher = Publisher(committer, stem, defaults={}, payload_limit=1000)
        for _ in range(2):
            await publisher.publish_as(charge.call(7), task_id="child", root="root", parent="parent")
        assert set(await bench.everything()) == {"child"}


class TestBatches:
    async def test_the_handles_are_in_the_order_of_the_calls(self, stem: Stem, bench: Bench) -> None:
        batch = await stem.enqueue_many([charge.call(number) for number in range(50)])
        payloads = [decode_envelope((await bench.record(handle.id)).envelope).payload for handle in batch]
        assert payloads == [f'{{"order_id":{number}}}'.encode() for number in range(50)]

    async def test_the_batch_is_the_root_of_its_tasks(self, stem: Stem, bench: Bench) -> None:
        batch = await stem.enqueue_many([charge.call(1), charge.call(2)])
        assert {record.root for record in (await bench.everything()).values()} == {batch.id}

    async def test_an_empty_batch_stores_nothing(self, stem: Stem, bench: Bench) -> None:
        calls: list[TaskCall[str]] = []
        assert list(await stem.enqueue_many(calls)) == []
        assert await bench.everything() == {}

    async def test_a_payload_too_large_stops_the_whole_batch_before_anything_is_stored(
        self, stem: Stem, bench: Bench
    ) -> None:
        with pytest.raises(PayloadTooLarge):
            await stem.enqueue_many([charge.call(1), charge.call(2, note="x" * 2_000_000)])
        assert await bench.everything() == {}

    async def test_a_duplicate_among_them_has_its_holders_handle(self, stem: Stem) -> None:
        unique = charge.options(unique_key="k")
        batch = await stem.enqueue_many([charge.call(1), unique.call(2), unique.call(3)])
        assert [handle.duplicate for handle in batch] == [False, False, True]
        assert batch[1].id == batch[2].id


class TestRefusals:
    async def test_what_the_store_cannot_take_is_an_error_that_says_nothing_was_stored(
        self, stem: Stem, store: MemoryStore, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        small = Capabilities(durable=False, shared=False, max_value=100)
        monkeypatch.setattr(store, "_capabilities", small)
        with pytest.raises(EnqueueError) as refused:
            await charge.enqueue(stem, 7, note="x" * 500)
        assert "too_large" in refused.value.found
        assert "nothing was stored" in refused.value.do
        assert await bench.everything() == {}

    async def test_a_neighbour_of_a_refused_call_is_stored(
        self, stem: Stem, store: MemoryStore, inspector: Inspector, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(store, "_capabilities", Capabilities(durable=False, shared=False, max_value=400))
        calls = [charge.options(task_id="fits").call(1), charge.options(task_id="too big").call(2, note="x" * 500)]
        with pytest.raises(EnqueueError):
            await stem.enqueue_many(calls)
        assert (await inspector.status("fits")).state is TaskState.QUEUED
