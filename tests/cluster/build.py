#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the programs that the tests run beside Taut: kubectl, a Kubernetes control plane, kustomize.

Owner:  each program lands in a folder of its version below the cache, so a second run builds nothing.
Bounds: one build at a time per program (a lock file); Go is told to use the cores that there are.
Runs:   from `make test` (kubectl alone), `make test-cluster` (all but kustomize) and by hand:
        python3 tests/cluster/build.py kubectl etcd ...   prints one path a line.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
KUBERNETES = "v1.34.4"
GO_NEEDED = (1, 26)
GO_TOOLCHAIN = "v0.0.1-go1.26.8.linux-amd64"
GO_ARM_TOOLCHAIN = "v0.0.1-go1.26.8.linux-arm64"


@dataclass(frozen=True)
class Program:
    """One program: the Go module that pins it, its package, its version and its link flags."""

    module: str
    package: str
    version: str
    ldflags: str = "-s -w"


def _kubernetes(package: str) -> Program:
    major, minor = KUBERNETES.lstrip("v").split(".")[:2]
    stamp = "k8s.io/component-base/version."
    flags = (
        f"-s -w -X {stamp}gitVersion={KUBERNETES} -X {stamp}gitMajor={major}"
        f" -X {stamp}gitMinor={minor} -X {stamp}gitTreeState=clean"
    )
    return Program("kubernetes", f"k8s.io/kubernetes/cmd/{package}", KUBERNETES, flags)


PROGRAMS: dict[str, Program] = {
    "kubectl": _kubernetes("kubectl"),
    "kube-apiserver": _kubernetes("kube-apiserver"),
    "kube-controller-manager": _kubernetes("kube-controller-manager"),
    "kube-scheduler": _kubernetes("kube-scheduler"),
    "etcd": Program("etcd", "go.etcd.io/etcd/server/v3", "v3.6.13"),
    "kwok": Program("kwok", "sigs.k8s.io/kwok/cmd/kwok", "v0.8.0"),
    "kustomize": Program("kustomize", "sigs.k8s.io/kustomize/kustomize/v5", "v5.8.1"),
}
CONTROL_PLANE = (
    "kubectl",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok",
)


class BuildError(Exception):
    """What a person must do before the program can be built."""


def cache_dir() -> Path:
    """The folder that holds all built programs."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "taut-test"


def path_of(name: str) -> Path:
    """Where the program lies once it is built."""
    program = PROGRAMS[name]
    return cache_dir() / f"{program.module}-{program.version}" / name


def _go_version(go: str) -> tuple[int, int] | None:
    try:
        out = subprocess.run(
            [go, "env", "GOVERSION"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env=dict(os.environ, GOTOOLCHAIN="local"),
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.match(r"go(\d+)\.(\d+)", out.strip())
    return (int(found[1]), int(found[2])) if found else None


def _candidates() -> list[str]:
    found = [shutil.which("go"), "/usr/local/go/bin/go", "/usr/lib/go/bin/go"]
    return [go for go in found if go and os.path.exists(go)]


def find_go() -> str:
    """A Go that is new enough: an installed one, or the toolchain module fetched by an older one."""
    fetched = cache_dir() / "go" / "bin" / "go"
    for go in [*_candidates(), str(fetched)]:
        version = _go_version(go)
        if version and version >= GO_NEEDED:
            return go
    for go in _candidates():
        return _fetch_toolchain(go)
    raise BuildError(
        "kubectl and the test cluster are built with Go and there is none here: "
        "install it with  apt-get install -y golang-go"
    )


def _fetch_toolchain(old_go: str) -> str:
    """An old Go downloads the newer toolchain as a module; the copy gets its execute bits back."""
    arch = subprocess.run([old_go, "env", "GOARCH"], capture_output=True, text=True, check=True)
    version = GO_ARM_TOOLCHAIN if arch.stdout.strip() == "arm64" else GO_TOOLCHAIN
    scratch = cache_dir() / "toolchain-module"
    scratch.mkdir(parents=True, exist_ok=True)
    print(f"fetching Go {version} (the one here is too old)", file=sys.stderr)
    env = dict(os.environ, GOFLAGS="-mod=mod", GOTOOLCHAIN="local")
    subprocess.run(
        [old_go, "mod", "download", f"golang.org/toolchain@{version}"],
        cwd=scratch,
        env=env,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    modules = subprocess.run([old_go, "env", "GOMODCACHE"], capture_output=True, text=True)
    origin = Path(modules.stdout.strip()) / "golang.org" / f"toolchain@{version}"
    target = cache_dir() / "go"
    partial = cache_dir() / f"go.{os.getpid()}"
    shutil.copytree(origin, partial, symlinks=True)
    for folder in ("bin", "pkg/tool"):
        for file in (partial / folder).rglob("*"):
            if file.is_file():
                file.chmod(0o755)
    for path in partial.rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | stat.S_IWUSR)
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
    return str(target / "bin" / "go")


def build(name: str) -> Path:
    """Builds one program unless it is there, and returns its path."""
    program, target = PROGRAMS[name], path_of(name)
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.parent / f".{name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if target.exists():
            return target
        go = find_go()
        print(f"building {name} {program.version}", file=sys.stderr, flush=True)
        partial = target.parent / f".{name}.partial"
        env = dict(os.environ, GOTOOLCHAIN="local", CGO_ENABLED="0", GOWORK="off")
        env["GOFLAGS"] = "-mod=readonly -buildvcs=false"
        env.pop("GOBIN", None)
        subprocess.run(
            [go, "build", "-trimpath", "-o", partial, "-ldflags", program.ldflags, program.package],
            cwd=HERE / program.module,
            env=env,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
        )
        partial.rename(target)
    return target


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the programs that the tests need.")
    parser.add_argument("programs", nargs="*", choices=[*PROGRAMS, []], help="default: all")
    wanted = parser.parse_args().programs or [*CONTROL_PLANE, "kustomize"]
    try:
        for name in wanted:
            print(build(name), flush=True)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"the build failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
