#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures what docs/performance.md states: parsing, rendering, delivery, idling.

Runs:   `make bench`; BENCH="--only delivery --applications 100" measures a part.
Bounds: every wait has a deadline; a measurement that fails is printed as failed, never as a number.
Each line is `name: value unit`, so that two runs can be compared by diff.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(ROOT / "tests" / "cluster")]

import yaml  # noqa: E402
from cluster import ControlPlane  # noqa: E402
from harness.git import HttpServer, Repository  # noqa: E402
from harness.kube import Kube, Object  # noqa: E402
from harness.manifests import application, config_map, deployment, service, text  # noqa: E402
from harness.process import Process  # noqa: E402
from harness.server import Server  # noqa: E402
from harness.wait import eventually  # noqa: E402

PARTS = ("parsing", "kustomize", "rendering", "delivery", "latency", "idle")
BARE_IN_FLIGHT = 16  # as many as Taut has in flight for one cluster
TICKS = os.sysconf("SC_CLK_TCK")


def say(name: str, value: float, unit: str) -> None:
    print(f"{name}: {value:.1f} {unit}", flush=True)


# -- the costs of a process and its children


def _tree(pid: int) -> list[int]:
    found, queue = [], [pid]
    while queue:
        one = queue.pop()
        found.append(one)
        try:
            children = Path(f"/proc/{one}/task/{one}/children").read_text().split()
        except OSError:
            continue
        queue += [int(child) for child in children]
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of the process, its living children and those it has reaped."""
    total = 0
    for one in _tree(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += sum(int(fields[at]) for at in (11, 12, 13, 14))
    return total / TICKS


def rss_mib(pid: int) -> float:
    """Resident memory of the process and its children; pages they share count once each (Pss)."""
    total = 0
    for one in _tree(pid):
        try:
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except OSError:
            continue
    return total / 1024


class Meter:
    """Samples memory while something runs; `cost` gives seconds, CPU seconds, peak MiB."""

    def __init__(self, process: Process) -> None:
        self.pid = process.pid
        self.peak = 0.0
        self.done = threading.Event()
        self.cpu = cpu_seconds(self.pid)
        self.began = time.monotonic()
        self.thread = threading.Thread(target=self._sample, daemon=True)
        self.thread.start()

    def _sample(self) -> None:
        while not self.done.wait(0.1):
            self.peak = max(self.peak, rss_mib(self.pid))

    def cost(self) -> tuple[float, float, float]:
        seconds = time.monotonic() - self.began
        self.done.set()
        self.thread.join()
        return seconds, cpu_seconds(self.pid) - self.cpu, self.peak


# -- places to measure in


@contextmanager
def served(taut: Path, folder: Path, plane: ControlPlane | None) -> Iterator[Server]:
    server = Server(taut, folder, plane)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def four_objects(name: str) -> list[Object]:
    """The same as apply_bench applies."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}
    secret["data"] = {"a": "Yg=="}
    return [config_map(name), secret, service(name), deployment(name, replicas=0)]


def namespace(kube: Kube, name: str) -> None:
    kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


# -- the measurements


def parsing(build: Path) -> None:
    """MB/s of JSON and YAML, by the C program beside this one."""
    program = build / "tests" / "bench" / "bench_doc"
    print(subprocess.run([program], check=True, capture_output=True, text=True).stdout, end="")


def kustomize(build: Path) -> None:
    """Each target of the corpus beside the original's library and command; the curve."""
    program = [sys.executable, ROOT / "tests/bench/kustomize_rows.py", "--build", build]
    subprocess.run(program, check=True)


def rendering(taut: Path, git: HttpServer) -> None:
    """`taut render` of a directory of 400 objects, the whole command included."""
    repo = Repository(git.root, "render")
    repo.commit({f"app-{n}.yaml": text(*four_objects(f"app-{n}")) for n in range(100)})
    command = [str(taut), "render", "--repo", git.url(repo), "--revision", "main", "--path", "."]
    times = []
    for _ in range(5):
        began = time.monotonic()
        subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
        times.append((time.monotonic() - began) * 1000)
    say("taut render, 400 objects, fetch included", statistics.median(times), "ms")


