"""Scripts made of files."""

from __future__ import annotations

from stem.adapters.redis.blocks import composed

LOW = """local shown, hidden = 1, 2
local function helper()
  return hidden
end

local function used() -- by others
  return helper()
end
"""
SELDOM = "local function rare()\n  return used()\nend\n"
MAIN = "-- What it is for.\nif shown then\n  know_ties()\n  return rare()\nend\nreturn used()\n"


def test_a_name_that_nobody_else_uses_is_local_to_its_file() -> None:
    text = composed([LOW], [], "return used()")
    assert "local used\ndo\nlocal shown, hidden = 1, 2\nlocal function helper()" in text
    assert "\nfunction used()" in text


def test_names_that_are_given_together_are_seen_together() -> None:
    assert composed([LOW], [], "return shown").startswith("local shown, hidden\ndo\nshown, hidden = 1, 2\n")


def test_a_name_without_a_value_is_only_declared() -> None:
    assert composed(["local counted\n"], [], "counted = 1").startswith("local counted\ndo\n\n\nend\n")


def test_rare_files_are_made_when_they_are_asked_for_and_what_others_use_of_them_is_known_before() -> None:
    deeper = "local function deep()\n  return used()\nend\n"
    text = composed([LOW], [deeper, SELDOM.replace("used", "deep")], MAIN)
    assert text.startswith("local know_ties, rare\n")
    order = ["function know_ties()", "local deep\ndo\nfunction deep()", "do\nfunction rare()", "if shown"]
    assert sorted(order, key=text.index) == order


def test_comments_are_not_sent() -> None:
    assert "--" not in composed([LOW], [SELDOM], MAIN)
