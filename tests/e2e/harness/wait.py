# SPDX-License-Identifier: Apache-2.0
"""Waiting for something to become true, with a deadline and a reason when it does not."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from http.client import HTTPException
from typing import TypeVar

from harness.kube import KubeError

T = TypeVar("T")
POLL_SECONDS = 0.05
DEFAULT_SECONDS = 60.0
PATIENCE = float(os.environ.get("TAUT_TEST_PATIENCE", "1"))  # a factor for slow machines


# What a probe may meet while a server has not written everything yet: a field that is absent (lookup)
# or null (type, attribute), a list of another length (value), an answer that was cut.
REFUSALS = (
    AssertionError,
    AttributeError,
    HTTPException,
    KubeError,
    LookupError,
    OSError,
    TypeError,
    ValueError,
)


class NotYet(AssertionError):
    """Raised inside a probe to say what is still missing."""


def eventually(probe: Callable[[], T], *, within: float = DEFAULT_SECONDS, what: str = "") -> T:
    """Calls probe until it returns something true; the last refusal tells what was missing."""
    deadline = time.monotonic() + within * PATIENCE
    last: object = None
    while True:
        try:
            result = probe()
            if result:
                return result
            last = result
        except REFUSALS as refusal:
            last = refusal
        if time.monotonic() > deadline:
            name = what or getattr(probe, "__name__", "it")
            raise AssertionError(f"{name} did not happen within {within:g} s; last seen: {last}")
        time.sleep(POLL_SECONDS)


def throughout(probe: Callable[[], object], *, seconds: float, what: str) -> None:
    """Holds when probe stays true for the whole time; for what must not happen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        seen = probe()
        assert seen, f"{what} stopped being true: {seen}"
        time.sleep(POLL_SECONDS * 4)
