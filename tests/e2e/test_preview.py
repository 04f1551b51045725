# SPDX-License-Identifier: Apache-2.0
"""What a sync or a deletion would do, told before it is done; nothing is written by asking."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from harness.app import CONTROL_NAMESPACE, App
from harness.git import HttpServer, Repository
from harness.kube import Kube, KubeError
from harness.manifests import application, config_map, deployment, text, widget_definition
from harness.server import Server
from harness.wait import eventually

Deploy = Callable[..., App]
PREVIEW = "/taut/v1/devops/default/preview"


def ask(home: Kube, **body: Any) -> dict[str, Any]:
    return home.request("POST", PREVIEW, body)


def effects(answer: dict[str, Any]) -> dict[str, str]:
    assert "error" not in answer, answer["error"]
    return {f"{row['kind']}/{row['name']}": row["effect"] for row in answer["resources"]}


def test_a_preview_shows_what_the_first_sync_creates(
    server: Server, home: Kube, target: Kube, git: HttpServer, repo: Repository, name: str
) -> None:
    repo.commit({"web.yaml": text(deployment("web"), config_map("a"))})
    server.run("repo", "add", repo.name, "--url", git.url(repo))
    manifest = application(name, git.url(repo), server.cluster, f"{name}-new")
    answer = ask(home, application=manifest)
    assert effects(answer) == {"Deployment/web": "create", "ConfigMap/a": "create"}
    assert [w["code"] for w in answer["warnings"]] == ["project-missing"]
    assert len(answer["commit"]) == 40 and answer["type"] == "Directory"

    manifest["spec"]["syncPolicy"] = {"syncOptions": ["CreateNamespace=true"]}
    answer = ask(home, application=manifest)
    assert effects(answer)[f"Namespace/{name}-new"] == "create" and answer["warnings"] == []
    assert home.get("Application", CONTROL_NAMESPACE, name) is None
    assert target.get("Namespace", None, f"{name}-new") is None


def test_a_dry_run_of_create_tells_and_makes_nothing(
    server: Server, home: Kube, git: HttpServer, repo: Repository, name: str, namespace: str
) -> None:
    repo.commit({"web.yaml": text(config_map("a"))})
    server.run("repo", "add", repo.name, "--url", git.url(repo))
    create = ["app", "create", name, "--repo", repo.name, "--cluster", server.cluster]
    create += ["--namespace", namespace, "--dry-run"]
    done = server.run(*create)
    assert "create" in done.out and "ConfigMap" in done.out and namespace in done.out
    assert home.get("Application", CONTROL_NAMESPACE, name) is None
    done = server.run(*create, "--path", "nowhere", check=False)
    assert done.code == 1 and "nowhere" in done.err, done.err


def test_a_preview_follows_the_options_of_a_sync(
    repo: Repository, deploy: Deploy, home: Kube, target: Kube, namespace: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a", v="1")), "b.yaml": text(config_map("b"))})
    app = deploy()
    app.wait(sync="OutOfSync")
    app.sync()
    app.wait_synced()
    assert effects(ask(home, name=app.name)) == {"ConfigMap/a": "none", "ConfigMap/b": "none"}

    repo.commit({"a.yaml": text(config_map("a", v="2")), "b.yaml": ""})

    def seen() -> bool:
        found = effects(ask(home, name=app.name))
        assert found == {"ConfigMap/a": "update", "ConfigMap/b": "keep"}
        return True

    eventually(seen, what="the preview of the new commit")
    found = effects(ask(home, name=app.name, sync={"prune": True}))
    assert found == {"ConfigMap/a": "update", "ConfigMap/b": "delete"}
    chosen = [{"group": "", "kind": "ConfigMap", "name": "b"}]
    found = effects(ask(home, name=app.name, sync={"prune": True, "resources": chosen}))
    assert found == {"ConfigMap/b": "delete"}
    assert target.must_get("ConfigMap", namespace, "a")["data"] == {"v": "1"}
    assert target.get("ConfigMap", namespace, "b") is not None


def test_a_preview_names_the_place_of_an_error(
    server: Server, home: Kube, git: HttpServer, repo: Repository, name: str
) -> None:
    bad = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n broken: [\n"
    repo.commit({"bad.yaml": bad})
    server.run("repo", "add", repo.name, "--url", git.url(repo))
    manifest = application(name, git.url(repo), server.cluster, name)
    error = ask(home, application=manifest)["error"]
    assert error["at"] == "render" and "bad.yaml:" in error["message"], error
    manifest["spec"]["destination"] = {"name": "no-such-cluster", "namespace": name}
    assert ask(home, application=manifest)["error"]["at"] == "location"
    manifest["spec"]["project"] = "someone-elses"
    with pytest.raises(KubeError) as caught:
        ask(home, application=manifest)
    assert caught.value.code == 403 and "someone-elses" in str(caught.value)
    with pytest.raises(KubeError) as caught:
        ask(home, nothing=True)
    assert caught.value.code == 422


def test_a_ticked_definition_goes_with_its_deployment_and_others_stay(
    repo: Repository, deploy: Deploy, home: Kube, target: Kube, namespace: str, name: str
) -> None:
    definition = widget_definition()
    plural = "w" + name.replace("-", "")[:40]
    crd = f"{plural}.tests.taut.dev"
    definition["metadata"]["name"] = crd
    definition["spec"]["names"] = {"plural": plural, "singular": plural, "kind": "Ticked"}
    repo.commit({"crd.yaml": text(definition), "a.yaml": text(config_map("a"))})
    app = deploy("--auto-sync")
    app.wait(sync="Synced", phase="Succeeded")

    def counted() -> bool:  # the kind is known a moment after its definition
        answer = ask(home, name=app.name, deletion=True)
        kept = f"CustomResourceDefinition/{crd}"
        assert effects(answer) == {kept: "keep", "ConfigMap/a": "delete"}
        row = next(r for r in answer["resources"] if r["name"] == crd)
        assert row["reason"] == "definition" and row.get("objects") == 0, row
        return True

    eventually(counted, what="the number of objects of the definition")
    app.patch(
        {
            "metadata": {
                "annotations": {"taut.dev/delete-also": f"CustomResourceDefinition/{crd}"},
                "finalizers": ["resources-finalizer.argocd.argoproj.io"],
            }
        }
    )
    home.delete("Application", CONTROL_NAMESPACE, app.name)
    app.wait_gone()
    assert target.get("ConfigMap", namespace, "a") is None
    eventually(
        lambda: target.get("CustomResourceDefinition", None, crd) is None,
        what="the definition's end",
    )
