#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real Kubernetes control plane on loopback, with kwok in the place of kubelets.

Owner:  ControlPlane owns its folder and its five processes; stop() ends all of them.
Bounds: starts within READY_SECONDS or raises with the tail of the log of what is not ready.
Runs:   as a context manager in the tests, and by hand:
        python3 tests/cluster/cluster.py up --dir D     starts it and prints how to reach it
        python3 tests/cluster/cluster.py down --dir D   ends it
"""

from __future__ import annotations

import argparse
import base64
import ctypes
import json
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import build  # noqa: E402

HERE = Path(__file__).resolve().parent
READY_SECONDS = 120
STOP_SECONDS = 10
PR_SET_PDEATHSIG = 1

NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {
        "name": "node-1",
        "labels": {"kubernetes.io/hostname": "node-1", "kubernetes.io/os": "linux"},
        "annotations": {"kwok.x-k8s.io/node": "fake"},
    },
}
NODE_STATUS = {
    "status": {
        "addresses": [
            {"type": "InternalIP", "address": "127.0.0.1"},
            {"type": "Hostname", "address": "node-1"},
        ],
        "allocatable": {"cpu": "1000", "memory": "4Ti", "pods": "20000"},
        "capacity": {"cpu": "1000", "memory": "4Ti", "pods": "20000"},
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": "",
            "containerRuntimeVersion": "kwok",
            "kernelVersion": "kwok",
            "kubeProxyVersion": "kwok",
            "kubeletVersion": build.KUBERNETES,
            "machineID": "",
            "operatingSystem": "linux",
            "osImage": "",
            "systemUUID": "",
        },
    }
}
# Who asked for what, without bodies: the tests count requests of Taut in this log.
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted", "Panic"],
    "rules": [
        {"level": "None", "users": ["system:apiserver"]},
        {"level": "None", "userGroups": ["system:nodes"]},
        {"level": "None", "users": ["helper"]},
        {"level": "Metadata"},
    ],
}


class ClusterError(Exception):
    """The control plane did not come up, with the reason and the log that tells more."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _openssl(*args: str | Path) -> None:
    done = subprocess.run(
        ["openssl", *map(str, args)], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if done.returncode != 0:
        raise ClusterError(f"openssl {args[0]} failed: {done.stderr.strip()}")


class ControlPlane:
    """etcd, kube-apiserver, its controllers, scheduler and kwok in one folder."""

    def __init__(self, folder: Path, *, detached: bool = False) -> None:
        self.dir = folder
        self.detached = detached
        self.token = secrets.token_hex(16)
        self.helper_token = secrets.token_hex(16)
        self.port = 0
        self.pids: dict[str, int] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def kubeconfig(self) -> Path:
        """Signs in as cluster administrator by bearer token."""
        return self.dir / "token.kubeconfig"

    @property
    def kubeconfig_certificate(self) -> Path:
        """Signs in as cluster administrator by client certificate."""
        return self.dir / "certificate.kubeconfig"

    @property
    def audit_log(self) -> Path:
        """One JSON event a line for each finished request that is not the control plane's own."""
        return self.dir / "audit.log"

    def __enter__(self) -> ControlPlane:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        for program in build.CONTROL_PLANE:
            build.build(program)
        self.dir.mkdir(parents=True, exist_ok=True)
        self._make_keys()
        try:
            self._start_etcd()
            self._start_apiserver()
            self._wait("kube-apiserver", self._apiserver_is_ready)
            self._start_controllers()
            self._make_node()
            self._wait("kwok", self._node_is_ready)
            self._wait("kube-controller-manager", self._default_account_exists)
        except BaseException:
            self.stop()
            raise
        (self.dir / "pids.json").write_text(json.dumps(self.pids))

    def stop(self) -> None:
        for name in reversed(list(self.processes)):
            process = self.processes.pop(name)
            if process.poll() is None:
                process.terminate()
        for pid in self.pids.values():
            _end(pid)
        self.pids.clear()
        shutil.rmtree(self.dir / "etcd", ignore_errors=True)

    # -- keys and kubeconfigs

    def _make_keys(self) -> None:
        d = self.dir
        _openssl("genrsa", "-out", d / "sa.key", "2048")
        _openssl("rsa", "-in", d / "sa.key", "-pubout", "-out", d / "sa.pub")
        _openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30"),
            *("-subj", "/CN=taut-test-ca", "-keyout", d / "ca.key", "-out", d / "ca.crt"),
        )
        self._certificate(
            "server", "/CN=kube-apiserver", "subjectAltName=IP:127.0.0.1,IP:10.96.0.1,DNS:localhost"
        )
        self._certificate("admin", "/O=system:masters/CN=admin", "extendedKeyUsage=clientAuth")

    def _certificate(self, name: str, subject: str, extension: str) -> None:
        d = self.dir
        _openssl(
            *("req", "-newkey", "rsa:2048", "-nodes", "-subj", subject),
            *("-keyout", d / f"{name}.key", "-out", d / f"{name}.csr"),
        )
        (d / f"{name}.ext").write_text(extension + "\n")
        _openssl(
            *(
                "x509",
                "-req",
                "-in",
                d / f"{name}.csr",
                "-CA",
                d / "ca.crt",
                "-CAkey",
                d / "ca.key",
            ),
            *(
                "-CAcreateserial",
                "-days",
                "30",
                "-extfile",
                d / f"{name}.ext",
                "-out",
                d / f"{name}.crt",
            ),
        )

    def _write_kubeconfigs(self) -> None:
        def encoded(name: str) -> str:
            return base64.b64encode((self.dir / name).read_bytes()).decode("ascii")

        users: dict[Path, dict[str, str]] = {
            self.kubeconfig: {"token": self.token},
            self.dir / "helper.kubeconfig": {"token": self.helper_token},
            self.kubeconfig_certificate: {
                "client-certificate-data": encoded("admin.crt"),
                "client-key-data": encoded("admin.key"),
            },
        }
        for path, user in users.items():
            config = {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "test",
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
                "clusters": [
                    {
                        "name": "test",
                        "cluster": {
                            "server": self.url,
                            "certificate-authority-data": encoded("ca.crt"),
                        },
                    }
                ],
                "users": [{"name": "admin", "user": user}],
            }
            path.touch(mode=0o600)
            path.write_text(json.dumps(config, indent=2))

    # -- processes

    def _spawn(self, name: str, *args: str) -> None:
        with open(self.dir / f"{name}.log", "ab") as log:
            process = subprocess.Popen(
                [str(build.path_of(name)), *args],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.dir,
                start_new_session=True,
                preexec_fn=None if self.detached else _die_with_parent,
            )
        self.processes[name] = process
        self.pids[name] = process.pid

    def _start_etcd(self) -> None:
        client, peer = free_port(), free_port()
        self.etcd_url = f"http://127.0.0.1:{client}"
        self._spawn(
            "etcd",
            f"--data-dir={self.dir / 'etcd'}",
            "--unsafe-no-fsync",
            f"--listen-client-urls={self.etcd_url}",
            f"--advertise-client-urls={self.etcd_url}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-cluster=default=http://127.0.0.1:{peer}",
            "--log-level=warn",
        )

    def _start_apiserver(self) -> None:
        d = self.dir
        self.port = free_port()
        (d / "tokens.csv").write_text(
            f'{self.token},tester,1,"system:masters"\n{self.helper_token},helper,2,"system:masters"\n'
        )
        (d / "audit-policy.json").write_text(json.dumps(AUDIT_POLICY))
        self._write_kubeconfigs()
        self._spawn(
            "kube-apiserver",
            f"--etcd-servers={self.etcd_url}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--tls-cert-file={d / 'server.crt'}",
            f"--tls-private-key-file={d / 'server.key'}",
            f"--client-ca-file={d / 'ca.crt'}",
            f"--token-auth-file={d / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={d / 'sa.pub'}",
            f"--service-account-signing-key-file={d / 'sa.key'}",
            "--enable-priority-and-fairness=false",
            "--disable-admission-plugins=ServiceAccount",
            f"--audit-policy-file={d / 'audit-policy.json'}",
            f"--audit-log-path={self.audit_log}",
        )

    def _start_controllers(self) -> None:
        helper = f"--kubeconfig={self.dir / 'helper.kubeconfig'}"
        self._spawn(
            "kube-controller-manager",
            helper,
            f"--service-account-private-key-file={self.dir / 'sa.key'}",
            "--controllers=*,-nodeipam,-cloud-node-lifecycle",
            "--node-monitor-grace-period=1000h",
            "--leader-elect=false",
            "--secure-port=0",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
        )
        self._spawn(
            "kube-scheduler",
            helper,
            "--leader-elect=false",
            "--secure-port=0",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
        )
        self._spawn("kwok", helper, "--manage-all-nodes=true", f"--config={HERE / 'stages.yaml'}")

    # -- readiness

    def request(
        self, path: str, *, method: str = "GET", body: Any = None, kind: str = "application/json"
    ) -> Any:
        """One request as the harness itself (not in the audit log); returns the parsed answer."""
        context = ssl.create_default_context(cafile=str(self.dir / "ca.crt"))
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        request.add_header("Authorization", f"Bearer {self.helper_token}")
        request.add_header("Content-Type", kind)
        with urllib.request.urlopen(request, context=context, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text[:1] == b"{" else text

    def _wait(self, name: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            for process_name, process in self.processes.items():
                if process.poll() is not None:
                    raise ClusterError(f"{process_name} ended:\n{self._tail(process_name)}")
            try:
                if ready():
                    return
            except (OSError, urllib.error.URLError):
                pass
            time.sleep(0.1)
        raise ClusterError(f"{name} is not ready after {READY_SECONDS} s:\n{self._tail(name)}")

    def _tail(self, name: str) -> str:
        lines = (self.dir / f"{name}.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-15:])

    def _apiserver_is_ready(self) -> bool:
        return self.request("/readyz") == b"ok"

    def _make_node(self) -> None:
        self.request("/api/v1/nodes", method="POST", body=NODE)
        self.request(
            "/api/v1/nodes/node-1/status",
            method="PATCH",
            body=NODE_STATUS,
            kind="application/merge-patch+json",
        )

    def _node_is_ready(self) -> bool:
        node = self.request("/api/v1/nodes/node-1")
        conditions = node.get("status", {}).get("conditions", [])
        ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
        return ready and not node["spec"].get("taints")

    def _default_account_exists(self) -> bool:
        return bool(self.request("/api/v1/namespaces/default/serviceaccounts/default"))


def _end(pid: int) -> None:
    """SIGTERM to the process group, then SIGKILL after STOP_SECONDS; waits where it is our child."""
    try:
        os.killpg(pid, signal.SIGTERM)
    except (ProcessLookupError, PermissionError):
        return
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        try:
            if os.waitpid(pid, os.WNOHANG)[0] == pid:
                return
        except ChildProcessError:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return
        time.sleep(0.05)
    try:
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        pass


def _up(folder: Path) -> int:
    if (folder / "pids.json").exists():
        print(f"{folder} already holds a control plane: end it first with  down --dir {folder}")
        return 1
    plane = ControlPlane(folder, detached=True)
    began = time.monotonic()
    plane.start()
    print(f"ready after {time.monotonic() - began:.1f} s at {plane.url}")
    print(f"export KUBECONFIG={plane.kubeconfig}            # bearer token")
    print(f"export KUBECONFIG={plane.kubeconfig_certificate}      # client certificate")
    print(f"kubectl: {build.path_of('kubectl')}")
    print(f"end it:  python3 {Path(__file__).resolve()} down --dir {folder}")
    return 0


def _down(folder: Path) -> int:
    record = folder / "pids.json"
    if not record.exists():
        print(f"no control plane in {folder}")
        return 1
    for pid in reversed(list(json.loads(record.read_text()).values())):
        _end(pid)
    record.unlink()
    shutil.rmtree(folder / "etcd", ignore_errors=True)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description="A real Kubernetes control plane on loopback.")
    parser.add_argument("verb", choices=["up", "down"])
    parser.add_argument("--dir", type=Path, required=True, help="its folder")
    args = parser.parse_args()
    try:
        return (_up if args.verb == "up" else _down)(args.dir.absolute())
    except (ClusterError, build.BuildError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
