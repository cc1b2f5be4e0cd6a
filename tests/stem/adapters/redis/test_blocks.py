"""Scripts made of files."""

from __future__ import annotations

from stem.adapters.redis.blocks import composed

LOW = """local MOST = 7
local shown, hidden = 1, 2

local function helper()
  return hidden + MOST
end

local function used() -- by others
  return helper()
end
"""
SELDOM = "local seen = {}\nlocal function rare()\n  return used(seen)\nend\n"
MAIN = "-- What it is for.\nif shown then\n  know_ties()\n  return rare()\nend\nreturn used()\n"


def test_a_name_that_nobody_else_uses_is_local_to_its_file() -> None:
    text = composed([LOW], [], "return used()")
    assert "local used\ndo\nlocal shown, hidden\nlocal MOST = 7\nlocal function helper()" in text
    assert "\nfunction used()" in text


def test_names_that_are_given_together_are_seen_together() -> None:
    assert "local shown, hidden, used\ndo\nlocal MOST" in composed([LOW], [], "return used(shown)")


def test_functions_and_names_in_capitals_are_made_once_and_all_else_at_the_beginning_of_a_call() -> None:
    text = composed([LOW], [], "local answer = used()\nreturn answer")
    assert "function begin_0()\nshown, hidden = 1, 2\nend" in text
    assert "local answer\nfunction main()\nanswer = used()\nreturn answer\nend" in text
    assert "begin_0()\nlocal answer = main()" in text


def test_a_name_without_a_value_has_none_at_the_beginning_of_each_call() -> None:
    assert "local counted\nfunction begin_0()\ncounted = nil\nend" in composed(["local counted\n"], [], "return 1")


def test_what_spreads_over_lines_is_one_statement() -> None:
    text = composed(["if one then\n  two()\nelse\n  three()\nend\nlocal function last()\nend\n"], [], "return 1")
    assert "function begin_0()\nif one then\n  two()\nelse\n  three()\nend\nend" in text


def test_rare_files_are_made_when_they_are_asked_for_and_what_others_use_of_them_is_known_before() -> None:
    deeper = "local function deep()\n  return used()\nend\n"
    text = composed([LOW], [deeper, SELDOM.replace("used", "deep")], MAIN)
    assert text.startswith("local KEYS, ARGV, begun, known, know_ties, begin_ties, rare\n")
    order = ["function know_ties()", "local deep\ndo\nfunction deep()", "do\nlocal seen\nfunction rare()", "if shown"]
    assert sorted(order, key=text.index) == order


def test_rare_files_begin_anew_in_each_call_that_asks_for_them() -> None:
    text = composed([LOW], [SELDOM], MAIN)
    assert "function begin_rare_0()\nseen = {}\nend" in text
    assert "function begin_ties()\nbegin_rare_0()\nend\nend\nbegin_ties()\nend" in text


def test_nothing_that_a_call_was_given_stays_when_it_is_over() -> None:
    assert "main()\nKEYS, ARGV = nil, nil\nreturn answer" in composed([LOW], [], "return used()")


def test_comments_are_not_sent() -> None:
    assert "--" not in composed([LOW], [SELDOM], MAIN)
