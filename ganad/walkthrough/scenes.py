"""What is watched, as data: a diagram of nets and values, and the moments in which it fills."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class Layer:
    """What one layer gave for the watched image."""

    name: str  # "Convolution 4x4, stride 2"
    output: np.ndarray  # (maps, height, width) or (n,), float32
    window: tuple[int, int, int] | None = None
    """Kernel, stride and padding of a convolution; negative stride: of a transposed one, which spreads instead of gathers."""
    given: np.ndarray | None = None
    """What a layer with weights was given: (maps, height, width) or (n,)."""
    weight: np.ndarray | None = None
    """(maps, given maps, kernel, kernel) of a convolution, transposed or not; (n, given numbers) of a linear layer; else None."""
    bias: np.ndarray | None = None
    """(maps,) or (n,), where there is one."""


@dataclass(frozen=True)
class Call:
    """One pass of the watched image through a net."""

    net: str
    inputs: tuple[np.ndarray, ...]
    outputs: tuple[np.ndarray, ...]
    layers: tuple[Layer, ...]


Kind = Literal["image", "code", "features", "number", "net"]


@dataclass(frozen=True)
class Node:
    """A value or a net in the diagram. column 0 to 4, row 0 to 2; a narrow screen exchanges both."""

    id: str
    label: str
    kind: Kind
    column: int
    row: int
    net: str = ""
    """For a net: the player whose colour it has."""
    trained_as: str = ""
    """For a net: what its weights are called among the nets that a method trains, where that is another name."""

    @property
    def weights(self) -> str:
        """The net, among those that a method trains, whose weights it has."""
        return self.trained_as or self.net


@dataclass(frozen=True)
class Edge:
    """What flows from one node to another."""

    start: str
    end: str


@dataclass(frozen=True)
class Term:
    """A piece of a formula; one with an id is lit in the moments that name it."""

    text: str
    id: str = ""


Value = np.ndarray | float


@dataclass(frozen=True)
class Moment:
    """One step of the walk."""

    title: str
    text: str
    lit: tuple[str, ...] = ()  # nodes
    flow: tuple[tuple[str, str], ...] = ()  # edges
    terms: tuple[str, ...] = ()  # of the formula
    values: tuple[tuple[str, Value], ...] = ()
    """node -> what it holds from here on."""
    learns: tuple[str, ...] = ()
    """Nets whose weights change here."""
    call: Call | None = None
    """The pass through a net that happens here, whose layers can be looked at."""


@dataclass(frozen=True)
class Scene:
    """A diagram, its formulas and its moments in order."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    formulas: tuple[tuple[Term, ...], ...]
    moments: tuple[Moment, ...]
