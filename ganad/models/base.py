"""What every method has: nets that are trained against each other, one step of that training, and the parts of a score."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ganad.config import Settings, parts_in
from ganad.models.density import CodeDensity
from ganad.models.looks import LOWEST, further_looks, turns
from ganad.models.ops.eager_adam import EagerAdam
from ganad.models.ops.fast_conv import gradients_of
from ganad.models.ops.fuse_bn import fold
from ganad.models.principal_density import PrincipalDensity
from ganad.models.residual_density import ResidualDensity, averaged
from ganad.models.scoring_program import ScoringProgram, Step
from ganad.models.transforms import TransformError
from ganad.models.typicality import Typicality, log_ink


class Parts(NamedTuple):
    """A method's result for B images: raw parts, higher = more anomalous, and what they were computed from."""

    residual: Tensor  # (B,)
    discrimination: Tensor  # (B,)
    latent: Tensor  # (B,)
    reconstruction: Tensor  # (B, 1, S, S) in [-1, 1]
    z: Tensor  # (B, nz)
    more: Mapping[str, Tensor] = MappingProxyType({})  # (B,) each: parts beyond the three, by their names in PARTS

    @property
    def by_name(self) -> dict[str, Tensor]:
        """part -> (B,), in the order of PARTS."""
        three = {"residual": self.residual, "discrimination": self.discrimination, "latent": self.latent}
        return three | {name: self.more[name] for name in parts_in(self.more)}


_STATISTICS = (
    "density",
    "typicality",
    "residuals",
    "features",
    "encoded",
    "transforms",
    "transform_features",
    "first_layer",
)
"""What `fit_statistics` fits, where a method has it; the names of their tensors in a scoring state begin so."""


def no_op() -> None:
    """The default of on_progress: nothing is to be done between the steps."""


