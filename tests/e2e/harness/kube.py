# SPDX-License-Identifier: Apache-2.0
"""A small Kubernetes client and a kubectl runner, both fed by a kubeconfig."""

from __future__ import annotations

import base64
import http.client
import json
import os
import ssl
import subprocess
import tempfile
import urllib.parse
from pathlib import Path
from typing import Any

import yaml

import build

Object = dict[str, Any]
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"

# kind → (prefix, plural, namespaced)
KINDS: dict[str, tuple[str, str, bool]] = {
    "Application": ("/apis/argoproj.io/v1alpha1", "applications", True),
    "AppProject": ("/apis/argoproj.io/v1alpha1", "appprojects", True),
    "ClusterRole": ("/apis/rbac.authorization.k8s.io/v1", "clusterroles", False),
    "ConfigMap": ("/api/v1", "configmaps", True),
    "CustomResourceDefinition": (
        "/apis/apiextensions.k8s.io/v1",
        "customresourcedefinitions",
        False,
    ),
    "Deployment": ("/apis/apps/v1", "deployments", True),
    "Job": ("/apis/batch/v1", "jobs", True),
    "Namespace": ("/api/v1", "namespaces", False),
    "Pod": ("/api/v1", "pods", True),
    "ReplicaSet": ("/apis/apps/v1", "replicasets", True),
    "Secret": ("/api/v1", "secrets", True),
    "Service": ("/api/v1", "services", True),
    "Widget": ("/apis/tests.taut.dev/v1", "widgets", True),
}


class KubeError(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Kube:
    """One endpoint. Connections are made per request: a restarted server is never a stale one."""

    def __init__(self, kubeconfig: Path, context: str | None = None) -> None:
        self.kubeconfig = kubeconfig
        self.context = context
        config = yaml.safe_load(kubeconfig.read_text())
        name = context or config["current-context"]
        chosen = next(c["context"] for c in config["contexts"] if c["name"] == name)
        cluster = next(c["cluster"] for c in config["clusters"] if c["name"] == chosen["cluster"])
        user = next(u["user"] for u in config["users"] if u["name"] == chosen["user"])
        self.server = urllib.parse.urlsplit(cluster["server"])
        self.token = user.get("token")
        self.headers: dict[str, str] = {}
        self.tls = _tls(cluster, user)

    def request(
        self, method: str, path: str, body: Any = None, kind: str = "application/json"
    ) -> Any:
        headers = {"Accept": "application/json", "Content-Type": kind, **self.headers}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        connection = http.client.HTTPSConnection(
            str(self.server.hostname), self.server.port, context=self.tls, timeout=60
        )
        try:
            data = None if body is None else json.dumps(body).encode()
            connection.request(method, self.server.path.rstrip("/") + path, data, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        lines = answer.headers.get_content_type() == "application/x-ndjson"
        parsed = json.loads(text) if text[:1] in (b"{", b"[") and not lines else text.decode()
        if answer.status >= 400:
            message = parsed.get("message", "") if isinstance(parsed, dict) else parsed
            raise KubeError(answer.status, message)
        return parsed

    def path(self, kind: str, namespace: str | None = None, name: str | None = None) -> str:
        prefix, plural, namespaced = KINDS[kind]
        if namespaced and namespace:
            prefix += f"/namespaces/{namespace}"
        return f"{prefix}/{plural}" + (f"/{name}" if name else "")

    def get(self, kind: str, namespace: str | None, name: str) -> Object | None:
        """The object, or None where there is none."""
        try:
            return self.request("GET", self.path(kind, namespace, name))
        except KubeError as error:
            if error.code == 404:
                return None
            raise

    def must_get(self, kind: str, namespace: str | None, name: str) -> Object:
        found = self.get(kind, namespace, name)
        assert found is not None, f"there is no {kind} {namespace}/{name}"
        return found

    def list(self, kind: str, namespace: str | None = None, selector: str = "") -> list[Object]:
        query = "?labelSelector=" + urllib.parse.quote(selector) if selector else ""
        return self.request("GET", self.path(kind, namespace) + query)["items"]

    def create(self, obj: Object) -> Object:
        namespace = obj["metadata"].get("namespace")
        return self.request("POST", self.path(obj["kind"], namespace), obj)

    def patch(
        self, kind: str, namespace: str | None, name: str, body: Any, how: str = MERGE
    ) -> Object:
        query = "?fieldManager=somebody"
        return self.request("PATCH", self.path(kind, namespace, name) + query, body, how)

    def delete(self, kind: str, namespace: str | None, name: str) -> None:
        try:
            self.request("DELETE", self.path(kind, namespace, name))
        except KubeError as error:
            if error.code != 404:
                raise

    def kubectl(self, *args: str, stdin: str = "", check: bool = True) -> str:
        """Runs the real kubectl; returns its standard output (and error where it may fail)."""
        command = [str(build.path_of("kubectl")), f"--kubeconfig={self.kubeconfig}"]
        if self.context:
            command.append(f"--context={self.context}")
        home = tempfile.gettempdir() + f"/taut-e2e-kubectl-{os.getpid()}"
        done = subprocess.run(
            [*command, f"--cache-dir={home}", *args],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if check:
            assert done.returncode == 0, f"kubectl {' '.join(args)}: {done.stderr}"
            return done.stdout
        return done.stdout + done.stderr


def _tls(cluster: Object, user: Object) -> ssl.SSLContext:
    ca = cluster.get("certificate-authority-data")
    data = base64.b64decode(ca).decode() if ca else None
    file = cluster.get("certificate-authority")
    context = ssl.create_default_context(cadata=data, cafile=file)
    if user.get("client-certificate-data"):
        with tempfile.NamedTemporaryFile() as pair:
            for key in ("client-certificate-data", "client-key-data"):
                pair.write(base64.b64decode(user[key]))
            pair.flush()
            context.load_cert_chain(pair.name)
    return context


def uid(obj: Object) -> str:
    return obj["metadata"]["uid"]
