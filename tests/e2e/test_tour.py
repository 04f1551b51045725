# SPDX-License-Identifier: Apache-2.0
"""docs/getting-started.md, sections 2 and 3, typed in as they stand, against the demo of section 1."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import free_port
from harness.process import Process
from harness.server import SANITIZERS
from harness.wait import eventually

pytestmark = pytest.mark.only("embedded")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "getting-started.md"


def commands(section: str) -> list[str]:
    """The indented lines of one section; a line that ends in a backslash goes on."""
    found = re.search(rf"^## {re.escape(section)}\n(.*?)(?=^## )", PAGE.read_text(), re.S | re.M)
    assert found, f"{PAGE.name} has no section {section}"
    lines = re.findall(r"^    (.+)$", found.group(1), re.M)
    return "\n".join(lines).replace("\\\n", " ").splitlines()


@pytest.fixture
def shell(pytestconfig: pytest.Config, tmp_path: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    taut = Path(pytestconfig.getoption("--taut")).absolute()
    data = tmp_path / "demo"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "taut").symlink_to(taut)
    env = {
        **os.environ,
        **SANITIZERS,
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "TAUT_KUBECONFIG": str(data / "admin.kubeconfig"),
    }
    process = Process(
        [str(taut), "serve", "--demo", "--data", str(data), "--listen", f"127.0.0.1:{free_port()}"],
        tmp_path / "log",
        env,
    )
    eventually(lambda: "Three things to try" in process.tail(200), within=60, what="the demo")
    yield data, env
    process.stop()


def test_the_five_minute_tour_works_as_written(shell: tuple[Path, dict[str, str]]) -> None:
    data, env = shell

    def run(line: str) -> tuple[int, str]:
        line = line.replace("DIR", str(data / "sample"))
        done = subprocess.run(
            ["bash", "-c", line], capture_output=True, text=True, env=env, timeout=120
        )
        return done.returncode, done.stdout + done.stderr

    def listed() -> str:
        code, out = run("taut app list --devops demo")
        assert code == 0 and all(name in out for name in ("shop", "blog", "worker", "typo")), out
        assert re.search(r"shop +Healthy +Synced", out), out
        assert re.search(r"blog +\w+ +OutOfSync", out), out
        return out

    eventually(listed, within=60, what="the samples")
    for section in ("2. Ask for a sync", "3. Commit, and watch"):
        for line in commands(section):
            expected = 4 if "exit code 4" in line else 0
            code, out = run(line.split("#")[0])
            assert code == expected, f"{line}\n{out}"
    assert re.search(r"\n1 +", run("taut app history shop --devops demo")[1])
