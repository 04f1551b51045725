#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes kustomizations of growing size: FOLDER/500, 1000, 2000, 4000, 8000 resources.

Each has Deployments, Services and ConfigMaps in equal parts, a prefix, a namespace, labels with
selectors, an image, generated configuration that every Deployment names, and patches by target.
"""

from __future__ import annotations

import sys
from pathlib import Path

SIZES = (500, 1000, 2000, 4000, 8000)


def objects(number: int) -> str:
    return f"""apiVersion: apps/v1
kind: Deployment
metadata: {{name: app-{number}, labels: {{part: p{number % 10}}}}}
spec:
  replicas: 2
  template:
    spec:
      serviceAccountName: default
      containers:
      - name: main
        image: registry.example/app:1.0
        args: ["--port=8080", "--name=app-{number}"]
        env:
        - {{name: A, value: "{number}"}}
        - name: B
          valueFrom: {{configMapKeyRef: {{name: settings, key: a}}}}
        ports: [{{containerPort: 8080}}]
        resources: {{limits: {{cpu: 100m, memory: 64Mi}}}}
      volumes:
      - {{name: c, configMap: {{name: cm-{number}}}}}
---
apiVersion: v1
kind: Service
metadata: {{name: app-{number}}}
spec:
  selector: {{app: app-{number}}}
  ports: [{{port: 80, targetPort: 8080}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: cm-{number}}}
data:
  key: value {number}
"""


def main() -> None:
    root = Path(sys.argv[1])
    for size in SIZES:
        folder = root / str(size)
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        count = size // 3
        for start in range(0, count, 50):
            name = f"part-{start}.yaml"
            (folder / name).write_text(
                "---\n".join(objects(i) for i in range(start, min(start + 50, count)))
            )
            files.append(name)
        (folder / "kustomization.yaml").write_text(
            "resources: [" + ", ".join(files) + "]\n"
            "namePrefix: pre-\nnamespace: team\n"
            "labels: [{pairs: {owner: team}, includeSelectors: true}]\n"
            "images: [{name: registry.example/app, newTag: '2.0'}]\n"
            "configMapGenerator: [{name: settings, literals: [a=1]}]\n"
            'patches: [{target: {kind: Deployment}, patch: \'[{"op": "add", "path": "/spec/revisionHistoryLimit", "value": 3}]\'}]\n'
        )


if __name__ == "__main__":
    main()
