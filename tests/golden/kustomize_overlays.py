# SPDX-License-Identifier: Apache-2.0
"""Made-up overlays over a base whose objects are known. The same seed makes the same overlay."""

from __future__ import annotations

import json
import random
from pathlib import Path

import yaml

KINDS_WITH_PODS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicaSet")


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

    def safe_operations(self, o: dict) -> list[dict]:
        """Operations that apply to this object."""
        r = self.rnd
        path = "/spec/template/spec/containers/0"
        safe = [
            {"op": "add", "path": "/metadata/labels", "value": {"p": "q", "app": "z"}},
            {"op": "add", "path": "/metadata/annotations/x~1y", "value": r.choice(["1", "a b"])},
            {"op": "replace", "path": "/metadata/name", "value": r.choice(["renamed", "web"])},
            {"op": "test", "path": "/kind", "value": o["kind"]},
            {"op": "copy", "from": "/kind", "path": "/metadata/generation"},
        ]
        if isinstance(o.get("spec"), dict):
            safe.append(
                {"op": "add", "path": "/spec/extra", "value": {"a": 1.50, "b": [None, "x"]}}
            )
            safe.append(
                {"op": "replace", "path": "/spec/replicas", "value": r.choice([3, "3", 1e3])}
            )
            safe += [{"op": "remove", "path": f"/spec/{key}"} for key in list(o["spec"])[:1]]
        if o["kind"] in KINDS_WITH_PODS and o["kind"] != "CronJob" and containers(o):
            safe.append({"op": "replace", "path": path + "/image", "value": "x:y"})
            safe.append({"op": "add", "path": path + "/args", "value": ["-a", 1, True]})
            safe.append({"op": "add", "path": path[:-1] + "-", "value": {"name": "added"}})
            safe.append({"op": "move", "from": path + "/name", "path": path + "/other"})
        return r.sample(safe, r.randint(1, min(3, len(safe))))

    def json_patch(self, o: dict) -> list[dict]:
        r = self.rnd
        if r.random() < 0.85:
            return self.safe_operations(o)
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
                entry: dict = {"target": self.target(o), "patch": self.dump(self.json_patch(o))}
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
                    "patch": self.dump(self.json_patch(o)),
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

    def configurations(self) -> None:
        """Field specs of one's own, some of them the built-in ones again."""
        r = self.rnd
        kind = self.pick()["kind"]
        config: dict = {}
        if r.random() < 0.4:
            config["nameReference"] = [
                {
                    "kind": r.choice(["ConfigMap", "Secret", "Service", kind]),
                    "fieldSpecs": [
                        {"kind": kind, "path": r.choice(["spec/ref", "spec/refs/name", "spec/x"])},
                        {"path": "metadata/annotations/ref"},
                    ],
                }
            ]
        if r.random() < 0.3:
            config["commonLabels"] = [
                {"path": "spec/labels", "create": r.random() < 0.5, "kind": kind}
            ]
        if r.random() < 0.3:
            config["commonAnnotations"] = [{"path": "spec/notes", "create": r.random() < 0.5}]
        if r.random() < 0.3:
            config["namePrefix"] = [{"path": "spec/ref", "kind": kind}]
        if r.random() < 0.3:
            config["namespace"] = [{"path": "spec/namespace", "create": r.random() < 0.3}]
        if r.random() < 0.3:
            config["images"] = [{"path": r.choice(["spec/image", "spec/images[]/image"])}]
        if r.random() < 0.3:
            config["replicas"] = [{"path": "spec/size", "create": True, "kind": kind}]
        if r.random() < 0.5:
            config["varReference"] = [{"path": r.choice(["spec/ref", "data", "spec/args"])}]
        self.files["config.yaml"] = yaml.safe_dump(config)
        self.k["configurations"] = ["config.yaml"]

    def vars(self) -> None:
        r = self.rnd
        made = []
        for i in range(r.randint(1, 3)):
            o = self.pick()
            objref = {"apiVersion": o.get("apiVersion"), "kind": o["kind"], "name": name_of(o)}
            if (o.get("metadata") or {}).get("namespace") and r.random() < 0.5:
                objref["namespace"] = o["metadata"]["namespace"]
            one: dict = {"name": f"VAR_{i}", "objref": objref}
            if r.random() < 0.6:
                path = r.choice(
                    ["metadata.namespace", "spec.replicas", "kind", "spec.ports[0].port"]
                )
                one["fieldref"] = {"fieldpath": path}
            made.append(one)
        self.k["vars"] = made
        o = self.pick()
        note = r.choice(["$(VAR_0)", "a-$(VAR_1)-b", "$$(VAR_0)", "$(NONE) $(VAR_0)"])
        patch = {
            "apiVersion": o.get("apiVersion"),
            "kind": o["kind"],
            "metadata": {"name": name_of(o), "annotations": {"var": note}},
        }
        self.k.setdefault("patches", []).append(
            {"patch": yaml.safe_dump(patch), "target": {"kind": o["kind"], "name": name_of(o)}}
        )

    def plugin(self) -> dict:
        r = self.rnd
        o = self.pick()
        specs = [{"path": r.choice(["metadata/name", "spec/x", "metadata/labels"]), "create": True}]
        rows: list[dict] = [
            {
                "kind": "PrefixTransformer",
                "prefix": "q-",
                "fieldSpecs": [{"path": "metadata/name"}],
            },
            {
                "kind": "SuffixTransformer",
                "suffix": "-q",
                "fieldSpecs": [{"path": "metadata/name"}],
            },
            {
                "kind": "LabelTransformer",
                "labels": {"plug": r.choice(["a", "1"])},
                "fieldSpecs": [{"path": "metadata/labels", "create": True}],
            },
            {
                "kind": "AnnotationsTransformer",
                "annotations": {"plug": "b"},
                "fieldSpecs": [{"path": "metadata/annotations", "create": True}],
            },
            {
                "kind": "NamespaceTransformer",
                "metadata": {"name": "x", "namespace": "plugged"},
                "unsetOnly": r.random() < 0.5,
                "setRoleBindingSubjects": r.choice(["none", "defaultOnly", "allServiceAccounts"]),
                "fieldSpecs": [{"path": "metadata/name", "kind": "Namespace"}],
            },
            {
                "kind": "ImageTagTransformer",
                "imageTag": {"name": "nginx", "newTag": "plug"},
                "fieldSpecs": [{"path": "spec/template/spec/containers[]/image"}],
            },
            {
                "kind": "ReplicaCountTransformer",
                "replica": {"name": name_of(o), "count": 7},
                "fieldSpecs": [{"path": "spec/replicas", "create": True, "kind": o["kind"]}],
            },
            {
                "kind": "PatchTransformer",
                "target": self.target(o),
                "patch": self.dump(
                    self.json_patch(o) if r.random() < 0.5 else self.merge_patch(o, False)
                ),
            },
            {
                "kind": "PatchJson6902Transformer",
                "target": {"kind": o["kind"], "name": name_of(o)},
                "jsonOp": json.dumps(self.json_patch(o)),
            },
            {
                "kind": "PatchStrategicMergeTransformer",
                "patches": self.dump(self.merge_patch(o, True)),
            },
            {
                "kind": "ValueAddTransformer",
                "value": r.choice(["v", "1"]),
                "targets": [{"fieldPath": "metadata/annotations/added"}, {"fieldPath": "spec/x"}],
            },
            {"kind": "HashTransformer"},
            {"kind": "AnnotationsTransformer", "annotations": {"c": "d"}, "fieldSpecs": specs},
        ]
        document = r.choice(rows)
        return {"apiVersion": "builtin", "metadata": {"name": "p"}, **document}

    def plugins(self) -> None:
        r = self.rnd
        if r.random() < 0.8:
            documents = [self.plugin() for _ in range(r.randint(1, 2))]
            for i, document in enumerate(documents):
                document["metadata"] = {**document["metadata"], "name": f"p{i}"}
            if r.random() < 0.5:
                self.k["transformers"] = [yaml.safe_dump(d) for d in documents]
            else:
                self.files["plugins.yaml"] = yaml.safe_dump_all(documents)
                self.k["transformers"] = ["plugins.yaml"]
        if r.random() < 0.4:
            made = {
                "apiVersion": "builtin",
                "kind": r.choice(["ConfigMapGenerator", "SecretGenerator"]),
                "metadata": {"name": "made", **({"namespace": "gns"} if r.random() < 0.4 else {})},
                "literals": ["x=y", "z=1"],
            }
            if r.random() < 0.4:
                made["options"] = {"disableNameSuffixHash": True}
            self.files["generator.yaml"] = yaml.safe_dump(made)
            self.k["generators"] = ["generator.yaml"]

    def many_replacements(self) -> None:
        r = self.rnd
        entries = []
        for _ in range(r.randint(1, 3)):
            source, goal = self.pick(), self.pick()
            paths = [
                "metadata.name",
                "metadata.annotations.note",
                "metadata.annotations.[a.b/c]",
                "metadata.labels",
                "spec.template.spec.containers.0.image",
                "spec.template.spec.containers.*.env.[name=A].value",
                "spec.template.spec.containers.[name=.*].args.0",
                "spec.ports.0.port",
                "spec.ports.[port=80].name",
                "spec.rules.0.host",
                "spec.x.y",
                "data.key",
                "spec.replicas",
                "spec.list.-",
                "spec.list.1",
            ]
            entry: dict = {
                "source": {
                    "kind": source["kind"],
                    "fieldPath": r.choice(paths if r.random() < 0.3 else ["metadata.name", "kind"]),
                },
                "targets": [],
            }
            if r.random() < 0.8:
                entry["source"]["name"] = name_of(source)
            if r.random() < 0.2:
                entry["source"]["options"] = {"delimiter": r.choice([":", "/", "-"]), "index": 0}
            for _ in range(r.randint(1, 2)):
                one: dict = {"select": self.target(goal), "fieldPaths": r.sample(paths, 2)}
                if r.random() < 0.3:
                    one["reject"] = [{"name": name_of(self.pick())}]
                if r.random() < 0.85:
                    one["options"] = {"create": True}
                if r.random() < 0.2:
                    one.setdefault("options", {}).update(
                        {"delimiter": r.choice([":", "-", "."]), "index": r.choice([-1, 0, 1, 9])}
                    )
                entry["targets"].append(one)
            entries.append(entry)
        if r.random() < 0.3:
            self.files["replacement.yaml"] = yaml.safe_dump(
                entries if r.random() < 0.5 else entries[0]
            )
            self.k["replacements"] = [{"path": "replacement.yaml"}]
        else:
            self.k["replacements"] = entries

    def misc(self) -> None:
        r = self.rnd
        # Namespaces of several groups have no order of their own in kustomize: Go's sort decides.
        spaces = {o.get("apiVersion") for o in self.objects if o["kind"] == "Namespace"}
        if r.random() < 0.15 and len(spaces) < 2:
            self.k["sortOptions"] = {
                "order": "legacy",
                "legacySortOptions": {
                    "orderFirst": r.sample(["ConfigMap", "Service", "Deployment", "X"], 2),
                    "orderLast": r.sample(["Namespace", "Secret", "Role"], 1),
                },
            }
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
        for step in (self.configurations, self.vars, self.plugins, self.many_replacements):
            if self.rnd.random() < 0.15:
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
        if self.rnd.random() < 0.3:
            deeper = Overlay(self.rnd, self.folder / name, self.base, self.objects)
            deeper.k = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}
            deeper.names()
            deeper.patches()
            deeper.k.setdefault("commonLabels", {"deeper": "yes"})
            deeper.write("deeper")
            inner.k["components"] = ["../deeper"]
        inner.write("component")
        self.k["components"] = ["component"]
