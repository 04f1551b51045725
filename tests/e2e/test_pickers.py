# SPDX-License-Identifier: Apache-2.0
"""What the pickers of the console complete from: Git's branches and folders, a cluster's projects."""

from __future__ import annotations

import pytest
from harness.git import HttpServer, Repository
from harness.kube import Kube, KubeError
from harness.manifests import config_map, text
from harness.server import Server
from harness.wait import eventually

DEVOPS = "/taut/v1/devops/default"


def test_folders_are_told_with_what_they_render_as(
    server: Server, home: Kube, git: HttpServer, repo: Repository
) -> None:
    repo.commit(
        {
            "apps/shop/a.yaml": text(config_map("a")),
            "apps/shop/kustomization.yaml": "resources: [a.yaml]\n",
            "plain/b.yaml": text(config_map("b")),
        }
    )
    server.run("repo", "add", repo.name, "--url", git.url(repo))
    at = f"{DEVOPS}/repos/{repo.name}"
    top = home.request("GET", f"{at}/tree?rev=HEAD&path=")
    assert [(row["name"], row.get("type")) for row in top["items"]] == [
        ("apps", None),
        ("plain", "Directory"),
    ]
    inner = home.request("GET", f"{at}/tree?rev=HEAD&path=apps")
    assert [(row["name"], row["type"]) for row in inner["items"]] == [("shop", "Kustomize")]
    assert len(inner["commit"]) == 40
    with pytest.raises(KubeError) as caught:
        home.request("GET", f"{at}/tree?rev=HEAD&path=nowhere")
    assert caught.value.code == 404 and "nowhere" in str(caught.value)
    refs = home.request("GET", f"{at}/refs")
    assert "HEAD" in [row["name"] for row in refs["items"]]


def test_a_url_is_tested_before_it_is_saved(home: Kube, git: HttpServer, repo: Repository) -> None:
    repo.commit({"a.yaml": text(config_map("a"))})
    tried = home.request("POST", f"{DEVOPS}/repo-test", {"url": git.url(repo)})
    assert tried["state"] == "ok" and tried["branchesTotal"] == 1, tried
    assert tried["head"].endswith(tried["branches"][0])
    tried = home.request("POST", f"{DEVOPS}/repo-test", {"url": git.url(repo) + "-nothing"})
    assert tried["state"] == "failed" and tried["message"], tried
    for body in ({}, {"url": "https://me:secret@git.example/x"}):
        with pytest.raises(KubeError) as caught:
            home.request("POST", f"{DEVOPS}/repo-test", body)
        assert caught.value.code == 422 and "secret" not in str(caught.value)


def test_projects_of_a_cluster_are_those_that_may_be_deployed_to(
    server: Server, home: Kube, namespace: str, name: str
) -> None:
    server.run("devops", "create", f"{name}-d", "--location", f"{server.cluster}/{name}*")

    def projects() -> list[str]:
        at = f"/taut/v1/devops/{name}-d/clusters/{server.cluster}/projects"
        return [row["name"] for row in home.request("GET", at)["items"]]

    eventually(lambda: namespace in projects(), what="the new project")
    assert "kube-system" not in projects()
    server.run("devops", "delete", f"{name}-d")
