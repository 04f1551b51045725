# SPDX-License-Identifier: Apache-2.0
"""Taut's port and its command line: who may ask, what is refused, what never comes back."""

from __future__ import annotations

import http.client
import json
import os
from pathlib import Path

import pytest
from cluster import free_port
from harness.git import HttpServer, Repository
from harness.kube import Kube, KubeError
from harness.manifests import config_map, text
from harness.process import Process
from harness.server import SANITIZERS, Server
from harness.wait import eventually


def refused(kube: Kube, method: str, path: str, body: object = None) -> KubeError:
    with pytest.raises(KubeError) as caught:
        kube.request(method, path, body)
    return caught.value


def test_an_unknown_token_is_401_on_every_path(server: Server) -> None:
    stranger = Kube(server.kubeconfig, "home")
    for token in ("wrong", None):
        stranger.token = token
        for path in ("/taut/v1/status", "/taut/v1/devops", "/api/v1/namespaces", "/metrics"):
            assert refused(stranger, "GET", path).code == 401, path
        assert refused(stranger, "POST", "/taut/v1/devops", {"name": "x"}).code == 401
    assert stranger.request("GET", "/readyz") == "ok"


def test_errors_are_status_objects_with_a_sentence(home: Kube) -> None:
    wrong = refused(home, "GET", "/taut/v1/nothing")
    assert wrong.code == 404 and "nothing at this path" in str(wrong)
    assert refused(home, "DELETE", "/taut/v1/status").code == 405
    wrong = refused(home, "POST", "/taut/v1/devops", {"name": "Not A Name"})
    assert wrong.code == 422 and "lower-case" in str(wrong)
    wrong = refused(home, "GET", "/taut/v1/devops/no-such-project/repos")
    assert wrong.code == 404 and "no-such-project" in str(wrong)
    assert refused(home, "GET", "/taut/v1/devops/kube-system/credentials").code == 404


def test_machines_and_identities_are_not_lent_out(home: Kube) -> None:
    for path in ("pods/x/exec", "pods/x/attach", "services/x/proxy", "serviceaccounts/x/token"):
        wrong = refused(home, "POST", f"/api/v1/namespaces/default/{path}", {})
        assert wrong.code == 403 and "not passed through" in str(wrong), path


def test_the_description_is_served_and_has_the_routes(home: Kube) -> None:
    served = home.request("GET", "/taut/v1/openapi.json")
    assert "/taut/v1/devops/{devops}/apps/{name}/sync" in served["paths"]
    file = Path(__file__).resolve().parents[2] / "data" / "openapi.json"
    assert served == json.loads(file.read_text())


