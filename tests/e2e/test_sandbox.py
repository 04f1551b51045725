# SPDX-License-Identifier: Apache-2.0
"""The built-in cluster behaves as its users expect of a real one."""

from __future__ import annotations

import os
import urllib.request
from pathlib import Path

import pytest
from cluster import free_port
from harness.kube import Kube
from harness.manifests import deployment, service
from harness.process import Process
from harness.server import SANITIZERS, Server
from harness.wait import eventually

pytestmark = pytest.mark.only("embedded")


def test_a_node_port_really_answers(target: Kube, namespace: str) -> None:
    for made in (deployment("web", replicas=2), service("web")):
        made["metadata"]["namespace"] = namespace
        if made["kind"] == "Service":
            made["spec"]["type"] = "NodePort"
        target.create(made)

    def port() -> int:
        return target.must_get("Service", namespace, "web")["spec"]["ports"][0]["nodePort"]

    number = eventually(port, what="a node port")
    assert 30000 <= number <= 32767

    def page() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{number}/", timeout=5) as answer:
            return answer.read().decode()

    text = eventually(page, what="an answer on the node port")
    assert "web" in text and namespace in text and "sandbox" in text.lower()


@pytest.mark.parametrize(
    ("fail", "reason"), [("image-pull", "ImagePullBackOff"), ("crash-loop", "CrashLoopBackOff")]
)
def test_a_failing_pod_looks_as_on_a_real_cluster(
    target: Kube, namespace: str, fail: str, reason: str
) -> None:
    made = deployment("web", fail=fail)
    made["metadata"]["namespace"] = namespace
    target.create(made)

    def waiting() -> bool:
        (pod,) = target.list("Pod", namespace)
        (container,) = pod["status"]["containerStatuses"]
        return container["state"]["waiting"]["reason"] == reason

    eventually(waiting, what=reason)
    table = target.kubectl("get", "pods", "-n", namespace)
    assert reason in table


def test_kubectl_works_against_the_sandbox(target: Kube, namespace: str) -> None:
    made = deployment("web", replicas=3)
    target.kubectl("create", "deployment", "web", "--image=x", "--replicas=3", "-n", namespace)
    target.kubectl("rollout", "status", "deployment/web", "-n", namespace, "--timeout=60s")
    target.kubectl("scale", "deployment/web", "--replicas=1", "-n", namespace)
    target.kubectl("wait", "deployment/web", "-n", namespace, "--for=condition=Available")
    eventually(lambda: len(target.list("Pod", namespace)) == 1, what="one Pod")
    assert "Deployment" in target.kubectl("api-resources", "--api-group=apps")
    assert "replicas" in target.kubectl("explain", "deployment.spec")
    assert made["kind"] in target.kubectl("get", "deploy", "web", "-n", namespace, "-o", "yaml")
    target.kubectl("delete", "deployment", "web", "-n", namespace)
    eventually(lambda: target.list("Pod", namespace) == [], what="no Pod")


def test_a_sandbox_of_its_own_prints_its_kubeconfig(server: Server, tmp_path: Path) -> None:
    command = [str(server.taut), "sandbox", "--data", str(tmp_path / "sandbox")]
    command += ["--listen", f"127.0.0.1:{free_port()}"]
    process = Process(command, tmp_path / "log", {**os.environ, **SANITIZERS})
    try:

        def printed() -> Path:
            words = process.tail(50).split()
            found = [Path(word) for word in words if word.endswith(".kubeconfig")]
            assert found, words
            return found[0]

        kubeconfig = eventually(printed, what="its kubeconfig")
        cluster = eventually(lambda: Kube(kubeconfig), what="the file")
        names = [n["metadata"]["name"] for n in cluster.request("GET", "/api/v1/nodes")["items"]]
        assert len(names) == 1
    finally:
        process.stop()