def bare_loop(server: Server, where: str, count: int) -> float:
    """Seconds of the same server-side applies without Taut: apply_bench, over our own client."""
    namespace(server.target, where)
    config = yaml.safe_load(server.target.kubeconfig.read_text())
    config["current-context"] = server.target.context or config["current-context"]
    file = server.dir / "bare.kubeconfig"
    file.touch(mode=0o600)
    file.write_text(json.dumps(config))
    program = server.taut.parent / "tests" / "bench" / "apply_bench"
    done = subprocess.run(
        [program, file, where, str(count), str(BARE_IN_FLIGHT)],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)["seconds"]


def create_all(kube: Kube, objects: list[Object]) -> None:
    """Over one connection: a new one for each would be most of what is measured."""
    connection = http.client.HTTPSConnection(
        str(kube.server.hostname), kube.server.port, context=kube.tls, timeout=60
    )
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {kube.token}"}
    for obj in objects:
        path = kube.path(obj["kind"], obj["metadata"]["namespace"])
        body = json.dumps(obj)
        connection.request("POST", kube.server.path.rstrip("/") + path, body, headers)
        answer = connection.getresponse()
        told = answer.read()
        assert answer.status == 201, told[:300]
    connection.close()


def delivery(server: Server, git: HttpServer, label: str, count: int) -> None:
    """Applications of four objects each, from nothing to all Synced."""
    say(
        f"{label}, {count * 4} applies in a bare loop",
        bare_loop(server, f"bare-{count}", count),
        "s",
    )
    where = f"bulk-{count}"
    namespace(server.target, where)
    repo = Repository(git.root, f"{label.replace(' ', '-')}-{count}")
    repo.commit({f"app-{n}/all.yaml": text(*four_objects(f"app-{n}")) for n in range(count)})
    assert server.process is not None
    meter = Meter(server.process)
    home = server.home
    apps = []
    for n in range(count):
        made = application(
            f"{where}-{n}", git.url(repo), server.cluster, where, syncPolicy={"automated": {}}
        )
        made["spec"]["source"]["path"] = f"app-{n}"
        apps.append(made)
    create_all(home, apps)

    def all_synced() -> bool:
        apps = home.list("Application", "argocd")
        words = [(a.get("status") or {}).get("sync", {}).get("status") for a in apps]
        mine = [
            w for a, w in zip(apps, words, strict=True) if a["metadata"]["name"].startswith(where)
        ]
        time.sleep(0.1)
        assert mine.count("Synced") == count, f"{mine.count('Synced')} of {count} are Synced"
        return True

    eventually(all_synced, within=600, what=f"{count} applications")
    seconds, cpu, peak = meter.cost()
    say(f"{label}, {count} applications from nothing", seconds, "s")
    say(f"{label}, {count} applications, CPU of Taut", cpu, "s")
    say(f"{label}, {count} applications, peak memory of Taut", peak, "MiB")


def latency(server: Server, git: HttpServer, label: str) -> None:
    """From the refresh annotation to the changed object, for one commit to one application; and
    from the last byte that the Git server gave: git's own end, rendering, comparing, applying."""
    namespace(server.target, "latency")
    repo = Repository(git.root, f"{label.replace(' ', '-')}-latency")
    repo.commit({"a.yaml": text(config_map("a", v="0"))})
    made = application(
        "latency", git.url(repo), server.cluster, "latency", syncPolicy={"automated": {}}
    )
    home, target = server.home, server.target
    home.create(made)

    def value() -> str:
        found = target.get("ConfigMap", "latency", "a")
        return found["data"]["v"] if found else ""

    eventually(lambda: value() == "0", what="the first sync")
    times = []
    after_git = []
    for turn in range(1, 11):
        repo.commit({"a.yaml": text(config_map("a", v=str(turn)))})
        began = time.time()
        refresh = {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}}
        home.patch("Application", "argocd", "latency", refresh)
        while value() != str(turn):
            if time.time() - began > 30:
                raise TimeoutError("the commit was not applied within 30 s")
        applied = _applied_at(server, began)
        times.append((applied - began) * 1000)
        after_git.append((applied - git.last_answer) * 1000)
    say(
        f"{label}, refresh → first apply, git included, median of 10",
        statistics.median(times),
        "ms",
    )
    say(
        f"{label}, the Git server's last answer → first apply, median of 10",
        statistics.median(after_git),
        "ms",
    )


