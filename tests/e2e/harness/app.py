# SPDX-License-Identifier: Apache-2.0
"""A continuous deployment under test: what its status says, and waiting for it."""

from __future__ import annotations

from typing import Any

from harness.kube import Object
from harness.server import Done, Server
from harness.wait import DEFAULT_SECONDS, eventually

CONTROL_NAMESPACE = "argocd"
FINALIZER = "resources-finalizer.argocd.argoproj.io"


class App:
    def __init__(self, server: Server, name: str, namespace: str) -> None:
        self.server = server
        self.name = name
        self.namespace = namespace  # the project (Kubernetes namespace) it deploys to
        self.last: Object = {}

    # -- what is written down

    def read(self) -> Object:
        self.last = self.server.home.must_get("Application", CONTROL_NAMESPACE, self.name)
        return self.last

    def exists(self) -> bool:
        return self.server.home.get("Application", CONTROL_NAMESPACE, self.name) is not None

    @property
    def status(self) -> Object:
        return self.read().get("status") or {}

    @property
    def sync_status(self) -> str:
        return (self.status.get("sync") or {}).get("status", "")

    @property
    def health(self) -> str:
        return (self.status.get("health") or {}).get("status", "")

    @property
    def conditions(self) -> dict[str, str]:
        return {c["type"]: c["message"] for c in self.status.get("conditions") or []}

    @property
    def operation(self) -> Object:
        return self.status.get("operationState") or {}

    @property
    def history(self) -> list[Object]:
        return self.status.get("history") or []

    def resource(self, kind: str, name: str) -> Object:
        """The row of one object in status.resources; empty where there is none."""
        for row in self.status.get("resources") or []:
            if row["kind"] == kind and row["name"] == name:
                return row
        return {}

    def result(self, kind: str, name: str) -> Object:
        """The row of one object in the result of the last sync."""
        for row in (self.operation.get("syncResult") or {}).get("resources") or []:
            if row["kind"] == kind and row["name"] == name:
                return row
        return {}

    def brief(self) -> str:
        """One line for a failed wait."""
        status = self.last.get("status") or {}
        state = status.get("operationState") or {}
        rows = [
            f"{r['kind']}/{r['name']}={r.get('status')}/{(r.get('health') or {}).get('status')}"
            for r in (status.get("resources") or [])[:8]
        ]
        return (
            f"sync={status.get('sync')} health={status.get('health')}"
            f" conditions={status.get('conditions')} operation={state.get('phase')}:"
            f" {state.get('message')} pending={self.last.get('operation')} {' '.join(rows)}"
        )

    # -- waiting

    def wait(
        self,
        *,
        sync: str | None = None,
        health: str | None = None,
        revision: str | None = None,
        phase: str | None = None,
        within: float = DEFAULT_SECONDS,
    ) -> None:
        """Until all that is asked for holds at once, and no operation is under way (unless
        a phase is asked for)."""

        def settled() -> bool:
            status = self.status
            state = status.get("operationState") or {}
            found = status.get("sync") or {}
            assert sync is None or found.get("status") == sync, self.brief()
            assert revision is None or found.get("revision") == revision, self.brief()
            healthy = (status.get("health") or {}).get("status")
            assert health is None or healthy == health, self.brief()
            if phase is not None:
                assert state.get("phase") == phase, self.brief()
            else:
                assert state.get("phase") not in ("Running", "Terminating"), self.brief()
                assert "operation" not in self.last, self.brief()
            return True

        eventually(settled, within=within, what=f"{self.name}: {sync} {health} {phase or ''}")

    def wait_synced(self, revision: str | None = None, within: float = DEFAULT_SECONDS) -> None:
        self.wait(sync="Synced", health="Healthy", revision=revision, within=within)

    def wait_condition(self, kind: str, within: float = DEFAULT_SECONDS) -> str:
        def found() -> str:
            conditions = self.conditions
            assert kind in conditions, self.brief()
            return conditions[kind]

        return eventually(found, within=within, what=f"{self.name}: condition {kind}")

    def wait_operation(self, phase: str, revision: str | None = None) -> Object:
        """Until the last operation has ended with this phase (and was for this revision)."""

        def ended() -> Object:
            state = self.operation
            result = state.get("syncResult") or {}
            assert "operation" not in self.last, self.brief()
            assert state.get("phase") == phase, self.brief()
            assert revision is None or result.get("revision") == revision, self.brief()
            return state

        return eventually(ended, what=f"{self.name}: operation {phase}")

    # -- acting

    def refresh(self, how: str = "normal") -> None:
        """Asks for a look at Git now, as any Argo CD tool would."""
        self.server.home.patch(
            "Application",
            CONTROL_NAMESPACE,
            self.name,
            {"metadata": {"annotations": {"argocd.argoproj.io/refresh": how}}},
        )

    def sync(self, *args: str, check: bool = True) -> Done:
        return self.server.run("app", "sync", self.name, *args, check=check)

    def patch(self, body: Any) -> None:
        self.server.home.patch("Application", CONTROL_NAMESPACE, self.name, body)

    def wait_gone(self, within: float = DEFAULT_SECONDS) -> None:
        eventually(lambda: not self.exists(), within=within, what=f"the end of {self.name}")
