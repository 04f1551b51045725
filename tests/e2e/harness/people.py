# SPDX-License-Identifier: Apache-2.0
"""People who ask: users with tokens and sessions, and what they are shown while an answer is open."""

from __future__ import annotations

import hashlib
import http.client
import json
import secrets
from base64 import b64encode
from typing import Any

from harness.kube import Kube
from harness.server import Server


def coded(text: str) -> str:
    return b64encode(text.encode()).decode()


class Person:
    """A user that kubectl made: a Secret with a token's hash."""

    def __init__(self, server: Server, name: str) -> None:
        self.name = name
        self.home = server.home
        token = secrets.token_urlsafe(32)
        self.home.create(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "type": "taut.dev/user",
                "metadata": {
                    "name": f"user-{name}",
                    "namespace": "taut-system",
                    "labels": {"taut.dev/user": name},
                },
                "data": {"token.test": coded(hashlib.sha256(token.encode()).hexdigest())},
            }
        )
        self.kube = Kube(server.kubeconfig, "home")
        self.kube.token = token

    def bind(self, devops: str, role: str) -> None:
        group = "rbac.authorization.k8s.io"
        self.home.request(
            "POST",
            f"/apis/{group}/v1/namespaces/{devops}/rolebindings",
            {
                "apiVersion": f"{group}/v1",
                "kind": "RoleBinding",
                "metadata": {"name": self.name},
                "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
                "subjects": [{"apiGroup": group, "kind": "User", "name": self.name}],
            },
        )

    def unbind(self, devops: str) -> None:
        group = "rbac.authorization.k8s.io"
        self.home.request(
            "DELETE", f"/apis/{group}/v1/namespaces/{devops}/rolebindings/{self.name}"
        )

    def patch(self, data: dict[str, str | None]) -> None:
        self.home.patch("Secret", "taut-system", f"user-{self.name}", {"data": data})


class Browser:
    """A session as a browser has it: a cookie, and the header that writes carry."""

    def __init__(self, server: Server, name: str, password: str) -> None:
        self.at = server.home
        self.cookie = ""
        status, headers, _ = self.raw(
            "POST", "/taut/v1/session", {"username": name, "password": password}
        )
        self.status = status
        self.cookie = (headers.get("Set-Cookie") or "").split(";")[0]

    def raw(self, method: str, path: str, body: Any = None) -> tuple[int, Any, Any]:
        connection = http.client.HTTPSConnection(
            str(self.at.server.hostname), self.at.server.port, context=self.at.tls, timeout=60
        )
        headers = {"Content-Type": "application/json", "X-Taut-Request": "1"}
        if self.cookie:
            headers["Cookie"] = self.cookie
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        return answer.status, answer.headers, json.loads(text) if text[:1] == b"{" else text

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        status, _, answer = self.raw(method, path, body)
        assert status < 300, (method, path, status, answer)
        return answer

    def status_of(self, method: str, path: str, body: Any = None) -> int:
        return self.raw(method, path, body)[0]

    def refusal(self, method: str, path: str, body: Any = None) -> str:
        status, _, answer = self.raw(method, path, body)
        assert status >= 400, (method, path, status, answer)
        return f"{status} {answer.get('message')}"


class Open:
    """A watch that stays open; `ended` reads until the server ends it."""

    def __init__(self, kube: Kube, path: str, within: float = 30) -> None:
        self.connection = http.client.HTTPSConnection(
            str(kube.server.hostname), kube.server.port, context=kube.tls, timeout=within
        )
        headers = {"Authorization": f"Bearer {kube.token}"}
        self.connection.request("GET", path, headers=headers)
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.read()

    def first(self) -> Any:
        return json.loads(self.answer.readline())

    def ended(self) -> bool:
        """True once the server has ended it; TimeoutError when it goes on."""
        try:
            while self.answer.readline():
                pass
        except (http.client.IncompleteRead, ConnectionError):
            pass
        finally:
            self.connection.close()
        return True
