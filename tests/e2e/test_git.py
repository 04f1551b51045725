# SPDX-License-Identifier: Apache-2.0
"""Where manifests come from: private repositories, moved ones, poisoned ones."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from conftest import Deploy
from harness.app import CONTROL_NAMESPACE
from harness.git import HttpServer, Repository, SshServer
from harness.kube import Kube
from harness.manifests import config_map, text
from harness.server import Server
from harness.wait import eventually


def test_a_private_repository_by_password(
    repo: Repository,
    git: HttpServer,
    deploy: Deploy,
    server: Server,
    target: Kube,
    name: str,
    namespace: str,
    tmp_path: Path,
) -> None:
    repo.commit({"a.yaml": text(config_map("a"))})
    secret = tmp_path / "password"
    secret.write_text(git.PASSWORD)
    server.run(
        *("credential", "create", name, "--type", "basic"),
        *("--username", git.USER, "--secret-file", str(secret)),
    )
    app = deploy("--auto-sync", url=git.url(repo, "private"), credential=name)
    app.wait_synced()
    assert target.get("ConfigMap", namespace, "a") is not None
    everything = server.log.read_text() + str(app.read()) + server.run("repo", "list").out
    assert git.PASSWORD not in everything
    assert git.PASSWORD not in server.run("credential", "list", "-o", "json").out


def test_a_wrong_password_is_a_condition_without_the_password(
    repo: Repository, git: HttpServer, deploy: Deploy, server: Server, name: str, namespace: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a"))})
    server.run(
        *("credential", "create", name, "--type", "basic"),
        *("--username", git.USER, "--secret-file", "-"),
        stdin="wrong-canary-81",
    )
    app = deploy("--auto-sync", url=git.url(repo, "private"), credential=name, test=False)
    message = app.wait_condition("ComparisonError")
    assert "wrong-canary-81" not in message
    assert "wrong-canary-81" not in server.log.read_text()
    assert app.sync_status == "Unknown"


def test_a_private_repository_by_ssh_key(
    repo: Repository,
    ssh: SshServer,
    deploy: Deploy,
    server: Server,
    target: Kube,
    name: str,
    namespace: str,
) -> None:
    repo.commit({"a.yaml": text(config_map("a"))})
    server.run(
        *("credential", "create", name, "--type", "ssh"),
        *("--username", os.environ.get("USER", "git"), "--secret-file", str(ssh.private_key)),
    )
    server.run(
        *("repo", "add", name, "--url", ssh.url(repo), "--credential", name),
        *("--accept-host-key", ssh.fingerprint()),
    )
    server.run(
        *("app", "create", name, "--repo", name, "--path", ".", "--auto-sync"),
        *("--cluster", server.cluster, "--namespace", namespace),
    )
    server.run("app", "wait", name, "--synced", "--healthy", "--timeout", "120s")
    assert target.get("ConfigMap", namespace, "a") is not None
    server.run("app", "delete", name, "--cascade=false")


def test_an_ssh_key_behind_a_passphrase(
    repo: Repository, ssh: SshServer, deploy: Deploy, server: Server, name: str, namespace: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a"))})
    server.run(
        *("credential", "create", name, "--type", "ssh"),
        *("--secret-file", str(ssh.locked_key("a pass-canary-17")), "--passphrase-file", "-"),
        stdin="a pass-canary-17\n",
    )
    server.run(
        *("repo", "add", name, "--url", ssh.url(repo), "--credential", name),
        *("--accept-host-key", ssh.fingerprint()),
    )
    server.run(
        *("app", "create", name, "--repo", name, "--path", ".", "--auto-sync"),
        *("--cluster", server.cluster, "--namespace", namespace),
    )
    server.run("app", "wait", name, "--synced", "--healthy", "--timeout", "120s")
    assert "pass-canary-17" not in server.log.read_text()
    server.run("app", "delete", name, "--cascade=false")


def test_a_repository_that_has_moved_is_followed(
    repo: Repository, git: HttpServer, deploy: Deploy, target: Kube, namespace: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a"))})
    app = deploy("--auto-sync", url=git.url(repo, "moved"))
    app.wait_synced()
    assert target.get("ConfigMap", namespace, "a") is not None


def test_a_remote_base_is_followed_at_its_branch(
    repo: Repository, git: HttpServer, deploy: Deploy, target: Kube, name: str, namespace: str
) -> None:
    base = Repository(git.root, f"{name}-base")
    base.commit(
        {
            "b/kustomization.yaml": "resources: [far.yaml]\n",
            "b/far.yaml": text(config_map("far", v="1")),
        }
    )
    commit = repo.commit({"kustomization.yaml": f"resources:\n- {git.url(base)}//b?ref=main\n"})
    app = deploy("--auto-sync", "--self-heal")  # the own revision stays the same
    app.wait_synced(revision=commit)
    assert target.must_get("ConfigMap", namespace, "far")["data"] == {"v": "1"}
    base.commit({"b/far.yaml": text(config_map("far", v="2"))})
    app.refresh()
    eventually(
        lambda: target.must_get("ConfigMap", namespace, "far")["data"] == {"v": "2"},
        what="the new commit of the base",
    )
    app.wait_synced(revision=commit)


def test_a_short_commit_is_resolved(
    repo: Repository, deploy: Deploy, target: Kube, namespace: str
) -> None:
    commit = repo.commit({"a.yaml": text(config_map("a", at="first"))})
    repo.commit({"a.yaml": text(config_map("a", at="second"))})
    app = deploy("--revision", commit[:10], "--auto-sync")
    app.wait_synced(revision=commit)
    assert target.must_get("ConfigMap", namespace, "a")["data"] == {"at": "first"}


def test_a_branch_that_does_not_exist_is_named(
    repo: Repository, deploy: Deploy, namespace: str
) -> None:
    repo.commit({"a.yaml": text(config_map("a"))})
    app = deploy("--revision", "no-such-branch", "--auto-sync")
    assert "no-such-branch" in app.wait_condition("ComparisonError")
    assert app.sync_status == "Unknown"


def test_refs_are_listed_once_for_all_deployments_of_a_repository(
    repo: Repository, git: HttpServer, deploy: Deploy, name: str, namespace: str
) -> None:
    began = time.monotonic()
    repo.commit({f"{part}/a.yaml": text(config_map(part)) for part in "abcde"})
    apps = [deploy("--auto-sync", app=f"{name}-{p}", path=p, namespace=namespace) for p in "abcde"]
    for app in apps:
        app.wait_synced()
    # one for the import's test, one an interval; creating five asks for at most one look each
    intervals = 1 + int((time.monotonic() - began) / 50)
    assert git.listings(repo) <= 1 + intervals + 2 * len(apps)


ALIAS_BOMB = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\ndata:\n  x: &a0 [z,z,z,z,z,z,z,z,z]\n"
    + "".join(f"  x{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
)


def _poison(repo: Repository, kind: str) -> dict[str, str]:
    """Commits one poison; returns the flags that point at it."""
    tree = repo.tree
    (tree / "app").mkdir(parents=True)
    (tree / "app" / "ok.yaml").write_text(text(config_map("ok")))
    flags = {"path": "app"}
    if kind == "alias-bomb":
        (tree / "app" / "bomb.yaml").write_text(ALIAS_BOMB)
    elif kind == "50-MB-file":
        line = "# " + "x" * 97 + "\n"
        (tree / "app" / "big.yaml").write_text(text(config_map("big")) + line * 520_000)
    elif kind == "symlink-out":
        (tree / "app" / "secret.yaml").symlink_to("/etc/passwd")
    elif kind == "dots-in-path":
        flags["path"] = "app/../../../etc"
    elif kind == "half-a-document":
        (tree / "app" / "cut.yaml").write_text(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ["
        )
    elif kind == "deep":
        (tree / "app" / "deep.json").write_text("[" * 200_000)
    repo.commit_tree("poison")
    return flags


@pytest.mark.parametrize(
    "kind",
    ["alias-bomb", "50-MB-file", "symlink-out", "dots-in-path", "half-a-document", "deep"],
)
def test_a_poisoned_repository_is_a_condition_on_its_own_application(
    git: HttpServer,
    repo: Repository,
    server: Server,
    home: Kube,
    target: Kube,
    deploy: Deploy,
    name: str,
    namespace: str,
    kind: str,
) -> None:
    neighbour = Repository(git.root, f"{name}-good")
    neighbour.commit({"a.yaml": text(config_map("a", v="1"))})
    good = deploy("--auto-sync", app=f"{name}-good", repository=neighbour, namespace=namespace)
    good.wait_synced()

    flags = _poison(repo, kind)
    from harness.app import App
    from harness.manifests import application

    made = application(
        name, git.url(repo), server.cluster, namespace, syncPolicy={"automated": {"prune": True}}
    )
    made["spec"]["source"]["path"] = flags["path"]
    home.create(made)
    bad = App(server, name, namespace)

    def told() -> str:
        conditions = bad.conditions
        for word in ("ComparisonError", "InvalidSpecError"):
            if word in conditions:
                return conditions[word]
        raise AssertionError(bad.brief())

    message = eventually(told, what="a condition")
    assert len(message) > 20 and "root:" not in message, message
    assert bad.sync_status == "Unknown"
    assert target.get("ConfigMap", namespace, "ok") is None, "nothing of a failed render is applied"

    commit = neighbour.commit({"a.yaml": text(config_map("a", v="2"))})
    good.refresh()
    good.wait_synced(revision=commit)
    home.delete("Application", CONTROL_NAMESPACE, name)
    bad.wait_gone()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("chart", "nginx"),
        ("plugin", {"name": "mine"}),
        ("directory", {"jsonnet": {"libs": ["lib"]}}),
    ],
)
def test_what_is_not_built_refuses_and_names_itself(
    repo: Repository,
    git: HttpServer,
    server: Server,
    home: Kube,
    name: str,
    namespace: str,
    field: str,
    value: object,
) -> None:
    from harness.app import App
    from harness.manifests import application

    repo.commit({"a.yaml": text(config_map("a")), "b.jsonnet": "{}"})
    made = application(name, git.url(repo), server.cluster, namespace)
    made["spec"]["source"][field] = value
    home.create(made)
    app = App(server, name, namespace)

    def told() -> str:
        conditions = app.conditions
        message = conditions.get("InvalidSpecError") or conditions.get("ComparisonError") or ""
        assert "not supported yet" in message, app.brief()
        return message

    message = eventually(told, what="a refusal")
    assert field in message or "jsonnet" in message, message
    assert app.sync_status == "Unknown"
    home.delete("Application", CONTROL_NAMESPACE, name)
    app.wait_gone()
