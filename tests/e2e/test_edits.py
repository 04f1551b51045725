# SPDX-License-Identifier: Apache-2.0
"""Editing what deployments stand on: repositories, credentials, clusters. Nothing is lost, nothing is told."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.app import App
from harness.git import HttpServer, Repository, SshServer
from harness.kube import Kube, KubeError
from harness.manifests import config_map, text
from harness.server import Server
from harness.wait import eventually

Deploy = Callable[..., App]
DEVOPS = "/taut/v1/devops/default"


def test_a_new_url_is_written_into_the_deployments_that_use_it(
    repo: Repository, git: HttpServer, deploy: Deploy, server: Server, home: Kube, namespace: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a"))})
    app = deploy("--auto-sync")
    app.wait_synced()
    shown = home.request("GET", f"{DEVOPS}/repos/{repo.name}")
    assert shown["usedBy"] == [app.name]
    moved = git.url(repo, "moved")
    done = server.run("repo", "set", repo.name, "--url", moved, "--alias", "Moved one")
    assert app.name in done.out
    assert app.read()["spec"]["source"]["repoURL"] == moved
    shown = home.request("GET", f"{DEVOPS}/repos/{repo.name}")
    assert shown["url"] == moved and shown["alias"] == "Moved one"
    assert shown["usedBy"] == [app.name]
    app.refresh()
    app.wait_synced()


def test_an_edit_changes_only_what_it_names(
    server: Server, home: Kube, git: HttpServer, repo: Repository, name: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a"))})
    server.run(
        *("credential", "create", name, "--type", "basic", "--username", "u"),
        *("--secret-file", "-"),
        stdin="first-value",
    )
    server.run(
        *("repo", "add", name, "--url", git.url(repo), "--credential", name),
        *("--description", "stays"),
    )
    home.patch(
        "Secret",
        "argocd",
        f"repo-{name}",
        {"metadata": {"annotations": {"example.org/other": "kept"}}, "stringData": {"proxy": "p"}},
    )
    home.request("PATCH", f"{DEVOPS}/repos/{name}", {"alias": "A"})
    secret = home.must_get("Secret", "argocd", f"repo-{name}")
    notes = secret["metadata"]["annotations"]
    assert notes["example.org/other"] == "kept" and notes["taut.dev/credential"] == name
    assert (
        notes["kubesphere.io/description"] == "stays" and notes["kubesphere.io/alias-name"] == "A"
    )
    assert base64.b64decode(secret["data"]["url"]).decode() == git.url(repo)

    server.run("credential", "set", name, "--description", "now with words")
    kept = home.must_get("Secret", "argocd", name)["data"]
    assert base64.b64decode(kept["password"]) == b"first-value"
    done = server.run("credential", "set", name, "--secret-file", "-", stdin="second-canary-31\n")
    assert "second-canary-31" not in done.out + done.err
    kept = home.must_get("Secret", "argocd", name)["data"]
    assert base64.b64decode(kept["password"]) == b"second-canary-31"
    assert "second-canary-31" not in server.log.read_text()

    with pytest.raises(KubeError) as caught:
        home.request("PATCH", f"{DEVOPS}/repos/{name}", {"alias": "B", "resourceVersion": "1"})
    assert caught.value.code == 409
    server.run("repo", "delete", name)
    server.run("credential", "delete", name)


def test_an_unknown_ssh_host_shows_its_fingerprint_and_is_accepted_for_a_test(
    server: Server, home: Kube, repo: Repository, ssh: SshServer, name: str
) -> None:
    import os

    repo.commit({"a.yaml": text(config_map("a"))})
    server.run(
        *("credential", "create", name, "--type", "ssh"),
        *("--username", os.environ.get("USER", "git"), "--secret-file", str(ssh.private_key)),
    )
    body = {"url": ssh.url(repo), "credential": name}
    known = home.get("ConfigMap", "argocd", "argocd-ssh-known-hosts-cm")
    tried = home.request("POST", f"{DEVOPS}/repo-test", body)
    if tried["state"] == "failed":  # another test may have accepted this host already
        assert tried["fingerprint"] == ssh.fingerprint(), tried
    tried = home.request(
        "POST", f"{DEVOPS}/repo-test", {**body, "acceptHostKey": ssh.fingerprint()}
    )
    assert tried["state"] == "ok", tried
    now = home.get("ConfigMap", "argocd", "argocd-ssh-known-hosts-cm")
    assert (now or {}).get("data") == (known or {}).get("data"), "a test stores nothing"
    tried = home.request(
        "POST", f"{DEVOPS}/repo-test", {**body, "acceptHostKey": "SHA256:" + "A" * 43}
    )
    assert tried["state"] == "failed"
    server.run("credential", "delete", name)


def test_the_list_remembers_what_the_last_test_found(
    server: Server, home: Kube, git: HttpServer, repo: Repository
) -> None:
    repo.commit({"a.yaml": text(config_map("a"))})
    server.run("repo", "add", repo.name, "--url", git.url(repo))

    def row() -> dict:
        rows = home.request("GET", f"{DEVOPS}/repos")["items"]
        return next(r for r in rows if r["name"] == repo.name)

    assert row()["connection"]["state"] == "ok"
    home.request("PATCH", f"{DEVOPS}/repos/{repo.name}", {"url": git.url(repo) + "-gone"})
    assert "connection" not in row()
    home.request("POST", f"{DEVOPS}/repos/{repo.name}/test")
    assert row()["connection"]["state"] == "failed" and row()["connection"]["message"]


def test_a_kubeconfig_is_tested_saved_and_edited(
    server: Server, home: Kube, name: str, tmp_path: Path
) -> None:
    given = server.target.kubeconfig.read_text()
    context = server.target.context or ""
    tried = home.request("POST", "/taut/v1/cluster-test", {"kubeconfig": given, "context": context})
    assert tried["state"] == "ok" and tried["version"].startswith("v1."), tried
    assert tried["contexts"]
    for wrong in ("not: a kubeconfig", given.replace("https://", "https://0.")):
        tried = home.request("POST", "/taut/v1/cluster-test", {"kubeconfig": wrong})
        assert tried["state"] == "failed" and tried["message"], tried

    home.request(
        "POST",
        "/taut/v1/clusters",
        {"name": name, "kubeconfig": given, "context": context, "environment": "staging"},
    )

    def row() -> dict:
        rows = home.request("GET", "/taut/v1/clusters")["items"]
        return next(r for r in rows if r["name"] == name)

    eventually(lambda: row()["environment"] == "staging", what="the new cluster")
    assert row()["editable"] is True
    before = home.must_get("Secret", "argocd", f"cluster-{name}")["data"]
    home.request(
        "PATCH", f"/taut/v1/clusters/{name}", {"environment": "production", "namespaces": "a,b"}
    )
    eventually(lambda: row()["environment"] == "production", what="the edit")
    assert row()["namespaces"] == "a,b"
    home.request("PATCH", f"/taut/v1/clusters/{name}", {"environment": "", "namespaces": ""})
    eventually(lambda: "environment" not in row(), what="the edit")
    assert "namespaces" not in row()
    after = home.must_get("Secret", "argocd", f"cluster-{name}")["data"]
    assert after["config"] == before["config"] and after["server"] == before["server"]
    home.request("DELETE", f"/taut/v1/clusters/{name}")


def test_an_editor_is_told_the_line_of_an_error(home: Kube) -> None:
    good = home.request("POST", "/taut/v1/yaml", {"text": "a: 1\nb: [x, 'y']\n"})
    assert good == {"value": {"a": 1, "b": ["x", "y"]}}
    bad = home.request("POST", "/taut/v1/yaml", {"text": "a: 1\nb: [\n"})["error"]
    assert bad["line"] >= 2 and bad["message"], bad
    twice = home.request("POST", "/taut/v1/yaml", {"text": "a: 1\n---\nb: 2\n"})["error"]
    assert "more than one document" in twice["message"]
    same = home.request("POST", "/taut/v1/yaml", {"text": "a: 1\na: 2\n"})["error"]
    assert same["line"] == 2, same
