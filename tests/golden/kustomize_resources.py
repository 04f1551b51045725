# SPDX-License-Identifier: Apache-2.0
"""Made-up resources that name each other, written in odd YAML. The same seed makes the same text."""

from __future__ import annotations

import random

NAMES = ["web", "db", "web-1", "Web.x", "default", "a.b"]
NAMESPACES = ["", "", "ns-1", "default", "other"]
PLAIN = ["x", "a b", "http://h:80/p?q=1", "a#b", "é", "x:y", "-x", "1.2.3", "v1", "=", "a'b", "%x"]
TYPED = [
    "1",
    "0",
    "-7",
    "1.50",
    "1e3",
    "0x1F",
    "0o17",
    "012",
    "1_000",
    "true",
    "False",
    "~",
    "null",
]
TYPED += [
    "2020-01-02",
    "12:30",
    "yes",
    "on",
    "n",
    ".5",
    "+1",
    "1e400",
    "123456789012345678901",
    "1.",
]
QUOTED = [
    "1",
    "true",
    "null",
    "",
    " x",
    "x ",
    "a: b",
    "# c",
    "yes",
    "1e3",
    "0x1",
    "2020-01-01",
    "~",
]
LONG = "word " * 30


class Writer:
    """Objects as YAML text, in block or flow style, with comments and odd spaces."""

    def __init__(self, rnd: random.Random) -> None:
        self.rnd = rnd

    def scalar(self, value: object, in_flow: bool) -> str:
        r = self.rnd
        if isinstance(value, tuple):  # as it is to stand there
            return value[0]
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int):
            return str(value)
        text = str(value)
        if r.random() < 0.3:
            return "'" + text.replace("'", "''") + "'"
        plain = all(c.isalnum() or c in "-._/" for c in text) and text[:1].isalpha()
        reserved = text.lower() in ("true", "false", "null", "yes", "no", "on", "off", "y", "n")
        if plain and not reserved and not in_flow:
            return text
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

    def flow(self, value: object) -> str:
        if isinstance(value, dict):
            inner = ", ".join(f"{self.scalar(k, True)}: {self.flow(v)}" for k, v in value.items())
            return "{" + inner + "}"
        if isinstance(value, list):
            return "[" + ", ".join(self.flow(v) for v in value) + "]"
        return self.scalar(value, True)

    def comment(self) -> str:
        return self.rnd.choice(["", "", "", "", "", " # note", "  #x"])

    def block(self, value: object, indent: int) -> str:
        """Text behind "key:" or "-", with its line's end."""
        r = self.rnd
        pad = " " * indent
        if isinstance(value, (dict, list)) and (not value or r.random() < 0.12):
            return " " + self.flow(value) + self.comment() + "\n"
        if isinstance(value, dict):
            rows = [
                f"{pad}{self.scalar(k, False)}:{self.block(v, indent + 2)}"
                for k, v in value.items()
            ]
            return self.comment() + "\n" + "".join(rows)
        if isinstance(value, list):
            step = indent if r.random() < 0.5 else indent - 2
            rows = [f"{' ' * step}-{self.item(v, step + 2)}" for v in value]
            return self.comment() + "\n" + "".join(rows)
        if isinstance(value, str) and "\n" in value and r.random() < 0.7:
            return self.text(value, pad)
        return " " + self.scalar(value, False) + self.comment() + "\n"

    def text(self, value: str, pad: str) -> str:
        mark = self.rnd.choice(["|", "|", ">"]) + ("" if value.endswith("\n") else "-")
        lines = value.rstrip("\n").split("\n")
        return f" {mark}\n" + "".join(f"{pad}{line}\n" if line else "\n" for line in lines)

    def item(self, value: object, indent: int) -> str:
        if isinstance(value, dict) and value and self.rnd.random() < 0.8:
            first = True
            text = ""
            for k, v in value.items():
                text += (" " if first else " " * indent) + f"{self.scalar(k, False)}:"
                text += self.block(v, indent + 2)
                first = False
            return text
        if isinstance(value, (dict, list)):
            return " " + self.flow(value) + "\n"
        return " " + self.scalar(value, False) + "\n"

    def document(self, value: dict) -> str:
        return "".join(f"{self.scalar(k, False)}:{self.block(v, 2)}" for k, v in value.items())


