"""Several servers that belong together: a primary with a replica and a sentinel, and a cluster."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from redis.crc import key_slot

from tests.servers import RedisServer, free_port

__all__ = ["PASSWORD", "SLOT", "WATCHWORD", "Cluster", "Watched", "until"]

PASSWORD = "sesame"
WATCHWORD = "heron"
SLOT = key_slot(b"{stem:stem}:rows")
"""Of the namespace that a client has unless it says otherwise."""
_SLOTS = 16_384


def until(condition: Callable[[], bool], what: str) -> None:
    """Return when it holds; fail when it does not within 20 s."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, f"after 20 s still not: {what}"
        time.sleep(0.02)


class Watched:
    """A primary and a replica, which want one password, and a sentinel, which wants another."""

    def __init__(self, folder: Path) -> None:
        words = ("--requirepass", PASSWORD, "--masterauth", PASSWORD, "--repl-diskless-sync-delay", "0")
        self.servers = [RedisServer(_made(folder / name), *words, "--save", "") for name in ("one", "two")]
        first = self.servers[0]
        self.sentinel = RedisServer(
            _made(folder / "sentinel"),
            "--sentinel",
            config=(
                f"requirepass {WATCHWORD}",
                f"sentinel monitor main 127.0.0.1 {first.port} 1",
                f"sentinel auth-pass main {PASSWORD}",
                "sentinel down-after-milliseconds main 500",
                "sentinel failover-timeout main 5000",
            ),
        )

    @property
    def url(self) -> str:
        """Two sentinels, of which the first is not there."""
        hosts = f"127.0.0.1:{free_port()},127.0.0.1:{self.sentinel.port}"
        return f"redis+sentinel://:{PASSWORD}@{hosts}/main/0?sentinel_password={WATCHWORD}&timeout=1"

    def start(self) -> None:
        """Start all, and return when the sentinel would make the replica a primary."""
        first, second = self.servers
        first.start()
        second.start("--replicaof", "127.0.0.1", str(first.port))
        self.sentinel.start()
        until(lambda: "ip" in self.watch("REPLICAS", "main"), "a replica that the sentinel knows")
        until(self.is_in_step, "a replica that is in step")

    def close(self) -> None:
        """Kill all that run."""
        for server in (self.sentinel, *self.servers):
            server.kill()

    def watch(self, *words: str) -> str:
        """What the sentinel says."""
        return self.sentinel.tell("SENTINEL", *words, password=WATCHWORD)

    def is_in_step(self) -> bool:
        """Whether the replica has everything that the primary accepted."""
        first, second = (_info(server, "replication", PASSWORD) for server in self.servers)
        link = {first.get("master_link_status"), second.get("master_link_status")}
        return "up" in link and first["master_repl_offset"] == second["master_repl_offset"]

    def is_primary(self, server: RedisServer) -> bool:
        """Whether a server says of itself that it is one."""
        return _info(server, "replication", PASSWORD)["role"] == "master"


class Cluster:
    """Three primaries that share the slots, and a replica of the one that has the namespace's."""

    def __init__(self, folder: Path) -> None:
        self._buses = [free_port() for _ in range(4)]
        words = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--save", "", "--appendonly", "yes")
        self.nodes = [
            RedisServer(_made(folder / str(number)), *words, "--cluster-port", str(bus))
            for number, bus in enumerate(self._buses)
        ]

    @property
    def url(self) -> str:
        """Two nodes to ask, of which the first is not there; the other one does not serve the namespace."""
        other = next(node for node in self.nodes[:3] if node is not self.owner())
        return f"redis+cluster://127.0.0.1:{free_port()},127.0.0.1:{other.port}/?timeout=1"

    def start(self) -> None:
        """Start all, share the slots out, and return when every node agrees."""
        first, *others = self.nodes
        for number, node in enumerate(self.nodes):
            node.start()
            node.tell("CLUSTER", "SET-CONFIG-EPOCH", str(number + 1))
        for number, node in enumerate(self.nodes[:3]):
            begin, end = (_SLOTS * part // 3 for part in (number, number + 1))
            node.tell("CLUSTER", "ADDSLOTS", *map(str, range(begin, end)))
        for node, bus in zip(others, self._buses[1:], strict=True):
            first.tell("CLUSTER", "MEET", "127.0.0.1", str(node.port), str(bus))
        until(lambda: all(map(_agrees, self.nodes)), "a cluster of four nodes")
        replica, primary = self.nodes[3], self.nodes[SLOT * 3 // _SLOTS]
        replica.tell("CLUSTER", "REPLICATE", self.name(primary))
        until(lambda: self._follows(replica, primary), "a replica that is in step")

    def close(self) -> None:
        """Kill all that run."""
        for node in self.nodes:
            node.kill()

    def owner(self) -> RedisServer:
        """The node that serves the namespace now, by the word of those that run."""
        found = [node for node in self.nodes if node.is_running and self._serves(node)]
        assert len(found) == 1, "one node serves the slot"
        return found[0]

    def name(self, node: RedisServer) -> str:
        """What the nodes call this one."""
        return node.tell("CLUSTER", "MYID").split()[1]

    def is_served(self) -> bool:
        """Whether some node that runs serves the namespace."""
        return any(self._serves(node) for node in self.nodes if node.is_running)

    def _serves(self, node: RedisServer) -> bool:
        """A node answers for a key that is not there with null, and for one that it does not serve with an error."""
        return node.tell("GET", "{stem:stem}:nothing").startswith("$-1")

    def _follows(self, replica: RedisServer, primary: RedisServer) -> bool:
        info = _info(replica, "replication")
        knows = f"slave {self.name(primary)}"
        return info.get("master_link_status") == "up" and all(
            knows in node.tell("CLUSTER", "NODES") for node in self.nodes
        )


def _agrees(node: RedisServer) -> bool:
    said = node.tell("CLUSTER", "INFO")
    return "cluster_state:ok" in said and "cluster_known_nodes:4" in said


def _info(server: RedisServer, section: str, password: str | None = None) -> dict[str, str]:
    lines = server.tell("INFO", section, password=password).splitlines()
    return {name: value for name, _, value in (line.partition(":") for line in lines)}


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
