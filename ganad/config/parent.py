"""Where a run branched off from another one."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Parent(BaseModel):
    """The run whose state a branch begins with, and after which of its epochs that was."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str = Field(min_length=1, max_length=255)
    """Name of its directory, where the branch was made."""
    epoch: int = Field(ge=1)

    def __str__(self) -> str:
        return f"{self.run}, after epoch {self.epoch}"
