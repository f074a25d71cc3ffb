"""Method <-> files: safetensors for what scoring needs, a weights-only torch file for what resuming needs."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from ganad.config import command
from ganad.errors import RunError, cause, file_errors
from ganad.models import Method, build
from ganad.runs import epoch_nets, kept_states, run_directory, small_weights
from ganad.system import files


def pick_device() -> torch.device:
    """CUDA when there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def save_weights(run: Path, method: Method) -> None:
    """weights.safetensors: the tensors that scoring needs, and no more."""
    save_tensors(run, method.scoring_state())


def save_tensors(run: Path, state: dict[str, Any]) -> None:
    """weights.safetensors from a scoring state, in whatever precision its tensors have, with its checksum."""
    tensors = {k: v.detach().cpu().contiguous() for k, v in state.items()}
    with run_directory.replaced_with_checksum(run / "weights.safetensors") as file:
        file.write(save(tensors, metadata={"format": "pt"}))


def epoch_content(method: Method) -> bytes:
    """What scoring needs of a method in the middle of its training, in half precision."""
    state = {k: v.detach().cpu().contiguous() for k, v in method.scoring_state().items()}
    return save({k: v.half() if v.is_floating_point() else v for k, v in state.items()}, metadata={"format": "pt"})


def save_epoch(run: Path, epoch: int, content: bytes) -> None:
    """The nets of an epoch, from `epoch_content`, with their checksum."""
    with run_directory.replaced_with_checksum(epoch_nets.place(run, epoch)) as file:
        file.write(content)


def load_method(run: Path, device: torch.device | None = None) -> Method:
    """The trained method of a run, frozen and in eval(), ready to be shared. Raises RunError if it cannot be."""
    return _built(run, load_tensors(run), "The weights", device)


def load_epoch(run: Path, epoch: int) -> Method:
    """The method as it was after an epoch whose nets were kept, ready to be shared. Raises RunError if it cannot be."""
    content = files.read_verified(epoch_nets.place(run, epoch))
    if content is None:
        raise RunError(f"{run.name} has not kept its nets of epoch {epoch}.")
    return _built(
        run,
        _tensors(content, f"epoch {epoch} in {epoch_nets.FOLDER} of {run.name}", ""),
        f"The nets of epoch {epoch}",
        None,
    )


def _built(run: Path, tensors: dict[str, torch.Tensor], what: str, device: torch.device | None) -> Method:
    """what: begins the message of the RunError that is raised where the tensors do not fit the settings."""
    method = build(run_directory.settings(run))
    try:
        method.load_scoring_state(small_weights.widen(tensors))
    except (RuntimeError, KeyError, AttributeError) as error:
        raise RunError(f"{what} of {run.name} do not fit its config.json: {cause(error)}") from None
    return method.to(device or pick_device()).eval().requires_grad_(False)


def load_tensors(run: Path) -> dict[str, torch.Tensor]:
    """weights.safetensors as it lies there. Raises RunError if it does not, or if it is damaged."""
    content = files.read_verified(run / "weights.safetensors")
    if content is None:
        finished = (run / "scores.npz").exists()
        why = (
            f"was shipped without its nets, so it cannot judge new images. Train it: {command(run_directory.settings(run))}"
            if finished
            else "has no weights yet: they are written when its training ends."
        )
        raise RunError(f"{run.name} {why}")
    return _tensors(content, f"weights.safetensors of {run.name}", AGAIN)


def _tensors(content: bytes, what: str, advice: str) -> dict[str, torch.Tensor]:
    """Raises RunError unless these are finite tensors. what, advice: begin and end of its message."""
    try:
        tensors = load(content)
    except SafetensorError as error:
        raise RunError(f"{what} is damaged ({error}). {advice}".rstrip()) from None
    if bad := [k for k, v in tensors.items() if v.is_floating_point() and not v.isfinite().all()]:
        raise RunError(f"{what} is damaged: {bad[0]} holds values that are not finite. {advice}".rstrip())
    return tensors


AGAIN = "Bring it back from a copy, or train the run again."


def save_state(run: Path, method: Method, *, step: int, seconds: float, precision: str) -> None:
    """state.pt: everything that a resumed run needs to go on with the same numbers."""
    _write_state(run / "state.pt", method, step=step, seconds=seconds, precision=precision)


def keep_state(run: Path, method: Method, *, epoch: int, step: int, seconds: float, precision: str) -> None:
    """The same, in `states/`, where it stays: what the run stood at after an epoch, for runs that branch off there."""
    path = kept_states.path(run, epoch)
    path.parent.mkdir(exist_ok=True)
    _write_state(path, method, step=step, seconds=seconds, precision=precision)


def _write_state(path: Path, method: Method, *, step: int, seconds: float, precision: str) -> None:
    state = {"method": method.training_state(), "step": step, "seconds": seconds, "precision": precision}
    whole = io.BytesIO()  # torch's own writer does not say why a disk refuses
    torch.save(state, whole)
    with run_directory.replaced(path) as file:
        file.write(whole.getbuffer())


def load_state(run: Path, device: torch.device) -> dict[str, Any] | None:
    """The last saved state, or None if there is none yet. Raises RunError if it is damaged."""
    content = files.read_bytes(run / "state.pt")
    if content is None:
        return None
    advice = "Start a new run with the same settings, or remove the file to begin this one anew."
    with file_errors(f"state.pt of {run.name} is damaged", advice, RunError):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:  # torch itself does not compare the checksums
            if (bad := archive.testzip()) is not None:
                raise RunError(f"state.pt of {run.name} is damaged: {bad} does not fit its CRC-32. {advice}")
        state = torch.load(io.BytesIO(content), map_location=device, weights_only=True)
        if {"method", "step", "seconds", "precision"} - state.keys():
            raise ValueError("it is no state of a training")
        return state
