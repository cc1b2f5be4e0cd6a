"""Rules as values: what they refuse, and the options that a task gets from them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from stem.errors import ConfigError
from stem.routing import QueueRules, Route, Routing
from stem.routing.router import Router
from stem.tasks.options import EnqueueOptions, PublishOptions


def routed(routing: Routing, name: str = "billing.charge", **given: object) -> PublishOptions:
    """The options of a task with these of its own."""
    return Router(routing).options(name, EnqueueOptions(), EnqueueOptions(**given))  # type: ignore[typeddict-item]  # each test gives real options


def to(queue: str, **match: object) -> Routing:
    """The rules with this one route."""
    return Routing(routes=(Route(queue=queue, **match),))  # type: ignore[arg-type]  # as above


class TestMatching:
    @pytest.mark.parametrize("glob", ["billing.charge", "billing.*", "*", "b?lling.charge", "*.charge"])
    def test_a_glob_fits_the_whole_name(self, glob: str) -> None:
        assert routed(to("money", task=(glob,))).queue == "money"

    @pytest.mark.parametrize("glob", ["billing", "charge", "Billing.*", "billing.*.more"])
    def test_a_glob_that_does_not_fit_leaves_the_task_where_it_was(self, glob: str) -> None:
        assert routed(to("money", task=(glob,))).queue == "default"

    def test_one_of_several_globs_is_enough(self) -> None:
        assert routed(to("money", task=("mail.*", "billing.*"))).queue == "money"

    def test_all_tags_must_be_the_tasks(self) -> None:
        routing = to("slow", tags=("slow", "big"))
        assert routed(routing, tags=("big", "slow", "x")).queue == "slow"
        assert routed(routing, tags=("slow",)).queue == "default"

    def test_all_headers_must_have_their_values(self) -> None:
        routing = to("vip", headers={"tenant": "acme"})
        assert routed(routing, headers={"tenant": "acme", "x": "1"}).queue == "vip"
        assert routed(routing, headers={"tenant": "other"}).queue == "default"

    def test_the_queue_that_was_asked_for_can_choose(self) -> None:
        routing = to("mail-eu", from_queue="mail")
        assert routed(routing, queue="mail").queue == "mail-eu"
        assert routed(routing).queue == "default"

    def test_the_first_route_that_fits_decides(self) -> None:
        routing = Routing(routes=(Route(queue="first", task=("billing.*",)), Route(queue="second", task=("*",))))
        assert routed(routing).queue == "first"
        assert routed(routing, "mail.send").queue == "second"

    def test_a_route_wins_over_the_queue_of_the_task(self) -> None:
        assert routed(to("money", task=("*",)), queue="mail").queue == "money"

    def test_a_route_may_say_the_priority_alone(self) -> None:
        options = routed(Routing(routes=(Route(priority=7, task=("*",)),)), queue="mail", priority=1)
        assert (options.queue, options.priority) == ("mail", 7)

    def test_a_route_may_send_tasks_to_every_worker_or_to_one(self) -> None:
        everywhere = Routing(routes=(Route(broadcast=True, tags=("ops",)), Route(broadcast=False, task=("*",))))
        assert routed(everywhere, tags=("ops",)).broadcast
        assert not routed(everywhere, broadcast=True).broadcast
        assert routed(to("caches", task=("*",)), broadcast=True).broadcast

    def test_a_queue_may_be_one_whose_tasks_go_to_every_worker(self) -> None:
        channel = Routing(queues={"caches": QueueRules(defaults={"broadcast": True})})
        assert routed(channel, queue="caches").broadcast
        assert not routed(channel, queue="caches", broadcast=False).broadcast
        assert not routed(channel).broadcast


class TestQueues:
    def test_an_alias_means_its_queue(self) -> None:
        routing = Routing(queues={"mail": QueueRules(aliases=("post",))})
        assert routed(routing, queue="post").queue == "mail"

    def test_a_route_may_lead_to_an_alias(self) -> None:
        routing = Routing(queues={"mail": QueueRules(aliases=("post",))}, routes=(Route(queue="post", task=("*",)),))
        assert routed(routing).queue == "mail"

    def test_the_default_queue_stands_for_default(self) -> None:
        assert routed(Routing(default_queue="work")).queue == "work"
        assert routed(Routing(default_queue="work"), queue="mail").queue == "mail"

    def test_a_queue_that_nobody_named_stays_what_was_asked_for(self) -> None:
        assert routed(Routing(queues={"default": QueueRules()}), queue="new").queue == "new"

    @pytest.mark.parametrize(("asked", "given"), [(0, 3), (4, 4), (9, 5)])
    def test_a_priority_outside_becomes_the_nearest_inside(self, asked: int, given: int) -> None:
        routing = Routing(queues={"default": QueueRules(priorities=(3, 5))})
        assert routed(routing, priority=asked).priority == given

    def test_the_options_of_a_queue_are_below_those_of_a_task(self) -> None:
        routing = Routing(queues={"default": QueueRules(defaults={"max_retries": 9, "result_ttl": timedelta(hours=1)})})
        options = routed(routing, max_retries=1)
        assert (options.max_retries, options.result_ttl) == (1, timedelta(hours=1))

    def test_the_options_of_a_queue_are_above_those_of_the_application(self) -> None:
        router = Router(Routing(queues={"mail": QueueRules(defaults={"max_retries": 9})}))
        options = router.options("t", EnqueueOptions(max_retries=1, queue="mail"), EnqueueOptions())
        assert (options.queue, options.max_retries) == ("mail", 9)


class TestMistakes:
    @pytest.mark.parametrize(
        ("make", "text"),
        [
            (lambda: Route(task=("*",)), "or `broadcast`; found none"),
            (lambda: Route(queue="x"), "one that takes all"),
            (lambda: Route(priority=10, task=("*",)), "from 0 to 9"),
            (lambda: QueueRules(priorities=(5, 3)), "5 to 3"),
            (lambda: QueueRules(defaults={"queue": "x"}), "without `queue`"),
            (lambda: QueueRules(defaults={"max_retries": -1}), "max_retries"),
            (lambda: QueueRules(defaults={"concurrency_key": "{user}"}), "without `unique`, `rate_limit_key`"),
            (lambda: Routing(queues={"a": QueueRules()}, default_queue="b"), "'b'"),
            (
                lambda: Routing(queues={"a": QueueRules()}, default_queue="a", routes=(Route(queue="c", task=("*",)),)),
                "'c'",
            ),
            (
                lambda: Router(Routing(queues={"a": QueueRules(aliases=("b",)), "b": QueueRules()}, default_queue="a")),
                "'b' of two",
            ),
        ],
    )
    def test_a_rule_that_makes_no_sense_is_refused(self, make: Callable[[], object], text: str) -> None:
        with pytest.raises(ConfigError, match=text):
            make()
