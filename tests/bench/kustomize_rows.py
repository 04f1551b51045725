#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kustomize's speed: each target of the corpus beside the original's library and its command.

    kustomize_rows.py --build BUILD [CORPUS]

A row: bytes out, milliseconds in process (median of 20 after a warm-up), of the library warm in one
process, of the command by the wall (median of five), and both ratios. A target that misses ten
times the library or a hundred times the command says so. Then the curve of growing trees, with the
peak memory above an idle process.

Without the corpus only the curve is measured; without Go or the command their columns stay empty.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CORPUS = ROOT.parent / "shared/corpus/kustomize"
COMMAND = Path(
    os.environ.get("KUSTOMIZE", Path.home() / ".cache/taut-test/kustomize-v5.8.1/kustomize")
)
LIBRARY_GOAL, COMMAND_GOAL = 10, 100
CURVE_GOAL_MS, CURVE_GOAL_AT = 250, 4000
MIB = 1024 * 1024


def measure(build: Path, folders: list[str]) -> dict[str, list[float]]:
    """Folder → ms, processor ms, bytes out, bytes read, peak KiB, of kustomize_bench."""
    program = build / "tests/bench/kustomize_bench"
    done = subprocess.run([program, *folders], check=True, capture_output=True, text=True)
    rows = (line.split() for line in done.stdout.splitlines())
    return {row[0]: [float(field) for field in row[1:]] for row in rows}


def library_times(folders: list[str], scratch: Path) -> dict[str, float]:
    if shutil.which("go") is None:
        print("the library is not measured: there is no Go", flush=True)
        return {}
    program = scratch / "kustomize-lib"
    built = subprocess.run(
        ["go", "build", "-o", program, "."], cwd=HERE / "kustomize-lib", capture_output=True
    )
    if built.returncode != 0:
        print("the library is not measured: it does not build here", flush=True)
        return {}
    done = subprocess.run([program, *folders], check=True, capture_output=True, text=True)
    rows = (line.split() for line in done.stdout.splitlines())
    return {row[0]: float(row[1]) for row in rows}


def command_time(folder: str) -> float | None:
    if not COMMAND.exists():
        return None
    times = []
    for _ in range(5):
        began = time.monotonic()
        subprocess.run(
            [COMMAND, "build", "--load-restrictor", "LoadRestrictionsNone", folder],
            check=True,
            capture_output=True,
        )
        times.append((time.monotonic() - began) * 1000)
    return statistics.median(times)


def targets(corpus: Path) -> list[tuple[str, str, str]]:
    """Name, tree//path for our program, folder for the others."""
    found = []
    for description in sorted(corpus.glob("*/case.json")):
        case = json.loads(description.read_text())
        root = description.parent / "input"
        folder = str((root / case["path"]).resolve())
        found.append((description.parent.name, f"{root.resolve()}//{case['path']}", folder))
    return found


def ratio(theirs: float | None, ours: float, goal: int) -> str:
    if theirs is None:
        return "-"
    times = theirs / ours
    return f"{times:.0f}" + (" MISSES" if times < goal else "")


def corpus_rows(build: Path, corpus: Path) -> None:
    rows = targets(corpus)
    if not rows:
        print(f"no corpus at {corpus}: only the curve is measured", flush=True)
        return
    ours = measure(build, [tree for _, tree, _ in rows])
    with tempfile.TemporaryDirectory(prefix="taut-bench-") as scratch:
        library = library_times([folder for _, _, folder in rows], Path(scratch))
    print("target | bytes out | Taut ms | library ms | × | command ms | × | peak KiB, goal")
    missed = {"library": 0, "command": 0, "memory": 0}
    for name, tree, folder in rows:
        wall, _, out, read, peak = ours[tree]
        command = command_time(folder)
        goal = (4 * MIB + 10 * read) / 1024
        missed["library"] += folder in library and library[folder] / wall < LIBRARY_GOAL
        missed["command"] += command is not None and command / wall < COMMAND_GOAL
        missed["memory"] += peak > goal
        print(
            f"{name} | {out:.0f} | {wall:.2f} | {library.get(folder, float('nan')):.1f} | "
            f"{ratio(library.get(folder), wall, LIBRARY_GOAL)} | "
            f"{command or float('nan'):.0f} | {ratio(command, wall, COMMAND_GOAL)} | "
            f"{peak:.0f}{' MISSES' if peak > goal else ''}, {goal:.0f}",
            flush=True,
        )
    print(
        f"{len(rows)} targets; below {LIBRARY_GOAL} × the library: {missed['library']}, below "
        f"{COMMAND_GOAL} × the command: {missed['command']}, above the memory: {missed['memory']}"
    )


def curve(build: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="taut-bench-") as scratch:
        subprocess.run([HERE / "kustomize_curve.py", scratch], check=True)
        folders = sorted((str(p) for p in Path(scratch).iterdir()), key=lambda p: int(Path(p).name))
        for folder, (wall, cpu, _, read, peak) in measure(build, folders).items():
            size = int(Path(folder).name)
            slow = size == CURVE_GOAL_AT and wall > CURVE_GOAL_MS
            goal = (4 * MIB + 10 * read) / 1024
            print(
                f"{size} resources: {wall:.1f} ms{' MISSES' if slow else ''} ({cpu:.1f} of the "
                f"processor), peak {peak:.0f} KiB{' MISSES' if peak > goal else ''} of {goal:.0f}",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("corpus", type=Path, nargs="?", default=CORPUS)
    args = parser.parse_args()
    corpus_rows(args.build, args.corpus)
    curve(args.build)


if __name__ == "__main__":
    main()