def odd_value(r: random.Random) -> object:
    choice = r.random()
    if choice < 0.3:
        return (r.choice(TYPED),)
    if choice < 0.5:
        return r.choice(QUOTED)
    if choice < 0.8:
        return r.choice(PLAIN)
    return r.choice(
        [LONG, "a\nb\n", "a\nb", "\nx", "a \nb", "  lead\nx\n", "tab\tx", "x\n\n", "😀", "\u2028"]
    )


def odd_map(r: random.Random, depth: int = 0) -> dict:
    made: dict = {}
    for _ in range(r.randint(0, 4)):
        key = r.choice(
            ["k", "a10", "a2", "A", "z-1", "x.y/z", "1st", "_u", "é", "key with space", "on"]
        )
        choice = r.random()
        if choice < 0.2 and depth < 3:
            made[key] = odd_map(r, depth + 1)
        elif choice < 0.4 and depth < 3:
            made[key] = [odd_value(r) for _ in range(r.randint(0, 3))]
        elif choice < 0.5 and depth < 3:
            made[key] = [{"name": r.choice(NAMES), **odd_map(r, depth + 2)} for _ in range(2)]
        else:
            made[key] = odd_value(r)
    return made


def pod(r: random.Random) -> dict:
    name = r.choice
    container: dict = {
        "name": name(["c", "main"]),
        "image": name(["nginx", "nginx:1.7", "reg:5000/nginx@sha256:" + "a" * 64, "nginx:1"]),
        "env": [
            {"name": "A", "value": odd_value(r)},
            {"name": "B", "valueFrom": {"configMapKeyRef": {"name": name(NAMES), "key": "k"}}},
            {"name": "C", "valueFrom": {"secretKeyRef": {"name": name(NAMES), "key": "k"}}},
        ][: r.randint(0, 3)],
        "args": ["$(VAR_0)", "--x=$(VAR_1)"][: r.randint(0, 2)],
        "ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}][
            : r.randint(0, 2)
        ],
        "envFrom": [{"configMapRef": {"name": name(NAMES)}}],
    }
    return {
        "serviceAccountName": name(NAMES),
        "containers": [container],
        "initContainers": [{"name": "i", "image": "nginx"}][: r.randint(0, 1)],
        "volumes": [
            {"name": "v", "configMap": {"name": name(NAMES)}},
            {"name": "s", "secret": {"secretName": name(NAMES)}},
            {"name": "p", "persistentVolumeClaim": {"claimName": name(NAMES)}},
        ][: r.randint(0, 3)],
        "imagePullSecrets": [{"name": name(NAMES)}],
    }


def template(r: random.Random) -> dict:
    labels = {"labels": {"app": r.choice(["x", "y"])}} if r.random() < 0.7 else {}
    return {"metadata": labels, "spec": pod(r)}


def binding(r: random.Random) -> dict:
    kinds = ["ServiceAccount", "ServiceAccount", "User", "Group"]
    subjects = [
        {
            "kind": r.choice(kinds),
            "name": r.choice(NAMES),
            **({"namespace": "ns-1"} if r.random() < 0.5 else {}),
        }
        for _ in range(r.randint(1, 2))
    ]
    role = {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": r.choice(["Role", "ClusterRole"]),
        "name": r.choice(NAMES),
    }
    return {"subjects": subjects, "roleRef": role}


