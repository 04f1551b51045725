# SPDX-License-Identifier: Apache-2.0
"""A cluster as somebody sees it who may use some of its namespaces and nothing else."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import yaml

from harness.app import CONTROL_NAMESPACE
from harness.kube import Kube
from harness.people import Person
from harness.server import Server

GROUP = "rbac.authorization.k8s.io"


def _coded(text: str) -> str:
    return b64encode(text.encode()).decode()


class LimitedCluster:
    """A cluster Secret whose user has all rights in the namespaces that it was let into.

    With a real control plane it is that one, seen by a service account; else it is Taut's own
    home, seen by a user of it.
    """

    def __init__(self, server: Server, name: str, account_namespace: str) -> None:
        self.name = name
        self.home = server.home
        self.kube: Kube = server.target if server.plane else server.home
        if server.plane:
            self.subject: dict[str, Any] = {
                "kind": "ServiceAccount",
                "name": name,
                "namespace": account_namespace,
            }
            accounts = f"/api/v1/namespaces/{account_namespace}/serviceaccounts"
            self.kube.request("POST", accounts, {"metadata": {"name": name}})
            asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
            answer = self.kube.request("POST", f"{accounts}/{name}/token", asked)
            self.token: str = answer["status"]["token"]
        else:
            self.subject = {"kind": "User", "name": name, "apiGroup": GROUP}
            self.token = str(Person(server, name).kube.token)

    def let_into(self, namespace: str) -> None:
        base = f"/apis/{GROUP}/v1/namespaces/{namespace}"
        rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
        self.kube.request(
            "POST", f"{base}/roles", {"metadata": {"name": self.name}, "rules": rules}
        )
        self.kube.request(
            "POST",
            f"{base}/rolebindings",
            {
                "metadata": {"name": self.name},
                "roleRef": {"apiGroup": GROUP, "kind": "Role", "name": self.name},
                "subjects": [self.subject],
            },
        )

    def write_secret(self, **data: str) -> None:
        """Makes the cluster Secret, or changes it; more keys of its data as keywords."""
        config = yaml.safe_load(self.kube.kubeconfig.read_text())
        server = self.kube.server.geturl()
        ca = next(
            c["cluster"]["certificate-authority-data"]
            for c in config["clusters"]
            if c["cluster"]["server"] == server
        )
        access = {"bearerToken": self.token, "tlsClientConfig": {"caData": ca}}
        data = {"name": self.name, "server": server, "config": json.dumps(access), **data}
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": f"cluster-{self.name}",
                "namespace": CONTROL_NAMESPACE,
                "labels": {"argocd.argoproj.io/secret-type": "cluster"},
            },
            "data": {key: _coded(value) for key, value in data.items()},
        }
        self.home.delete("Secret", CONTROL_NAMESPACE, f"cluster-{self.name}")
        self.home.create(secret)

    def change_secret(self, **data: str) -> None:
        self.home.patch(
            "Secret",
            CONTROL_NAMESPACE,
            f"cluster-{self.name}",
            {"data": {key: _coded(value) for key, value in data.items()}},
        )

    def remove(self) -> None:
        self.home.delete("Secret", CONTROL_NAMESPACE, f"cluster-{self.name}")
