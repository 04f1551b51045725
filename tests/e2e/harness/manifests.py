# SPDX-License-Identifier: Apache-2.0
"""The objects that the tests deploy, as YAML text."""

from __future__ import annotations

from typing import Any

import yaml

Object = dict[str, Any]


def text(*objects: Object) -> str:
    return yaml.safe_dump_all(objects, sort_keys=False)


def config_map(name: str, **data: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": data or {"key": "value"},
    }


def deployment(
    name: str,
    *,
    image: str = "registry.example/web:1",
    replicas: int = 1,
    sidecar: str = "",
    fail: str = "",
    selector: dict[str, str] | None = None,
) -> Object:
    labels = selector or {"app": name}
    containers: list[Object] = [{"name": "web", "image": image}]
    if sidecar:
        containers.append({"name": sidecar, "image": "registry.example/sidecar:1"})
    template: Object = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    if fail:
        template["metadata"]["annotations"] = {"sandbox.taut.dev/fail": fail}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": template,
        },
    }


def service(name: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]},
    }


def job(name: str) -> Object:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {
            "template": {
                "spec": {
                    "restartPolicy": "Never",
                    "containers": [{"name": "work", "image": "registry.example/job:1"}],
                }
            }
        },
    }


def widget_definition() -> Object:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.tests.taut.dev"},
        "spec": {
            "group": "tests.taut.dev",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {
                                "spec": {
                                    "type": "object",
                                    "properties": {
                                        "size": {"type": "integer"},
                                        "colour": {"type": "string", "default": "blue"},
                                    },
                                }
                            },
                        }
                    },
                }
            ],
        },
    }


def widget(name: str, size: int) -> Object:
    return {
        "apiVersion": "tests.taut.dev/v1",
        "kind": "Widget",
        "metadata": {"name": name},
        "spec": {"size": size},
    }


def application(name: str, url: str, server: str, namespace: str, **spec: Any) -> Object:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": {"repoURL": url, "path": ".", "targetRevision": "HEAD"},
            "destination": {"name": server, "namespace": namespace},
            **spec,
        },
    }