def body(r: random.Random, kind: str) -> tuple[str, dict]:
    """apiVersion and the fields beside metadata."""
    if kind in ("Deployment", "StatefulSet", "DaemonSet"):
        spec: dict = {"selector": {"matchLabels": {"app": "x"}}, "template": template(r)}
        if r.random() < 0.5:
            spec["replicas"] = r.choice([1, 2, ("null",)])
        if kind == "StatefulSet":
            spec["serviceName"] = r.choice(NAMES)
            claim = {"metadata": {"name": "data"}, "spec": {"storageClassName": r.choice(NAMES)}}
            spec["volumeClaimTemplates"] = [claim]
        return "apps/v1", {"spec": spec}
    if kind == "CronJob":
        job = {"jobTemplate": {"spec": {"template": template(r)}}, "schedule": "* * * * *"}
        return r.choice(["batch/v1", "batch/v1beta1"]), {"spec": job}
    if kind == "Pod":
        return "v1", {"spec": pod(r)}
    if kind == "ConfigMap":
        return "v1", {"data": odd_map(r, 9)}
    if kind == "Secret":
        return "v1", {"type": "Opaque", "stringData": odd_map(r, 9)}
    if kind == "Service":
        return "v1", {"spec": {"selector": {"app": "x"}, "ports": [{"port": 80, "name": "p"}]}}
    if kind == "Ingress":
        service = {"service": {"name": r.choice(NAMES), "port": {"number": 80}}}
        rule = {"host": "$(VAR_0)", "http": {"paths": [{"path": "/", "backend": service}]}}
        tls = [{"secretName": r.choice(NAMES), "hosts": ["a.example"]}]
        return "networking.k8s.io/v1", {"spec": {"rules": [rule], "tls": tls}}
    if kind in ("RoleBinding", "ClusterRoleBinding"):
        return "rbac.authorization.k8s.io/v1", binding(r)
    if kind in ("Role", "ClusterRole"):
        rule = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [r.choice(NAMES)]}
        return "rbac.authorization.k8s.io/v1", {"rules": [{**rule, "verbs": ["get"]}]}
    if kind == "HorizontalPodAutoscaler":
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": r.choice(NAMES)}
        return "autoscaling/v2", {"spec": {"scaleTargetRef": target, "maxReplicas": 2}}
    if kind == "NetworkPolicy":
        peer = {"podSelector": {"matchLabels": {"app": "x"}}}
        spec = {"podSelector": {"matchLabels": {}}, "ingress": [{"from": [peer]}]}
        return "networking.k8s.io/v1", {"spec": spec}
    if kind == "Thing":
        spec = {**odd_map(r), "ref": r.choice(NAMES), "image": "nginx:1", "x": odd_map(r, 2)}
        return "example.com/v1", {"spec": spec}
    return "v1", {}


KINDS = [
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "CronJob",
    "Pod",
    "ConfigMap",
    "ConfigMap",
    "Secret",
]
KINDS += ["Service", "Ingress", "RoleBinding", "ClusterRoleBinding", "Role", "ClusterRole", "Thing"]
KINDS += ["HorizontalPodAutoscaler", "NetworkPolicy", "Namespace", "ServiceAccount", "Thing"]
KINDS += ["PersistentVolumeClaim"]


def odd_resource(r: random.Random) -> dict:
    kind = r.choice(KINDS)
    api_version, fields = body(r, kind)
    metadata: dict = {"name": r.choice(NAMES)}
    namespace = r.choice(NAMESPACES)
    if namespace and r.random() < 0.7:
        metadata["namespace"] = namespace
    if r.random() < 0.3:
        metadata["labels"] = r.choice(
            [{"app": "x"}, {}, None, {"a": ("1",)}, {"app": "y", "t": "u"}]
        )
    if r.random() < 0.3:
        metadata["annotations"] = r.choice(
            [{"note": "$(VAR_0)"}, {}, None, {"a": (r.choice(TYPED),)}, {"ref": "web", "b": "true"}]
        )
    document = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}
    if r.random() < 0.2:
        keys = list(document)
        r.shuffle(keys)
        document = {k: document[k] for k in keys}
    return document


def odd_resources(r: random.Random) -> str:
    """A file of several documents; their ids differ, most of the time."""
    seen = set()
    texts = []
    for _ in range(r.randint(1, 8)):
        made = odd_resource(r)
        key = (made["kind"], made["metadata"]["name"], made["metadata"].get("namespace"))
        if key in seen and r.random() < 0.95:
            continue
        seen.add(key)
        texts.append(Writer(r).document(made))
    separator = r.choice(["---\n", "---\n", "--- \n", "---\n---\n", "--- # next\n"])
    return r.choice(["", "", "---\n", "# head\n"]) + separator.join(texts)
