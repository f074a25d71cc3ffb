"""The setting of how often an image is looked at when it is scored. What it means: `ganad.models.looks`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

LookTurn = Annotated[
    float,
    Field(
        ge=0,
        le=45,
        description="the image is also looked at turned by so many degrees to either side, and discrimination and latent part are each the "
        "lowest of the three looks (AnoGAN, which searches once: what the discrimination part asks of the image alone); an addition to the paper, 0 looks once",
    ),
]
LOOKS_LABEL = {"look_turn": ("Score", "Turn of the further looks, in degrees")}