def _applied_at(server: Server, after: float) -> float:
    """When the API server received the apply, by its audit log; now where there is none."""
    if server.plane is None:
        return time.time()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for line in reversed(server.plane.audit_log.read_text().splitlines()):
            event = json.loads(line)
            if event["verb"] != "patch" or "/configmaps/a?" not in event["requestURI"]:
                continue
            stamp = event["requestReceivedTimestamp"].replace("Z", "+00:00")
            received = datetime.fromisoformat(stamp).timestamp()
            if received > after and "dryRun" not in event["requestURI"]:
                return received
        time.sleep(0.05)
    raise TimeoutError("the apply is not in the audit log")


def idle(server: Server, label: str, seconds: float) -> None:
    """CPU and memory with nothing changing."""
    assert server.process is not None
    count = len(server.home.list("Application", "argocd"))
    time.sleep(5)
    before, began = cpu_seconds(server.process.pid), time.monotonic()
    time.sleep(seconds)
    used = cpu_seconds(server.process.pid) - before
    share = used / (time.monotonic() - began) * 100
    say(f"{label}, idle with {count} applications, share of one core", share, "%")
    say(f"{label}, idle with {count} applications, memory", rss_mib(server.process.pid), "MiB")


def attempt(name: str, measure: Callable[[], None]) -> bool:
    try:
        measure()
        return True
    except (AssertionError, OSError, RuntimeError, subprocess.SubprocessError) as error:
        print(f"{name}: FAILED: {str(error)[:300]}", flush=True)
        return False


def places(args: argparse.Namespace, folder: Path) -> Iterator[tuple[str, ControlPlane | None]]:
    if args.place in ("sandbox", "both"):
        yield "sandbox", None
    if args.place in ("cluster", "both"):
        with ControlPlane(folder / "plane") as plane:
            yield "real control plane", plane


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--taut", type=Path, required=True)
    parser.add_argument("--only", choices=PARTS, action="append", help="default: all")
    parser.add_argument("--place", choices=["sandbox", "cluster", "both"], default="both")
    parser.add_argument("--applications", type=int, action="append", help="default: 100 and 500")
    parser.add_argument("--idle-seconds", type=float, default=120)
    args = parser.parse_args()
    taut = args.taut.absolute()
    parts = args.only or PARTS
    good = True
    programs = [f"tests/bench/{name}" for name in ("bench_doc", "apply_bench", "kustomize_bench")]
    subprocess.run(["ninja", "-C", taut.parent, *programs], check=True, capture_output=True)
    with tempfile.TemporaryDirectory(prefix="taut-bench-") as scratch:
        folder = Path(scratch)
        (folder / "git").mkdir()
        git = HttpServer(folder / "git")
        if "parsing" in parts:
            good &= attempt("parsing", lambda: parsing(taut.parent))
        if "kustomize" in parts:
            good &= attempt("kustomize", lambda: kustomize(taut.parent))
        if "rendering" in parts:
            good &= attempt("rendering", lambda: rendering(taut, git))
        if {"delivery", "latency", "idle"} & set(parts):
            for label, plane in places(args, folder):
                with served(taut, folder / label.replace(" ", "-"), plane) as server:
                    good &= measure_place(args, parts, server, git, label)
        git.close()
    return 0 if good else 1


def measure_place(
    args: argparse.Namespace, parts: list[str], server: Server, git: HttpServer, label: str
) -> bool:
    good = True
    if "latency" in parts:
        good &= attempt(f"{label}, latency", lambda: latency(server, git, label))
    for count in args.applications or [100, 500]:
        if "delivery" in parts:
            good &= attempt(f"{label}, delivery", lambda n=count: delivery(server, git, label, n))
        if "idle" in parts:
            good &= attempt(f"{label}, idle", lambda: idle(server, label, args.idle_seconds))
    return good


if __name__ == "__main__":
    sys.exit(main())
