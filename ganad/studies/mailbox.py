"""What tasks of a study leave for whoever sweeps, on a cluster.

In a file of its own that imports next to nothing: each study starts a process for it, which imports this alone.
"""

from __future__ import annotations

from typing import Any


class Mailbox:
    """On the cluster: what tasks say while they train, until the sweep takes it."""

    def __init__(self) -> None:
        self.states: dict[str, bytes] = {}
        self.fresh: set[str] = set()
        self.news: dict[str, dict[str, Any]] = {}

    def report(self, key: str, status: dict[str, Any]) -> None:
        """How a run stands."""
        self.news[key] = status

    def keep(self, key: str, state: bytes) -> None:
        """The last saved state of a run."""
        self.states[key] = state
        self.fresh.add(key)

    def state(self, key: str) -> bytes | None:
        """The last saved state of a run, if it has any."""
        return self.states.get(key)

    def take(self) -> tuple[dict[str, dict[str, Any]], dict[str, bytes]]:
        """What has come since the last time: reports, and new states."""
        new = {key: self.states[key] for key in self.fresh}
        news, self.news, self.fresh = self.news, {}, set()
        return news, new
