#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds a folder with the real kustomize and with taut, and shows the first difference.

    kustomize_diff.py FOLDER...                     compare these kustomizations
    kustomize_diff.py --random N [--seed S] CORPUS  compare N made-up overlays over a corpus

A made-up overlay takes one case of the corpus as its base and adds some of: prefix, suffix,
namespace, labels, annotations, images, replicas, patches of all forms, generators, components,
replacements, a second layer. The same seed makes the same overlays.

The oracle is kustomize v5.8.1: --oracle, or $KUSTOMIZE, or the test cache. Without it the tool
says so and ends with 77, which meson shows as skipped.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SKIPPED = 77
try:
    from kustomize_overlays import Overlay, objects_of
    from kustomize_resources import odd_resources
except ImportError:
    print("skipped: needs PyYAML")
    sys.exit(SKIPPED)

counts = {"outputs": 0, "errors": 0}
CACHE = Path.home() / ".cache/taut-test/kustomize-v5.8.1/kustomize"

CAUSES = [
    ("folding", lambda a, b: a.strip().startswith(b.strip()) or b.strip().startswith(a.strip())),
    (
        "quoting",
        lambda a, b: a.replace('"', "").replace("'", "") == b.replace('"', "").replace("'", ""),
    ),
    ("indentation", lambda a, b: a.strip() == b.strip()),
    ("a name or its hash suffix", lambda a, b: "name" in a.lower() and "name" in b.lower()),
    ("a label or selector", lambda a, b: "app" in a or "label" in a.lower()),
    ("order of documents", lambda a, b: a.startswith("apiVersion") and b.startswith("apiVersion")),
]


def run(command: list[str]) -> tuple[int, bytes, str]:
    try:
        done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        return 124, b"", "timed out"
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def cause(expected: str, actual: str) -> str:
    for name, test in CAUSES:
        if test(expected, actual):
            return name
    return "a value"


def first_difference(expected: bytes, actual: bytes) -> str:
    left = expected.decode(errors="replace").split("\n")
    right = actual.decode(errors="replace").split("\n")
    for number, (a, b) in enumerate(zip(left, right, strict=False), 1):
        if a != b:
            start = max(0, number - 6)
            context = "\n".join("      " + line for line in left[start : number - 1])
            return f"  line {number}, likely cause: {cause(a, b)}\n{context}\n    - {a}\n    + {b}"
    return f"  one output ends early: {len(left)} lines expected, {len(right)} lines built"


def compare(oracle: Path, taut: Path, folder: Path, arguments: list[str]) -> str | None:
    """None when both agree, else what differs."""
    status, expected, their_error = run([str(oracle), "build", str(folder), *arguments])
    own_status, actual, our_error = run([str(taut), "kustomize", "build", str(folder), *arguments])
    if own_status < 0 or own_status > 100:
        return f"  taut died ({own_status}): {our_error[-600:]}"
    if (status == 0) != (own_status == 0):
        side = "kustomize" if status != 0 else "taut"
        error = their_error if status != 0 else our_error
        return f"  only {side} fails: {error.strip()[-700:]}"
    counts["errors" if status else "outputs"] += 1
    if status == 0 and expected != actual:
        return first_difference(expected, actual)
    return None


def cases_of(corpus: list[Path]) -> list[tuple[Path, str]]:
    """Input folders and paths of all cases that succeed."""
    found = []
    for root in corpus:
        if not root.is_dir():
            continue
        for description in sorted(root.glob("**/case.json")):
            case = json.loads(description.read_text())
            if case.get("kind") != "kustomize" or any(c.get("exit") for c in case["cases"]):
                continue
            found.append((description.parent, case))
    return found


def random_overlays(args: argparse.Namespace, oracle: Path) -> int:
    cases = cases_of([Path(p) for p in args.folders])
    if not cases:
        print("skipped: no corpus there")
        return SKIPPED
    failed = 0
    keep = Path(args.keep) if args.keep else None
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(args.random):
            seed = args.seed + number
            rnd = random.Random(seed)
            directory, case = rnd.choice(cases)
            expected = directory / case["cases"][0].get("expected", "")
            text = expected.read_bytes()
            if len(text) > args.max_bytes:
                small = [
                    c
                    for c in cases
                    if (c[0] / c[1]["cases"][0]["expected"]).stat().st_size <= args.max_bytes
                ]
                directory, case = rnd.choice(small)
                text = (directory / case["cases"][0]["expected"]).read_bytes()
            work = Path(scratch) / "w"
            shutil.rmtree(work, ignore_errors=True)
            shutil.copytree(directory / "input", work / "input", symlinks=True)
            objects = objects_of(text)
            overlay = Overlay(rnd, work, "../input/" + case["path"], objects)
            if rnd.random() < 0.4:
                more = odd_resources(rnd)
                overlay.files["odd.yaml"] = more
                overlay.k["resources"].append("odd.yaml")
                overlay.objects = objects + objects_of(more.encode())
            if rnd.random() < 0.3:
                overlay.k["resources"] = [r for r in overlay.k["resources"] if r == "odd.yaml"]
                overlay.objects = overlay.objects[len(objects) :]
            if not overlay.objects:
                continue
            overlay.make("overlay")
            last = "overlay"
            if rnd.random() < 0.3:
                second = Overlay(rnd, work, "../overlay", overlay.objects)
                second.make("second")
                last = "second"
            arguments = []
            if case.get("args", {}).get("loadRestrictor") == "LoadRestrictionsNone":
                arguments = ["--load-restrictor", "LoadRestrictionsNone"]
            difference = compare(oracle, args.taut, work / last, arguments)
            if difference:
                failed += 1
                print(f"seed {seed} over {directory.name}:\n{difference}", flush=True)
                if keep:
                    shutil.copytree(work, keep / f"seed-{seed}", dirs_exist_ok=True, symlinks=True)
    print(
        f"{args.random} overlays: {counts['outputs']} with output, {counts['errors']} that both "
        f"refuse, {failed} differ"
    )
    return 1 if failed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--oracle", type=Path, default=Path(os.environ.get("KUSTOMIZE", CACHE)))
    parser.add_argument("--taut", type=Path, default=Path("build/taut"))
    parser.add_argument("--random", type=int, default=0, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", help="keep the overlays that differ in this folder")
    parser.add_argument("--max-bytes", type=int, default=400_000)
    args = parser.parse_args()
    args.taut = args.taut.resolve()
    if not args.oracle.exists():
        print(f"skipped: no oracle at {args.oracle}")
        return SKIPPED
    if args.random:
        return random_overlays(args, args.oracle)
    failed = 0
    for folder in args.folders:
        difference = compare(args.oracle, args.taut, Path(folder), [])
        print(f"{folder}: {'same' if difference is None else 'DIFFERS'}")
        if difference:
            failed += 1
            print(difference)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