def test_a_devops_project_is_made_used_and_deleted(
    server: Server, home: Kube, git: HttpServer, repo: Repository, name: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a", v="1"))})
    server.run("devops", "create", name, "--location", f"{server.cluster}/*")
    assert server.run("devops", "create", name, check=False).code == 1
    made = server.run("devops", "get", name, "-o", "json").json
    assert made["locations"] == [f"{server.cluster}/*"] and made["namespace"] == name
    assert home.must_get("AppProject", "argocd", name)["spec"]["sourceNamespaces"] == [name]

    server.run("repo", "add", "r", "--devops", name, "--url", git.url(repo))
    again = server.run("repo", "add", "r2", "--devops", name, "--url", git.url(repo), check=False)
    assert again.code == 1 and "'r'" in again.err, again.err
    server.run(
        *("app", "create", "web", "--devops", name, "--repo", "r", "--namespace", name + "-x"),
        *("--cluster", server.cluster, "--auto-sync", "--auto-create-project"),
    )
    server.run("app", "wait", "web", "--devops", name, "--synced", "--timeout", "60s")

    refusal = server.run("repo", "delete", "r", "--devops", name, check=False)
    assert refusal.code == 1 and "'web'" in refusal.err, refusal.err
    refusal = server.run("devops", "delete", name, check=False)
    assert refusal.code == 1 and "web" in refusal.err, refusal.err
    server.run("app", "delete", "web", "--devops", name)
    server.run("repo", "delete", "r", "--devops", name)
    server.run("devops", "delete", name)
    assert server.run("devops", "get", name, check=False).code == 3


def test_a_namespace_that_is_no_devops_project_is_not_taken(
    server: Server, home: Kube, name: str
) -> None:
    home.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    done = server.run("devops", "create", name, check=False)
    assert done.code == 1 and "no DevOps Project" in done.err
    assert home.get("AppProject", "argocd", name) is None
    home.delete("Namespace", None, name)


def test_a_credential_is_write_only_and_kept_while_in_use(
    server: Server, home: Kube, git: HttpServer, repo: Repository, name: str
) -> None:
    canary = "canary-7f3a91"
    server.run(
        *("credential", "create", name, "--type", "basic", "--username", "u"),
        *("--secret-file", "-"),
        stdin=canary + "\n",
    )
    repo.commit({"a.yaml": text(config_map("a"))})
    server.run("repo", "add", name, "--url", git.url(repo), "--credential", name)
    seen = server.run("credential", "list", "-o", "json").out
    seen += server.run("repo", "get", name, "--test", "-o", "yaml").out
    seen += server.run("status", "-o", "yaml").out
    assert canary not in seen and canary not in server.log.read_text()

    refusal = server.run("credential", "delete", name, check=False)
    assert refusal.code == 1 and name in refusal.err
    server.run("repo", "delete", name)
    server.run("credential", "delete", name)
    assert server.run("credential", "delete", name, check=False).code == 3


def test_a_password_in_a_url_is_refused(server: Server, name: str) -> None:
    done = server.run(
        "repo", "add", name, "--url", "https://u:canary-55@git.example.org/x.git", check=False
    )
    assert done.code == 1 and "password" in done.err and "canary-55" not in done.err


def test_a_further_cluster_is_added_deployed_to_and_removed(
    server: Server, git: HttpServer, repo: Repository, name: str, tmp_path: Path
) -> None:
    command = [str(server.taut), "sandbox", "--data", str(tmp_path / "other")]
    command += ["--listen", f"127.0.0.1:{free_port()}"]
    process = Process(command, tmp_path / "log", {**os.environ, **SANITIZERS})
    try:
        kubeconfig = tmp_path / "other" / "sandbox.kubeconfig"
        eventually(kubeconfig.exists, what="the other cluster")
        server.run("cluster", "add", name, "--kubeconfig", str(kubeconfig))
        rows = server.run("cluster", "list", "-o", "json").json["items"]
        assert any(row["name"] == name for row in rows)

        repo.commit({"a.yaml": text(config_map("a", v="1"))})
        server.run("repo", "add", name, "--url", git.url(repo))
        server.run(
            *("app", "create", name, "--repo", name, "--cluster", name, "--namespace", name),
            *("--auto-sync", "--auto-create-project"),
        )
        server.run("app", "wait", name, "--synced", "--timeout", "60s")
        assert Kube(kubeconfig).must_get("ConfigMap", name, "a")["data"] == {"v": "1"}
        through = server.home.request(
            "GET", f"/clusters/{name}/api/v1/namespaces/{name}/configmaps/a"
        )
        assert through["data"] == {"v": "1"}
        wrong = refused(
            server.home, "POST", f"/clusters/{name}/api/v1/namespaces/{name}/pods/x/exec", {}
        )
        assert wrong.code == 403

        refusal = server.run("cluster", "delete", name, check=False)
        assert refusal.code == 1 and name in refusal.err
        server.run("app", "delete", name)
        server.run("cluster", "delete", name)
        assert server.run("cluster", "delete", name, check=False).code == 3
        server.run("repo", "delete", name)
    finally:
        process.stop()


def test_the_command_line_says_what_is_wrong(server: Server) -> None:
    for args, says in (
        (("ap", "list"), "did you mean 'app'"),
        (("app", "lst"), "no command 'lst'"),
        (("app", "create", "x"), "--repo"),
        (("app", "wait", "x", "--timeout", "soon"), "duration"),
        (("credential", "create", "x", "--type", "magic", "--secret-file", "-"), "basic|ssh|token"),
    ):
        done = server.run(*args, check=False)
        assert done.code == 2 and says in done.err, (args, done.err)
        assert done.out == ""


def _sign_in(server: Server, name: str, password: str) -> int:
    at = server.home
    connection = http.client.HTTPSConnection(
        str(at.server.hostname), at.server.port, context=at.tls, timeout=30
    )
    headers = {"Content-Type": "application/json", "X-Taut-Request": "1"}
    body = json.dumps({"username": name, "password": password})
    connection.request("POST", "/taut/v1/session", body, headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_lost_password_is_made_anew_with_the_server_running_or_stopped(
    server: Server, name: str
) -> None:
    shown = server.run("user", "create", name).out
    first = shown.split(":")[-1].strip()
    assert eventually(lambda: _sign_in(server, name, first) == 200, what="the new user")
    rows = server.run("user", "list", "-o", "json")
    assert any(row["name"] == name for row in rows.json["items"]) and "argon2" not in rows.out

    second = server.run("user", "reset-password", name).out.split(":")[-1].strip()
    assert eventually(lambda: _sign_in(server, name, second) == 200, what="the second password")
    assert _sign_in(server, name, first) == 401

    if server.plane is None:
        data = ("--data", str(server.data))
        assert (
            "leave --data out" in server.run("user", "reset-password", name, *data, check=False).err
        )
        server.stop()
        third = server.run("user", "reset-password", name, *data).out.split(":")[-1].strip()
        server.start()
        assert eventually(lambda: _sign_in(server, name, third) == 200, what="the third password")
    server.run("user", "delete", name)
    assert server.run("user", "delete", "admin", check=False).code == 2


@pytest.mark.only("cluster")
def test_it_refuses_to_start_beside_an_argo_cd_controller(
    server: Server, target: Kube, namespace: str, tmp_path: Path
) -> None:
    assert server.plane is not None
    labels = {"app.kubernetes.io/name": "argocd-application-controller"}
    pod = {"containers": [{"name": "controller", "image": "controller"}]}
    controller = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "argocd-application-controller", "labels": labels},
        "spec": {
            "replicas": 1,
            "serviceName": "x",
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
    target.request("POST", f"/apis/apps/v1/namespaces/{namespace}/statefulsets", controller)
    done = server.run(
        *("serve", "--data", str(tmp_path / "second"), "--listen", "127.0.0.1:0"),
        *("--home", str(server.plane.kubeconfig), "--control-namespace", namespace),
        check=False,
        timeout=60,
    )
    assert done.code == 1
    assert "argocd-application-controller" in done.err and "0 replicas" in done.err, done.err
