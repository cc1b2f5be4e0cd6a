"""The scripts: their texts, their keys, and that the server knows them again after it forgot them."""

from __future__ import annotations

import hashlib
import re

import pytest

from stem.adapters.redis.rows import GROUP, ROW
from stem.adapters.redis.scripts import FOLDER, KEYS, SCRIPTS, files_of, keys_of, script
from stem.adapters.redis.store import RedisStore
from stem.contracts.adapter import StoreOptions
from stem.contracts.store import Renewal
from stem.tasks.links import GroupState
from stem.tasks.state import TaskState
from stem.testing.contracts import Bench

FILES = sorted(str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.rglob("*.lua"))


@pytest.mark.parametrize("name", FILES)
def test_no_script_spells_a_state(name: str) -> None:
    text = (FOLDER / f"{name}.lua").read_text(encoding="utf-8")
    code = "\n".join(line.partition("--")[0] for line in text.splitlines())
    spelt = [state.value for state in (*TaskState, *GroupState) if re.search(rf"['\"]{state.value}['\"]", code)]
    assert spelt == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_has_the_name_that_the_server_gives_it(name: str) -> None:
    wanted = script(name)
    assert wanted.sha == hashlib.sha1(wanted.text.encode()).hexdigest()


def test_every_file_is_part_of_a_script() -> None:
    assert sorted({file for name in SCRIPTS for file in files_of(name)}) == FILES


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_two_files_of_a_script_give_the_same_name(name: str) -> None:
    given = [word for file in files_of(name) for word in _names_given(file)]
    assert sorted(given) == sorted(set(given))


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_file_calls_only_what_files_before_it_and_the_rare_ones_give(name: str) -> None:
    text = script(name).text
    called = {word: text.index(f" {word}(") for word in _functions(name) if f" {word}(" in text}
    declared = {word: re.search(rf"local (?:function )?[^=(\n]*\b{word}\b", text) for word in called}
    assert [word for word, found in declared.items() if found is None or found.start() > called[word]] == []


def _functions(name: str) -> list[str]:
    texts = [(FOLDER / f"{file}.lua").read_text(encoding="utf-8") for file in files_of(name)]
    return [word for text in texts for word in re.findall(r"^local function (\w+)", text, re.MULTILINE)]


@pytest.mark.parametrize("name", FILES)
def test_fields_are_named_through_row_and_group_alone_which_are_compiled(name: str) -> None:
    chained = re.findall(r"[\])]\.(\w+)", (FOLDER / f"{name}.lua").read_text(encoding="utf-8"))
    assert [field for field in chained if field in {*ROW.places, *GROUP.places}] == []


def _names_given(file: str) -> list[str]:
    text = (FOLDER / f"{file}.lua").read_text(encoding="utf-8")
    found = re.findall(r"^local (?:function )?([\w, ]+?)(?=\(| =|$)", text, re.MULTILINE)
    return [word for words in found for word in words.split(", ")]


def test_all_keys_of_a_namespace_are_in_one_slot_of_a_cluster() -> None:
    keys = keys_of("shop")
    assert len(set(keys)) == len(KEYS)
    assert {re.match(r"\{[^}]+\}", key)[0] for key in keys if key} == {"{stem:shop}"}  # type: ignore[index]  # matches


async def test_scripts_touch_no_key_that_was_not_declared(bench: Bench, store: RedisStore) -> None:
    delivery = await bench.running()
    await bench.put(delay=5_000_000)
    await store.retain(10)
    await bench.lose(delivery)
    prefix = store.server.keys[0].removesuffix("rows")
    found = await store.server.command("KEYS", f"{prefix}*".replace("[", "\\["))
    assert {key.decode() for key in found} <= set(store.server.keys)


async def test_a_server_that_forgot_the_scripts_is_sent_them_again(bench: Bench, store: RedisStore) -> None:
    delivery = await bench.running()
    keeper = store.keeper()
    keeper.renew([Renewal(delivery.fence, 10_000_000)])
    await store.server.command("SCRIPT FLUSH")
    await bench.put()
    await store.server.command("SCRIPT FLUSH")
    assert len(keeper.renew([Renewal(delivery.fence, 10_000_000)])) == 1
    keeper.close()


async def test_namespaces_know_nothing_of_each_other(bench: Bench, store: RedisStore) -> None:
    from stem.adapters.redis import open_store

    await bench.put()
    other = await open_store(f"redis://127.0.0.1:{store.server.place.hosts[0].port}", StoreOptions(namespace="other"))
    assert await other.queues() == ()
    await other.aclose()
