"""Waiting for a state, never for a time: a slow or busy machine needs longer and fails nothing."""

import os
import time

PATIENCE_S = 120 * float(os.environ.get("GANAD_TEST_PATIENCE") or 1)
"""So long may anything take before a test fails; a test that passes never waits for it."""


def until(true, what=lambda: "it never came to that"):
    """Ask again and again until `true()` is, and return that. `what` is asked for words when patience ends."""
    end = time.monotonic() + PATIENCE_S
    while not (found := true()):
        assert time.monotonic() < end, what()
        time.sleep(0.02)
    return found
