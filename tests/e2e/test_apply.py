# SPDX-License-Identifier: Apache-2.0
"""`taut apply`: a directory of plain manifests, straight to a cluster, never pruning."""

from __future__ import annotations

from pathlib import Path

from harness.kube import Kube
from harness.manifests import config_map, deployment, text
from harness.server import Done, Server


def _apply(server: Server, folder: Path, name: str, namespace: str, *more: str) -> Done:
    target = server.target
    context = ["--context", target.context] if target.context else []
    return server.run(
        *("apply", str(folder), "--name", name, "--namespace", namespace),
        *("--kubeconfig", str(target.kubeconfig), *context, *more),
    )


def test_apply_creates_shows_and_never_prunes(
    server: Server, target: Kube, name: str, namespace: str, tmp_path: Path
) -> None:
    (tmp_path / "a.yaml").write_text(text(config_map("a", v="1"), deployment("web")))
    (tmp_path / "b.yaml").write_text(text(config_map("b")))

    planned = _apply(server, tmp_path, name, namespace, "--dry-run").out
    assert "ConfigMap" in planned or "configmap" in planned
    assert target.get("ConfigMap", namespace, "a") is None, "a dry run changes nothing"

    assert "created" in _apply(server, tmp_path, name, namespace).out
    live = target.must_get("ConfigMap", namespace, "a")
    assert "taut.dev/app" in live["metadata"]["labels"]
    assert target.get("Deployment", namespace, "web") is not None

    before = live["metadata"]["resourceVersion"]
    again = _apply(server, tmp_path, name, namespace).out
    assert "created" not in again and "configured" not in again, again
    assert target.must_get("ConfigMap", namespace, "a")["metadata"]["resourceVersion"] == before

    (tmp_path / "a.yaml").write_text(text(config_map("a", v="2"), deployment("web")))
    (tmp_path / "b.yaml").unlink()
    assert "configured" in _apply(server, tmp_path, name, namespace).out
    assert target.must_get("ConfigMap", namespace, "a")["data"] == {"v": "2"}
    assert target.get("ConfigMap", namespace, "b") is not None, "it never prunes"


def test_apply_names_file_and_line_of_what_it_cannot_read(
    server: Server, name: str, namespace: str, tmp_path: Path
) -> None:
    (tmp_path / "bad.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [\n")
    done = server.run(
        *("apply", str(tmp_path), "--name", name, "--namespace", namespace),
        *("--kubeconfig", str(server.target.kubeconfig)),
        check=False,
    )
    assert done.code == 1
    assert "bad.yaml:" in done.err, done.err
