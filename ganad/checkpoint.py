"""Method <-> files: safetensors for what scoring needs, a weights-only torch file for what resuming needs."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from ganad import runs
from ganad.config import command
from ganad.errors import RunError
from ganad.models import Method, build


def pick_device() -> torch.device:
    """CUDA when there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def save_weights(run: Path, method: Method) -> None:
    """weights.safetensors: the tensors that scoring needs, and no more."""
    save_tensors(run, method.scoring_state())


def save_tensors(run: Path, state: dict[str, Any]) -> None:
    """weights.safetensors from a scoring state, in whatever precision its tensors have."""
    tensors = {k: v.detach().cpu().contiguous() for k, v in state.items()}
    with runs.replaced(run / "weights.safetensors") as file:
        file.write(save(tensors, metadata={"format": "pt"}))


def load_method(run: Path, device: torch.device | None = None) -> Method:
    """The trained method of a run, frozen and in eval(), ready to be shared. Raises RunError if it cannot be."""
    settings = runs.settings(run)
    tensors = load_tensors(run)
    method = build(settings)
    try:
        # Shipped weights may be stored in half precision; nets always work in float32.
        method.load_scoring_state({k: v.float() if v.is_floating_point() else v for k, v in tensors.items()})
    except (RuntimeError, KeyError) as error:
        raise RunError(f"The weights of {run.name} do not fit its config.json: {error}") from None
    return method.to(device or pick_device()).eval().requires_grad_(False)


def load_tensors(run: Path) -> dict[str, torch.Tensor]:
    """weights.safetensors as it lies there. Raises RunError if it does not, or cannot be read."""
    path = run / "weights.safetensors"
    try:
        return load(path.read_bytes())
    except FileNotFoundError:
        finished = (run / "scores.npz").exists()
        why = (
            f"was shipped without its nets, so it cannot judge new images. Train it: {command(runs.settings(run))}"
            if finished
            else "has no weights yet: they are written when its training ends."
        )
        raise RunError(f"{run.name} {why}") from None
    except SafetensorError as error:
        raise RunError(f"{path.name} of {run.name} cannot be read ({error}).") from None


def save_state(run: Path, method: Method, *, step: int, seconds: float, precision: str) -> None:
    """state.pt: everything that a resumed run needs to go on with the same numbers."""
    state = {"method": method.training_state(), "step": step, "seconds": seconds, "precision": precision}
    with runs.replaced(run / "state.pt") as file:
        torch.save(state, file)


def load_state(run: Path, device: torch.device) -> dict[str, Any] | None:
    """The last saved state, or None if there is none yet. Raises RunError if it is damaged."""
    try:
        return torch.load(run / "state.pt", map_location=device, weights_only=True)
    except FileNotFoundError:
        return None
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise RunError(
            f"state.pt of {run.name} cannot be read ({error}). Start a new run with the same settings."
        ) from None
