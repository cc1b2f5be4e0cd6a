"""When a group has its answer."""

from itertools import product

import pytest

from stem.tasks.links import GroupPolicy, GroupState, decide_group

POLICIES: tuple[GroupPolicy, ...] = ("all", "settled", "any")
SEALED, MET, UNMET = GroupState.SEALED, GroupState.MET, GroupState.UNMET


@pytest.mark.parametrize(
    ("policy", "joined", "succeeded", "state"),
    [
        ("all", 2, 2, SEALED),
        ("all", 1, 0, UNMET),
        ("all", 3, 3, MET),
        ("settled", 2, 0, SEALED),
        ("settled", 3, 0, MET),
        ("any", 2, 0, SEALED),
        ("any", 1, 1, MET),
        ("any", 3, 0, UNMET),
    ],
)
def test_a_group_of_three(policy: GroupPolicy, joined: int, succeeded: int, state: GroupState) -> None:
    assert decide_group(policy, size=3, joined=joined, succeeded=succeeded) is state


@pytest.mark.parametrize(("policy", "state"), [("all", MET), ("settled", MET), ("any", UNMET)])
def test_a_group_without_members_has_its_answer_at_once(policy: GroupPolicy, state: GroupState) -> None:
    assert decide_group(policy, size=0, joined=0, succeeded=0) is state


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("ends", list(product([True, False], repeat=4)))
def test_joining_one_by_one_leads_to_what_asking_at_the_end_says(policy: GroupPolicy, ends: tuple[bool, ...]) -> None:
    states = [decide_group(policy, size=4, joined=n, succeeded=sum(ends[:n])) for n in range(5)]
    closed = [state for state in states if state.is_closed]
    assert closed
    assert set(closed) == {states[-1]}
