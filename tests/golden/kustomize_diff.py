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
    import yaml
except ImportError:
    print("skipped: needs PyYAML")
    sys.exit(SKIPPED)

counts = {"outputs": 0, "errors": 0}
CACHE = Path.home() / ".cache/taut-test/kustomize-v5.8.1/kustomize"
KINDS_WITH_PODS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicaSet")

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


# ---- made-up overlays ----


def objects_of(text: bytes) -> list[dict]:
    try:
        return [d for d in yaml.safe_load_all(text) if isinstance(d, dict) and "kind" in d]
    except (yaml.YAMLError, ValueError):
        return []


def name_of(o: dict) -> str:
    return str((o.get("metadata") or {}).get("name", "x"))


def pod_spec(o: dict) -> dict | None:
    spec = o.get("spec") or {}
    if o["kind"] == "Pod":
        return spec
    if o["kind"] == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    template = spec.get("template") if isinstance(spec, dict) else None
    return template.get("spec") if isinstance(template, dict) else None


def containers(o: dict) -> list[dict]:
    spec = pod_spec(o) or {}
    return [c for c in spec.get("containers") or [] if isinstance(c, dict) and "name" in c]


class Overlay:
    """One random overlay over a base whose objects are known."""

    def __init__(self, rnd: random.Random, folder: Path, base: str, objects: list[dict]) -> None:
        self.rnd = rnd
        self.folder = folder
        self.base = base
        self.objects = objects
        self.k: dict = {"resources": [base]}
        self.files: dict[str, str] = {}

    def pick(self, *kinds: str) -> dict | None:
        fitting = [o for o in self.objects if not kinds or o["kind"] in kinds]
        return self.rnd.choice(fitting) if fitting else None

    def target(self, o: dict) -> dict:
        target = {"kind": o["kind"]}
        if self.rnd.random() < 0.6:
            target["name"] = name_of(o)
        elif self.rnd.random() < 0.5:
            target["name"] = name_of(o)[:3] + ".*"
        if self.rnd.random() < 0.2:
            target["version"] = o.get("apiVersion", "v1").split("/")[-1]
        if self.rnd.random() < 0.15:
            target["labelSelector"] = self.rnd.choice(["app", "!nothing", "app notin (x)", "a=b"])
        return target

    def names(self) -> None:
        if self.rnd.random() < 0.5:
            self.k["namePrefix"] = self.rnd.choice(["pre-", "x", "1", "a-b-", "dev."])
        if self.rnd.random() < 0.35:
            self.k["nameSuffix"] = self.rnd.choice(["-suf", "-2", "x"])
        if self.rnd.random() < 0.5:
            self.k["namespace"] = self.rnd.choice(["other", "default", "kube-system", "ns-1"])

    def labels(self) -> None:
        r = self.rnd
        if r.random() < 0.3:
            self.k["commonLabels"] = {
                r.choice(["app", "team", "env"]): r.choice(["x", "true", "1", "web"])
            }
        if r.random() < 0.4:
            self.k["labels"] = [
                {
                    "pairs": {r.choice(["tier", "a/b", "app"]): r.choice(["x", "2", "yes"])},
                    r.choice(["includeSelectors", "includeTemplates"]): r.random() < 0.6,
                }
                for _ in range(r.randint(1, 2))
            ]
        if r.random() < 0.4:
            self.k["commonAnnotations"] = {
                "note": r.choice(["x", "1", "a: b", "long " * 20, "x\ny\n"])
            }

    def images(self) -> None:
        images = []
        for o in self.objects:
            for c in containers(o):
                image = str(c.get("image", ""))
                if image and self.rnd.random() < 0.3:
                    name = image.split("@")[0]
                    if ":" in name.rsplit("/", 1)[-1]:
                        name = name.rsplit(":", 1)[0]
                    change: dict = {"name": name}
                    choice = self.rnd.random()
                    if choice < 0.4:
                        change["newTag"] = self.rnd.choice(["v2", "1.0", "latest"])
                    elif choice < 0.6:
                        change["digest"] = "sha256:" + "ab" * 32
                    elif choice < 0.7:
                        change["tagSuffix"] = "-x"
                    if self.rnd.random() < 0.5:
                        change["newName"] = "mirror.example/x/y"
                    images.append(change)
        if images:
            self.k["images"] = images[:4]

    def replicas(self) -> None:
        o = self.pick("Deployment", "StatefulSet", "ReplicaSet")
        if o and self.rnd.random() < 0.5:
            self.k["replicas"] = [{"name": name_of(o), "count": self.rnd.choice([0, 1, 5])}]

    def json_patch(self) -> list[dict]:
        r = self.rnd
        ops = [
            {"op": "add", "path": "/metadata/labels", "value": {"p": "q"}},
            {"op": "add", "path": "/metadata/annotations/x", "value": "1"},
            {"op": "replace", "path": "/metadata/name", "value": "renamed"},
            {
                "op": "add",
                "path": "/spec",
                "value": {"a": 1000000, "b": [1.5, True, None], "c": "1"},
            },
            {"op": "test", "path": "/kind", "value": "Service"},
            {"op": "add", "path": "/spec/extra", "value": 12345678901234567890},
            {"op": "remove", "path": "/metadata/labels"},
            {"op": "copy", "from": "/metadata/name", "path": "/metadata/labels/copied"},
            {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "x:y"},
            {"op": "add", "path": "/spec/template/spec/containers/-", "value": {"name": "added"}},
        ]
        return r.sample(ops, r.randint(1, 2))

    def merge_patch(self, o: dict, by_id: bool) -> dict:
        r = self.rnd
        patch: dict = {
            "apiVersion": o.get("apiVersion", "v1"),
            "kind": o["kind"],
            "metadata": {"name": name_of(o)},
        }
        if by_id and (o.get("metadata") or {}).get("namespace"):
            patch["metadata"]["namespace"] = o["metadata"]["namespace"]
        if r.random() < 0.4:
            patch["metadata"]["labels"] = {r.choice(["app", "new"]): r.choice(["v", None, "1"])}
        if r.random() < 0.4:
            patch["metadata"]["annotations"] = {"patched": r.choice(["yes", None, "x"])}
        if r.random() < 0.1:
            patch["$patch"] = r.choice(["delete", "replace"])
        cs = containers(o)
        if cs and o["kind"] in KINDS_WITH_PODS and r.random() < 0.7:
            c: dict = {"name": r.choice(cs)["name"] if r.random() < 0.7 else "sidecar"}
            if r.random() < 0.5:
                c["env"] = [
                    {"name": r.choice(["A", "B", "PATH"]), "value": r.choice(["1", "x y", "true"])}
                ]
            if r.random() < 0.3:
                c["ports"] = [{"containerPort": r.choice([80, 8080, 9090]), "name": "p"}]
            if r.random() < 0.3:
                c["args"] = ["--x", "1"]
            if r.random() < 0.2:
                c["resources"] = {"limits": {"cpu": r.choice([1, "100m", 0.5]), "memory": None}}
            if r.random() < 0.15:
                c["$patch"] = r.choice(["delete", "replace"])
            if r.random() < 0.2:
                c["volumeMounts"] = [{"mountPath": "/x", "name": "v"}]
            spec: dict = {"containers": [c]}
            if r.random() < 0.3:
                spec["volumes"] = [{"name": "v", "emptyDir": {}}]
            if r.random() < 0.2:
                spec["tolerations"] = [{"operator": "Exists"}]
            if r.random() < 0.2:
                spec["nodeSelector"] = r.choice([None, {"a": "b"}])
            template = {"spec": spec}
            if r.random() < 0.3:
                template["metadata"] = {"labels": {"app": "patched"}}
            patch["spec"] = {"template": template}
            if o["kind"] == "CronJob":
                patch["spec"] = {"jobTemplate": {"spec": {"template": template}}}
        elif o["kind"] == "Service" and r.random() < 0.7:
            patch["spec"] = {
                "ports": [{"port": r.choice([80, 443, 1]), "name": "q"}],
                "type": "NodePort",
            }
        elif o["kind"] == "ConfigMap" and r.random() < 0.7:
            patch["data"] = {
                "new": "a\nb\n",
                r.choice(list(o.get("data") or {"z": 1})): r.choice([None, "x"]),
            }
        elif isinstance(o.get("spec"), dict) and o["spec"] and r.random() < 0.5:
            patch["spec"] = {r.choice(list(o["spec"])): None, "added": [1, {"a": "b"}]}
        return patch

    def dump(self, value: object) -> str:
        return (
            json.dumps(value) if self.rnd.random() < 0.2 else yaml.safe_dump(value, sort_keys=False)
        )

    def patches(self) -> None:
        r = self.rnd
        patches = []
        for i in range(r.randint(0, 3)):
            o = self.pick()
            if not o:
                return
            if r.random() < 0.3:
                entry: dict = {"target": self.target(o), "patch": self.dump(self.json_patch())}
            else:
                by_id = r.random() < 0.6
                text = self.dump(self.merge_patch(o, by_id))
                entry = {"patch": text} if by_id else {"target": self.target(o), "patch": text}
                if r.random() < 0.1:
                    entry["options"] = {"allowNameChange": True}
            if r.random() < 0.3:
                self.files[f"patch{i}.yaml"] = entry.pop("patch")
                entry["path"] = f"patch{i}.yaml"
            patches.append(entry)
        if patches:
            self.k["patches"] = patches
        if r.random() < 0.1:
            o = self.pick()
            self.k["patchesStrategicMerge"] = [self.dump(self.merge_patch(o, True))]
        if r.random() < 0.1:
            o = self.pick()
            self.k["patchesJson6902"] = [
                {
                    "target": {"kind": o["kind"], "name": name_of(o), "version": "v1"},
                    "patch": self.dump(self.json_patch()),
                }
            ]

    def generators(self) -> None:
        r = self.rnd
        if r.random() < 0.4:
            args: dict = {
                "name": r.choice(["gen", "settings"]),
                "literals": ["a=1", "b=x y", "c='q'"],
            }
            o = self.pick("ConfigMap")
            if o and r.random() < 0.4:
                args["name"] = name_of(o)
                args["behavior"] = r.choice(["merge", "replace"])
                if (o.get("metadata") or {}).get("namespace"):
                    args["namespace"] = o["metadata"]["namespace"]
            if r.random() < 0.3:
                self.files["some.txt"] = r.choice(
                    ["line\n", "no end", "tab\there\n", "a \nb\n", ""]
                )
                args["files"] = [r.choice(["some.txt", "key=some.txt"])]
            if r.random() < 0.3:
                self.files["env.txt"] = "# c\nK=v\n E = x \nEMPTY=\nNOEQ\n"
                args["envs"] = ["env.txt"]
            if r.random() < 0.3:
                args["options"] = {"disableNameSuffixHash": True, "labels": {"g": "h"}}
            self.k["configMapGenerator"] = [args]
        if r.random() < 0.3:
            self.k["secretGenerator"] = [
                {
                    "name": "sec",
                    "literals": ["p=" + "x" * r.choice([3, 60, 200])],
                    "type": r.choice(["Opaque", "my/type"]),
                }
            ]
        if r.random() < 0.2:
            self.k["generatorOptions"] = {"annotations": {"go": "x"}, "immutable": r.random() < 0.5}

    def replacements(self) -> None:
        r = self.rnd
        source, goal = self.pick(), self.pick()
        if not source or r.random() < 0.6:
            return
        entry: dict = {
            "source": {
                "kind": source["kind"],
                "name": name_of(source),
                "fieldPath": r.choice(["metadata.name", "kind", "metadata.namespace"]),
            },
            "targets": [
                {
                    "select": self.target(goal),
                    "fieldPaths": r.choice(
                        [
                            ["metadata.annotations.from"],
                            ["metadata.labels.app"],
                            ["spec.template.spec.containers.0.image"],
                            ["spec.template.spec.containers.[name=.*].image"],
                            ["spec.ports.*.name"],
                            ["metadata.annotations.[example.com/x]"],
                        ]
                    ),
                    "options": {"create": r.random() < 0.7},
                }
            ],
        }
        if r.random() < 0.2:
            entry["targets"][0]["options"].update({"delimiter": ":", "index": r.choice([-1, 0, 1])})
        if r.random() < 0.2:
            entry.pop("source")
            entry["sourceValue"] = r.choice(["v", "80", "true"])
        self.k["replacements"] = [entry]

    def misc(self) -> None:
        r = self.rnd
        if r.random() < 0.1:
            self.k["buildMetadata"] = r.sample(
                ["originAnnotations", "transformerAnnotations", "managedByLabel"], r.randint(1, 3)
            )
        if r.random() < 0.1:
            self.k["sortOptions"] = r.choice([{"order": "fifo"}, {"order": "legacy"}])

    def write(self, name: str) -> None:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in self.files.items():
            (folder / file).write_text(text)
        (folder / "kustomization.yaml").write_text(yaml.safe_dump(self.k, sort_keys=False))

    def make(self, name: str) -> None:
        for step in (
            self.names,
            self.labels,
            self.images,
            self.replicas,
            self.patches,
            self.generators,
            self.replacements,
            self.misc,
        ):
            if self.rnd.random() < 0.6:
                step()
        self.component_in(name)
        self.write(name)

    def component_in(self, name: str) -> None:
        if self.rnd.random() > 0.25:
            return
        inner = Overlay(self.rnd, self.folder / name, self.base, self.objects)
        inner.k = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}
        for step in (inner.labels, inner.patches, inner.images, inner.generators):
            if self.rnd.random() < 0.5:
                step()
        inner.k.setdefault("commonAnnotations", {"component": "yes"})
        inner.write("component")
        self.k["components"] = ["component"]


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
            overlay = Overlay(rnd, work, "../input/" + case["path"], objects_of(text))
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
