# SPDX-License-Identifier: Apache-2.0
"""One Taut server: started, stopped, killed, restarted on the same data folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster import ControlPlane, free_port

from harness.kube import Kube
from harness.process import Process, group_members
from harness.wait import eventually

# Leaks are the unit tests' business; a report of any other kind must end the process.
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0:exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
}
SANITIZER_WORDS = ("AddressSanitizer", "runtime error:", "Assertion `")
START_SECONDS = 60.0


@dataclass
class Done:
    """What a run of the command line left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Server:
    def __init__(self, taut: Path, folder: Path, plane: ControlPlane | None) -> None:
        self.taut = taut
        self.dir = folder
        self.data = folder / "data"
        self.plane = plane
        self.port = free_port()
        self.process: Process | None = None
        self.env: Mapping[str, str] = {}
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def log(self) -> Path:
        return self.dir / "taut.log"

    @property
    def kubeconfig(self) -> Path:
        return self.data / "admin.kubeconfig"

    @property
    def cluster(self) -> str:
        """The name of the target cluster in commands."""
        return "in-cluster" if self.plane else "sandbox"

    @property
    def home(self) -> Kube:
        """Taut's own objects, through Taut's port."""
        return Kube(self.kubeconfig, "home")

    @property
    def target(self) -> Kube:
        """The cluster that is deployed to; the real one is asked directly."""
        if self.plane:
            return Kube(self.plane.kubeconfig_certificate)
        return Kube(self.kubeconfig, "sandbox")

    def start(self, **env: str) -> None:
        assert self.process is None, "it runs already"
        command = [str(self.taut), "serve", "--data", str(self.data)]
        command += ["--listen", f"127.0.0.1:{self.port}"]
        command += ["--home", str(self.plane.kubeconfig)] if self.plane else ["--sandbox"]
        self.env = env
        self.process = Process(command, self.log, {**os.environ, **SANITIZERS, **env})
        eventually(self._is_ready, within=START_SECONDS, what=f"taut serve\n{self.process.tail()}")

    def _is_ready(self) -> bool:
        assert self.process is not None
        if not self.process.is_running():
            raise RuntimeError(f"taut serve ended:\n{self.process.tail()}")
        return self.kubeconfig.exists() and self.home.request("GET", "/readyz") is not None

    def stop(self) -> None:
        if self.process is None:
            return
        process, self.process = self.process, None
        if not process.is_running():
            return
        process.stop()
        self._no_leftovers(process)

    def kill(self) -> None:
        """SIGKILL: nothing is said good-bye to."""
        assert self.process is not None
        process, self.process = self.process, None
        process.kill()
        self._no_leftovers(process)

    def wait_until_killed(self, within: float = 60.0) -> None:
        """Waits until it has killed itself at a stop point."""
        assert self.process is not None
        process, self.process = self.process, None
        eventually(lambda: not process.is_running(), within=within, what="the stop point")
        assert process.popen.returncode == -signal.SIGKILL, process.tail()
        self._no_leftovers(process)

    def restart(self, **env: str) -> None:
        self.stop()
        self.start(**env)

    def ensure_plain(self) -> None:
        """Runs, and with no stop point armed; what a test before this one left is put right."""
        if self.process is not None and self.process.is_running() and not self.env:
            return
        self.stop()
        self.start()

    def _no_leftovers(self, process: Process) -> None:
        eventually(
            lambda: not group_members(process.pid),
            within=10,
            what=f"the end of its children {group_members(process.pid)}",
        )

    def troubles(self) -> list[str]:
        """Lines of the log that no run may leave."""
        if not self.log.exists():
            return []
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if any(word in line for word in SANITIZER_WORDS)]

    def run(self, *args: str, stdin: str = "", check: bool = True, timeout: float = 240) -> Done:
        """Runs `taut ARGS` as a script would: no terminal, kubeconfig from the environment."""
        env = {**os.environ, **SANITIZERS, "TAUT_KUBECONFIG": str(self.kubeconfig)}
        done = subprocess.run(
            [str(self.taut), *args],
            input=stdin,
            capture_output=True,
            text=True,
            env=env,
            timeout=timeout,
        )
        if check:
            assert done.returncode == 0, (
                f"taut {' '.join(args)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return Done(done.returncode, done.stdout, done.stderr)
