"""How other processes hear of a commit."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stem.adapters.sqlite import open_store
from stem.adapters.sqlite.sockets import LARGEST, Peers, decode_notice, encode_notice, wake_folder
from stem.adapters.sqlite.wake import Wake
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import Change
from stem.contracts.store import Notice, Store
from stem.testing.contracts import Bench, publish

PUBLISH = """
import asyncio, sys
from stem.adapters.sqlite import open_store
from stem.contracts.adapter import StoreOptions
from stem.contracts.changes import Change
from stem.testing.contracts import publish

async def main():
    store = await open_store(sys.argv[1], StoreOptions())
    await store.commit([Change((publish(queue="from-elsewhere"),))])
    await store.aclose()

asyncio.run(main())
"""


class Heard:
    """Collects notices until one fits."""

    def __init__(self, fits: Callable[[Notice], bool]) -> None:
        self.notices: list[Notice] = []
        self._fits = fits
        self._event = asyncio.Event()

    def __call__(self, notice: Notice) -> None:
        self.notices.append(notice)
        if self._fits(notice):
            self._event.set()

    async def wait(self) -> None:
        async with asyncio.timeout(30):
            await self._event.wait()


async def test_a_commit_of_another_process_is_heard(store: Store, database: Path) -> None:
    heard = Heard(lambda notice: "from-elsewhere" in notice.queues)
    ear = store.listen(heard)
    arguments = [sys.executable, "-c", PUBLISH, f"sqlite:///{database}"]
    await asyncio.to_thread(subprocess.run, arguments, check=True, timeout=60)
    await heard.wait()
    ear.close()


async def test_a_commit_without_a_datagram_is_heard_by_the_slow_poll(store: Store, database: Path) -> None:
    heard = Heard(lambda notice: notice.everything)
    ear = store.listen(heard)
    (name,) = wake_folder(database).iterdir()
    name.unlink()
    arguments = [sys.executable, "-c", PUBLISH, f"sqlite:///{database}"]
    await asyncio.to_thread(subprocess.run, arguments, check=True, timeout=60)
    await heard.wait()
    ear.close()


async def test_own_commits_are_no_news_for_the_slow_poll(bench: Bench) -> None:
    polled = asyncio.Event()
    versions: list[int] = []
    changed = iter([1, 1, 1, 2, 2])

    async def read_version() -> int:
        versions.append(next(changed, 2))
        return versions[-1]

    def listener(notice: Notice) -> None:
        assert notice.everything
        polled.set()

    wake = Wake(Peers(Path("nowhere")), read_version, every=0.0)
    wake.listen(listener)
    async with asyncio.timeout(30):
        await polled.wait()
    assert versions == [1, 1, 1, 2]
    wake.close()


async def test_the_socket_of_a_process_that_is_gone_is_removed(store: Store, database: Path) -> None:
    folder = wake_folder(database)
    folder.mkdir(exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as gone:
        gone.bind(str(folder / "1-dead.sock"))
    await store.commit([Change((publish(),))])
    assert not (folder / "1-dead.sock").exists()


async def test_nothing_is_left_beside_the_file_when_nobody_listens(store: Store, database: Path) -> None:
    ear = store.listen(lambda notice: None)
    assert len(list(wake_folder(database).iterdir())) == 1
    ear.close()
    assert not wake_folder(database).exists()


async def test_a_path_longer_than_a_socket_address_still_wakes(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    url = f"sqlite:///{folder}/stem.db"
    first, second = await open_store(url, StoreOptions()), await open_store(url, StoreOptions())
    heard = Heard(lambda notice: "default" in notice.queues)
    first.listen(heard)
    await second.commit([Change((publish(),))])
    await heard.wait()
    await first.aclose()
    await second.aclose()


async def test_a_folder_that_cannot_be_made_leaves_the_slow_poll(tmp_path: Path) -> None:
    (tmp_path / "stem.db-wake").write_text("in the way")
    store = await open_store(f"sqlite:///{tmp_path}/stem.db", StoreOptions())
    heard = Heard(lambda notice: bool(notice.queues))
    store.listen(heard)
    await store.commit([Change((publish(),))])
    await heard.wait()
    await store.aclose()


async def test_a_listener_that_falls_behind_is_told_that_everything_may_have_changed(tmp_path: Path) -> None:
    folder = tmp_path / "wake"
    ears, mouth = Peers(folder), Peers(folder)
    ear = ears.bind()
    assert ear is not None
    for number in range(3_000):
        mouth.send(Notice(frozenset({f"q{number}"})))
    arrived = list(ears.receive(ear))
    assert 0 < len(arrived) < 3_000
    mouth.send(Notice(frozenset({"last"})))
    assert list(ears.receive(ear)) == [Notice(everything=True)]
    ears.unbind(ear)
    ears.close()
    mouth.close()


@pytest.mark.parametrize(
    "notice",
    [
        Notice(frozenset({"a", "b"}), ("t1", "t2")),
        Notice(frozenset(), ("Jürgen 🌱",)),
        Notice(everything=True),
    ],
)
def test_a_notice_comes_back_from_its_datagram(notice: Notice) -> None:
    assert decode_notice(encode_notice(notice)) == notice


def test_a_notice_that_fits_no_datagram_says_everything() -> None:
    large = Notice(frozenset(), tuple(f"{n:036}" for n in range(LARGEST // 36)))
    assert decode_notice(encode_notice(large)) == Notice(everything=True)


@pytest.mark.parametrize("data", [b"", b"*", b"{}", b"[1]", b"[[1],2]", b"\xff", b"null"])
def test_a_datagram_that_cannot_be_read_means_look_at_everything(data: bytes) -> None:
    assert decode_notice(data) == Notice(everything=True)
