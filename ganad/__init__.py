"""ganad: see what a GAN finds strange.

`from ganad import Detector, load_mnist` is the Python door; `python -m ganad --help` the command line's.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Detector", "load_mnist"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Imported when asked for: torch takes seconds, and most commands and pages never need it.
    if name == "Detector":
        from ganad.detector import Detector

        return Detector
    if name == "load_mnist":
        from ganad.data.sources import load_mnist

        return load_mnist
    raise AttributeError(f"module 'ganad' has no attribute {name!r}")