class Method(nn.Module):
    """Nets under `nets`, their averaged copies under `averaged` when settings.ema_decay > 0, and an optimiser for each net."""

    is_folded = False

    def __init__(self, settings: Settings, nets: dict[str, nn.Module]):
        super().__init__()
        self.settings = settings
        self.nets = nn.ModuleDict(nets)
        self.averaged = nn.ModuleDict()
        if settings.ema_decay > 0:
            self.averaged = copy.deepcopy(self.nets).requires_grad_(False)
        self.averaged_steps: int | None = 0
        """How many steps the averages hold; None in a run that began when averages still held the first, untrained weights."""
        self._optimisers: dict[str, torch.optim.Optimizer] | None = None
        self.density = CodeDensity(settings.latent) if settings.fits_density else None
        self.typicality = Typicality() if any(settings.latent_statistics) else None
        self.residuals = ResidualDensity(settings.image_size) if settings.fits_residual_density else None
        """What normal codes and residuals are like, in a method that adds this to its latent part; fitted by `fit_statistics`."""
        self.features: PrincipalDensity | None = None
        """What a discriminator sees in normal images, in a method that adds this to its discrimination part; fitted there too."""
        self.encoded: PrincipalDensity | None = None
        """What an encoder sees in them below the code, in a method that adds this to its latent part; likewise."""
        self.transforms = (
            TransformError(self.image_layers(), settings.image_size) if settings.fits_transform_error else None
        )
        """What tells transformed images apart, likewise."""
        self.transform_features: PrincipalDensity | None = None
        """What that sees in normal images, in a method that adds this to its discrimination part; likewise."""
        self.first_layer: PrincipalDensity | None = None
        """What the first layer of that sees in them; likewise."""

    def networks(self) -> dict[str, nn.Module]:
        """The nets by the names that losses are logged under."""
        return dict(self.nets.items())

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        """One Adam for each net, created on first use, so that the nets are on their device by then."""
        if self._optimisers is None:
            s = self.settings
            self._optimisers = {
                name: EagerAdam(
                    net.parameters(),
                    lr=self.learning_rate(name),
                    betas=(s.beta1, s.beta2),
                    fused=True,
                )
                for name, net in self.nets.items()
            }
        return self._optimisers

    def learning_rate(self, name: str) -> float:
        """The step size of a net's optimiser."""
        s = self.settings
        return s.lr_d or s.lr if name == "discriminator" else s.lr

    def steer(self, settings: Settings) -> None:
        """Go on with other settings, of which the learning rates, the weights of losses and how images are varied may differ.

        The nets, the averages and what the optimisers remember stay as they are.
        """
        self.settings = settings
        for name, optimiser in self.optimisers().items():
            for group in optimiser.param_groups:
                group["lr"] = self.learning_rate(name)

    def phases(self) -> tuple[float, ...]:
        """Where each phase of the training begins, as a share of all its steps; most methods have one phase."""
        return (0.0,)

    def set_progress(self, share: float) -> None:
        """Called before each step with the share of the training that is done, in [0, 1): for methods that train in phases."""

    def generated(self, n: int) -> Tensor | None:
        """n images (n, 1, S, S) in [-1, 1] drawn from the same z each time, in a phase that has no reconstructions yet; else None."""
        return None

    def step(self, x: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """One update of every net on x (B, 1, S, S) in [-1, 1], -> losses by name; everything random comes from rng."""
        raise NotImplementedError

    def parts(self, x: Tensor, on_progress: Callable[[], None] = no_op) -> Parts:
        """The parts of the score of x (B, 1, S, S), each image by itself: with `look_turn` the lowest of three looks at it.

        Reconstruction, z and the residual part are those of the image as it is. A slow method calls on_progress between its steps; an
        error that on_progress raises ends the scoring.
        """
        if not self.settings.further_looks:
            return self.one_look(x, on_progress)
        seen, looks = self.all_looks(x, on_progress), 1 + len(turns(self.settings.further_looks))
        as_it_is = {name: values[: len(x)] for name, values in seen._asdict().items() if name != "more"}
        as_it_is["more"] = {name: values[: len(x)] for name, values in seen.more.items()}
        lowest = {part: getattr(seen, part).view(looks, len(x)).amin(dim=0) for part in LOWEST}
        return seen._replace(**as_it_is | lowest)

    def all_looks(self, x: Tensor, on_progress: Callable[[], None] = no_op) -> Parts:
        """The parts of each look at x (B, 1, S, S), one after the other: (B,) for x as it is, and as many for each of its `further_looks`."""
        # Together, which for a single image takes less than three passes.
        return self.one_look(torch.cat([x, *further_looks(x, self.settings.further_looks)]), on_progress)

    def one_look(self, x: Tensor, on_progress: Callable[[], None] = no_op) -> Parts:
        """The parts of x (B, 1, S, S) looked at once, as it is."""
        raise NotImplementedError

    def codes(self, x: Tensor) -> Tensor:
        """(B, nz): the codes of x whose statistics are fitted. Asked of methods alone that have `latent_statistics`."""
        raise NotImplementedError

    def discriminate(self, x: Tensor) -> Tensor:
        """(B, n): what the discriminator sees in x. Asked of methods alone that may have `w_feature_density`."""
        raise NotImplementedError

    def below_code(self, x: Tensor) -> Tensor:
        """(B, n): what the encoder sees in x, in the layer below the code. Asked of methods alone that may have `w_encoder_density`."""
        raise NotImplementedError

    def image_layers(self) -> nn.Sequential:
        """Of the discriminator that scores: from images (B, 1, S, S) to (B, n). Asked of methods alone that may have `w_transform`."""
        raise NotImplementedError

    def scoring_program(self) -> ScoringProgram | None:
        """The same as `parts`, as data that a browser can run too; None where an image is scored by a search."""
        return None

    def drawing_program(self) -> ScoringProgram:
        """From the value `z`, a code (nz,), to the value `reconstruction`, the image that the generator draws: as data, as `scoring_program`."""
        return ScoringProgram(
            {"generator": self.scoring_net("generator")}, (Step("reconstruction", "net", ("z",), "generator"),)
        )

    def latent_part(
        self, distance: Tensor, codes: Tensor, x: Tensor, x_hat: Tensor, below: Tensor | None = None
    ) -> Tensor:
        """The latent part (B,) from the distance (B,) of two codes of x.

        With `w_density` how unlikely `codes` (B, nz) are comes on top, with `w_typicality` how unusual that is for so much ink, with
        `w_residual_density` how unlikely what the reconstruction x_hat (B, 1, S, S) leaves over is, with `w_encoder_density` how unlikely
        what the encoder sees in x below the code (B, n) is.
        """
        latent = distance
        if self.density is not None:
            surprise = self.density.surprise(codes)
            latent = latent + self.density(surprise) + self.typicality(torch.stack([surprise, log_ink(x)], dim=1))
        if self.residuals is not None:
            latent = latent + self.residuals(x, x_hat)
        return latent if self.encoded is None else latent + self.encoded(below)

    def discrimination_part(self, distance: Tensor, x: Tensor, f: Tensor | None = None) -> Tensor:
        """The discrimination part (B,): the distance (B,) of two features, and all that `of_image` says of x (B, 1, S, S) and its features f (B, n)."""
        return sum(self.of_image(x, f).values(), distance)

    def of_image(self, x: Tensor, f: Tensor | None) -> dict[str, Tensor]:
        """setting -> (B,) what x (B, 1, S, S) alone adds to the discrimination part, whatever its reconstruction.

        With `w_feature_density` how unlikely the features f (B, n) are that D sees in it, with `w_transform` the transform error.
        """
        terms = {}
        if self.features is not None:
            terms["w_feature_density"] = self.features(f)
        if self.transforms is not None and self.transforms.is_fitted:
            terms["w_transform"] = self.transforms(x)
        return terms

    def with_transform_error(self, part: Tensor, x: Tensor) -> Tensor:
        """A part (B,) and, with `w_transform`, the transform error of the images x (B, 1, S, S)."""
        return part + self.transforms(x) if self.transforms is not None and self.transforms.is_fitted else part

    @torch.no_grad()
    def fit_statistics(
        self,
        fitted: Callable[[], Iterable[Tensor]],
        others: Callable[[], Iterable[Tensor]],
        on_progress: Callable[[], None] = no_op,
        *,
        varied: Callable[[], Iterable[Tensor]] | None = None,
        steps: int = 0,
    ) -> None:
        """Once, after the last step: what normal codes, residuals and features are like, in a method whose settings ask for it.

        fitted, others: give batches (B, 1, S, S) of two sets of normal training images. The mixtures are fitted to the first; the second
        chooses how many Gaussians they have, and gives the units: over it, density, typicality and the density of residuals have
        `w_density`, `w_typicality`, `w_residual_density` and `w_encoder_density` times the standard deviation of the distance of codes, the density of
        features `w_feature_density` times that of the distance of features, and the transform error `w_transform` times that of the
        distance in the part that it joins. varied: gives what the transforms are learned from; None: the first set. steps: of
        learning them. on_progress may end the fit by an error.
        """
        if not self.settings.fits_statistics:
            return
        folded = self.without_statistics()
        learned = self._looked_at(folded, fitted(), on_progress)
        asked = self._looked_at(folded, others(), on_progress, parts_too=True)
        how = {"seed": self.settings.seed, "on_progress": on_progress}
        if self.density is not None:
            w_density, w_typicality, w_residual_density = (
                w * float(asked["latent"].std()) for w in self.settings.latent_statistics
            )
            surprise = self.density.fit(learned["codes"], asked["codes"], w_density, **how)
            self.typicality.fit(np.stack([surprise, asked["ink"]], axis=1), w_typicality)
            if self.residuals is not None:
                self.residuals.fit(learned["left"], asked["left"], w_residual_density, **how)
        if self.features is not None:
            unit = self.settings.w_feature_density * float(asked["discrimination"].std())
            self.features.fit(learned["features"], asked["features"], unit, **how)
        if self.encoded is not None:
            unit = self.settings.w_encoder_density * float(asked["latent"].std())
            self.encoded.fit(learned["below_code"], asked["below_code"], unit, **how)
        self._fit_transforms(
            varied or fitted, others, float(asked[self.settings.transform_error_in].std()), steps, on_progress
        )

    def without_statistics(self) -> Method:
        """`folded`, whose parts lack what `fit_statistics` adds to them. This method keeps it, also where it is folded already."""
        folded = self.eval().folded()
        twin = copy.copy(folded)
        twin._modules = dict(folded._modules)
        for name in _STATISTICS:
            setattr(twin, name, None)
        return twin

    def _fit_transforms(
        self,
        fitted: Callable[[], Iterable[Tensor]],
        others: Callable[[], Iterable[Tensor]],
        spread: float,
        steps: int,
        on_progress: Callable[[], None],
    ) -> None:
        """The rest of `fit_statistics`. spread: the standard deviation, over the others, of the distance in the part that it joins."""
        if self.transforms is None or self.transforms.is_kept:
            return
        self.transforms.fit(self.image_layers(), fitted, steps, seed=self.settings.seed, on_progress=on_progress)
        surprise = torch.cat([self.transforms.surprise(x).double() for x in others()])
        self.transforms.weigh(float(surprise.std()), self.settings.w_transform * spread)

    def _looked_at(
        self, folded: Method, batches: Iterable[Tensor], on_progress: Callable[[], None], *, parts_too: bool = False
    ) -> dict[str, np.ndarray]:
        """What statistics are fitted to, a row for each image. folded: this method without its statistics."""
        columns: dict[str, list[np.ndarray]] = defaultdict(list)
        for x in batches:
            found: dict[str, Tensor] = {}
            if parts_too or self.residuals is not None:
                parts = folded.one_look(x)
                found |= {"latent": parts.latent.double(), "discrimination": parts.discrimination.double()}
            if self.residuals is not None:
                found["left"] = averaged(x, parts.reconstruction)
            if self.density is not None:
                found |= {"codes": folded.codes(x).float(), "ink": log_ink(x).double()}
            if self.features is not None:
                found["features"] = folded.discriminate(x).float()
            if self.encoded is not None:
                found["below_code"] = folded.below_code(x).float()
            for name, values in found.items():
                columns[name].append(values.cpu().numpy())
            on_progress()
        return {name: np.concatenate(values) for name, values in columns.items()}

    def scoring_net(self, name: str) -> nn.Module:
        """The net that images are scored with: the averaged one where there is one."""
        return self.averaged[name] if self.settings.ema_decay > 0 else self.nets[name]

    def folded(self) -> Method:
        """A copy that only scores: faster, with the same results up to rounding. This method may go on training.

        The copy is frozen and in eval(). It holds the nets of `scoring_net`, and shares no tensor with this method.
        """
        if self.is_folded:
            return self
        twin = copy.copy(self)
        twin.is_folded = True
        twin._modules = {}
        twin.nets = nn.ModuleDict({name: fold(self.scoring_net(name)) for name in self.nets})
        twin.averaged = twin.nets
        for name in _STATISTICS:
            setattr(twin, name, copy.deepcopy(getattr(self, name)))
        if twin.transforms is not None:
            twin.transforms.see = fold(twin.transforms.see)
        twin._optimisers = None
        return twin.eval()

    def update(self, loss: Tensor, *names: str, again: bool = False) -> None:
        """One step of the named nets' optimisers down the loss; no other net gets a gradient. again: keep the graph for another loss."""
        nets = [self.nets[name] for name in names]
        own = [p for net in nets for p in net.parameters()]
        with gradients_of(own):
            gradients = torch.autograd.grad(loss, own, retain_graph=again)
        for p, g in zip(own, gradients, strict=True):
            # A fused Adam reads both in the order of memory, whatever their strides: the gradient gets the weight's.
            p.grad = g if g.stride() == p.stride() else torch.empty_like(p).copy_(g)
        for name in names:
            self.optimisers()[name].step()

    @torch.no_grad()
    def update_ema(self, *names: str) -> None:
        """Take the present nets (those named, or all) into the averages: once after each step.

        The averages hold what was learned, and nothing of the untrained nets: after step t the present nets have a share of
        max(1 - a, 9 / (t + 8)) in them, a = settings.ema_decay, and what was there the rest. So at first they are means of
        about the last tenth of the steps, with weights C(i + 7, 8) for step i ("polynomial-decay averaging", Shamir and Zhang
        2013; the warm-up of TensorFlow's averages), and exponential averages once those reach as far back. What is no
        float, such as batch norm's count of batches, is the present one.
        """
        # Not torch.optim.swa_utils.AveragedModel: it averages all buffers or none, and batch norm has both kinds.
        keep = self.settings.ema_decay
        if not keep:
            return
        share = 1 - keep
        if self.averaged_steps is not None:
            self.averaged_steps += 1
            share = max(share, 9 / (self.averaged_steps + 8))
        for name in names or self.nets:
            slow_state, fast_state = self.averaged[name].state_dict(), self.nets[name].state_dict()
            for slow, fast in zip(slow_state.values(), fast_state.values(), strict=True):
                if slow.is_floating_point():
                    slow.lerp_(fast, share)
                else:
                    slow.copy_(fast)

    def scoring_state(self) -> dict[str, Tensor]:
        """The tensors that `parts` needs."""
        state = (self.averaged if self.settings.ema_decay > 0 else self.nets).state_dict()
        for name, module in self._statistics().items():
            state |= module.state_dict(prefix=name)
        return state

    def load_scoring_state(self, state: dict[str, Tensor]) -> None:
        """Take over what another instance's `scoring_state` gave. Raises RuntimeError where it does not fit."""
        nets, own = self.load_scoring_nets(state), self._statistics()
        if nets < len(state) and not own:
            raise RuntimeError(
                "statistics of normal images are there, and the settings ask for none (w_density, w_typicality, w_feature_density, w_encoder_density, w_transform, w_transform_density, w_first_layer_density)"
            )
        for prefix, module in own.items():
            module.load_state_dict({n.removeprefix(prefix): t for n, t in state.items() if n.startswith(prefix)})

    def load_scoring_nets(self, state: dict[str, Tensor]) -> int:
        """Take over the nets alone of such a state; returns how many of its tensors they are."""
        nets = {name: tensor for name, tensor in state.items() if name.split(".")[0] not in _STATISTICS}
        (self.averaged if self.settings.ema_decay > 0 else self.nets).load_state_dict(nets)
        return len(nets)

    def _statistics(self) -> dict[str, nn.Module]:
        """What `fit_statistics` fits, by the beginning of its names in a scoring state."""
        return {f"{name}.": module for name in _STATISTICS if (module := getattr(self, name)) is not None}

    def training_state(self) -> dict[str, Any]:
        """Everything needed to go on with the same numbers."""
        return {
            "nets": self.state_dict(),
            "optimisers": {name: o.state_dict() for name, o in self.optimisers().items()},
            "averaged_steps": self.averaged_steps,
        }

    def load_training_state(self, state: dict[str, Any]) -> None:
        self.load_state_dict(state["nets"])
        self.averaged_steps = state.get("averaged_steps")  # a state without it goes on as it began
        for name, optimiser in self.optimisers().items():
            optimiser.load_state_dict(state["optimisers"][name])

    def lay_channels_last(self) -> None:
        """Images, and the weights of convolutions, with their channels last in memory; what the optimisers remember of the weights as well.

        A fused Adam reads both in the order of memory, and a saved state may have been laid out otherwise.
        """
        self.to(memory_format=torch.channels_last)
        for optimiser in self.optimisers().values():
            for p, remembered in optimiser.state.items():
                for key, value in remembered.items():
                    if isinstance(value, Tensor) and value.shape == p.shape and value.stride() != p.stride():
                        remembered[key] = torch.empty_like(p).copy_(value)
