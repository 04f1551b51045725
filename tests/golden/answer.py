#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks the real kustomize v5.8.1 for the expected output of golden cases.

    answer.py CASE...     writes expected/ and case.json of each folder

A case folder needs input/; its kustomization is input/, or input/<path> when case.json says so.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ORACLE = Path(
    os.environ.get("KUSTOMIZE", Path.home() / ".cache/taut-test/kustomize-v5.8.1/kustomize")
)


def answer(folder: Path) -> None:
    description = folder / "case.json"
    case = json.loads(description.read_text()) if description.exists() else {}
    case.setdefault("kind", "kustomize")
    case.setdefault("path", ".")
    root = (folder / "input").resolve()
    command = [str(ORACLE), "build", str(root / case["path"])]
    restrictor = case.get("args", {}).get("loadRestrictor")
    if restrictor:
        command += ["--load-restrictor", restrictor]
    done = subprocess.run(command, capture_output=True, check=False)
    expected = folder / "expected"
    expected.mkdir(exist_ok=True)
    for old in expected.iterdir():
        old.unlink()
    if done.returncode == 0:
        (expected / "build.yaml").write_bytes(done.stdout)
        case["cases"] = [{"name": "build", "expected": "expected/build.yaml", "exit": 0}]
    else:
        lines = [
            line for line in done.stderr.decode().splitlines() if not line.startswith("# Warning")
        ]
        message = "\n".join(lines).replace(str(root), "<root>")
        case["cases"] = [{"name": "build", "exit": done.returncode, "errorContains": message[:300]}]
    description.write_text(json.dumps(case, indent=1) + "\n")
    print(
        f"{folder.name}: {'ok' if done.returncode == 0 else 'fails: ' + case['cases'][0]['errorContains'][:120]}"
    )


if __name__ == "__main__":
    for name in sys.argv[1:]:
        answer(Path(name))
