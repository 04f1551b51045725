# SPDX-License-Identifier: Apache-2.0
"""The first minute: `taut serve --demo`, which is `make run`."""

from __future__ import annotations

import os
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import free_port
from harness.kube import Kube
from harness.process import Process
from harness.server import SANITIZERS
from harness.wait import eventually

pytestmark = pytest.mark.only("embedded")


class Demo:
    def __init__(self, taut: Path, folder: Path) -> None:
        self.taut = taut
        self.dir = folder
        self.data = folder / "demo"
        self.port = free_port()
        self.starts = 0

    def start(self) -> Process:
        self.starts += 1
        command = [str(self.taut), "serve", "--demo", "--data", str(self.data)]
        command += ["--listen", f"127.0.0.1:{self.port}"]
        log = self.dir / f"demo-{self.starts}.log"
        self.process = Process(command, log, {**os.environ, **SANITIZERS})
        eventually(lambda: "kubeconfig" in self.process.tail(200), what="what the demo prints")
        return self.process

    @property
    def home(self) -> Kube:
        return Kube(self.data / "admin.kubeconfig", "home")


@pytest.fixture
def demo(pytestconfig: pytest.Config, tmp_path: Path) -> Iterator[Demo]:
    started = Demo(Path(pytestconfig.getoption("--taut")).absolute(), tmp_path)
    started.start()
    yield started
    started.process.stop()


def _statuses(demo: Demo) -> dict[str, tuple[str, str]]:
    found = {}
    for app in demo.home.list("Application"):
        status = app.get("status") or {}
        found[app["metadata"]["name"]] = (
            (status.get("sync") or {}).get("status", ""),
            (status.get("health") or {}).get("status", ""),
        )
    return found


def test_the_demo_shows_each_state_and_starts_again(demo: Demo) -> None:
    def settled() -> bool:
        seen = sorted(_statuses(demo).values())
        assert ("Synced", "Healthy") in seen, seen
        assert any(sync == "OutOfSync" for sync, _ in seen), seen
        assert any(health == "Degraded" for _, health in seen), seen
        assert any(sync == "Unknown" for sync, _ in seen), seen
        return len(seen) == 4

    eventually(settled, within=90, what="four samples")
    before = _statuses(demo)
    demo.process.stop()
    demo.start()
    assert set(_statuses(demo)) == set(before)


def test_a_port_that_is_taken_is_named_and_the_next_one_used(demo: Demo, tmp_path: Path) -> None:
    other = Demo(demo.taut, tmp_path / "other")
    other.dir.mkdir()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        other.port = holder.getsockname()[1]
        process = other.start()
        try:
            printed = process.tail(200)
            assert str(other.port) in printed
        finally:
            process.stop()


def test_the_plain_page_answers_on_loopback(demo: Demo) -> None:
    printed = demo.process.tail(200)
    word = next(word for word in printed.split() if word.startswith("http://127.0.0.1:"))
    with urllib.request.urlopen(word, timeout=10) as answer:
        assert answer.status == 200
        assert b"Taut" in answer.read()
