"""AnoGAN against its paper: shapes, counts, a step against a plain slow one, and a search that does what it says."""

import copy

import numpy as np
import pytest
import torch
from scipy.spatial.distance import mahalanobis
from torch import nn

from ganad.config import resolve
from ganad.models import build
from ganad.models.anogan import search_lr
from ganad.models.augment import all_varied, augmented
from ganad.models.first_layer import averages
from ganad.models.looks import further_looks
from ganad.models.principal_density import PrincipalDensity
from ganad.runs import checkpoint
from ganad.scoring.score import fit_statistics, score, to_input
from tests.models.test_egbad import SIZE, conv, cross_entropy, idle, images, linear
from tests.models.test_ganomaly import assert_ends_alike, outputs

PLAIN = dict(
    ema_decay=0.0,
    lr=1e-3,
    lr_d=5e-4,
    search_steps=40,
    search_lr=0.1,
    search_candidates=0,
    search_patience=0,
    w_typicality=0.0,
    w_feature_density=0.0,
    w_transform_density=0.0,
    w_first_layer_density=0.0,
    look_turn=0.0,
    weights=(0.9, 0.1, 0.0),
)


def tiny(architecture="small", **asked):
    fixed = dict(architecture=architecture, image_size=SIZE[architecture], filters=4, latent=6)
    return build(resolve("anogan", "tuned", normal=(8,), **(fixed | PLAIN | asked)))


def lively(**asked):
    """In double precision, with weights large enough that z moves the picture: rounding cannot be mistaken for anything."""
    method = tiny(**asked).double().eval()
    with torch.no_grad():
        for p in method.parameters():
            if p.ndim > 1:
                p.mul_(8)
    return method


def preset(name):
    return build(resolve("anogan", name, normal=(8,)))


def test_the_nets_of_the_paper_have_the_shapes_of_the_release():
    nets = preset("paper").networks()
    g, d = nets["generator"], nets["discriminator"]
    x, z = torch.zeros(2, 1, 28, 28), torch.zeros(2, 200)
    assert outputs(g, nn.ConvTranspose2d, z) == [(64, 14), (1, 28)]
    assert outputs(d, nn.Conv2d, x) == [(64, 14), (64, 7)]
    assert (g(z).shape, d(x)[0].shape, d(x)[1].shape) == ((2, 1, 28, 28), (2,), (2, 1024))
    assert {m.negative_slope for m in d.modules() if isinstance(m, nn.LeakyReLU)} == {0.1}


def test_the_nets_of_the_paper_have_as_many_numbers_as_their_layers_say():
    expected = {
        "generator": linear(200, 1024)
        + 2 * 1024
        + linear(1024, 6272)
        + 2 * 6272
        + conv(128, 64)
        + 2 * 64
        + conv(64, 1),
        "discriminator": conv(1, 64) + conv(64, 64) + 2 * 64 + linear(3136, 1024) + 2 * 1024 + linear(1024, 1),
    }
    counts = {name: sum(p.numel() for p in net.parameters()) for name, net in preset("paper").networks().items()}
    assert counts == expected
    assert counts["generator"] == 6_781_505  # the very generator of EGBAD's release


def test_the_nets_of_the_article_have_the_shapes_of_the_tutorial():
    nets = preset("article").networks()
    g, d = nets["generator"], nets["discriminator"]
    x, z = torch.zeros(2, 1, 64, 64), torch.zeros(2, 20)
    assert outputs(g, nn.ConvTranspose2d, z) == [(512, 4), (256, 8), (128, 16), (64, 32), (1, 64)]
    assert outputs(d, nn.Conv2d, x) == [(64, 32), (128, 16), (256, 8), (512, 4), (512, 1)]
    assert d(x)[1].shape == (2, 512)
    counts = {name: sum(p.numel() for p in net.parameters()) for name, net in nets.items()}
    assert counts == {"generator": 2_920_257, "discriminator": 6_961_492 - linear(512, 20) + linear(512, 1)}


@pytest.mark.parametrize("name", ["paper", "article"])
def test_the_first_weights_of_the_presets_are_those_of_the_release(name):
    for net in preset(name).networks().values():
        for m in net.modules():
            if isinstance(m, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                # Of n draws, the standard deviation is off by 1 / sqrt(2 n) of itself; four times that is rare.
                assert m.weight.std().item() == pytest.approx(0.02, rel=4 / (2 * m.weight.numel()) ** 0.5)
                assert not m.bias.any()


@pytest.mark.parametrize("architecture", SIZE)
def test_three_steps_end_where_the_plain_slow_version_ends(architecture):
    """The textbook: G(z) made for each use, detach, gradients set to zero, backward, Adam; D, then G."""
    method = tiny(architecture)
    plain = copy.deepcopy(method)
    g, d = plain.nets["generator"], plain.nets["discriminator"]
    opt_g, opt_d = (torch.optim.Adam(net.parameters(), lr=lr, betas=(0.5, 0.999)) for net, lr in ((g, 1e-3), (d, 5e-4)))
    method.train(), plain.train()
    for k in range(3):
        x = images(method, seed=k)
        said = method.step(x, torch.Generator().manual_seed(k))
        z = torch.randn((len(x), 6), generator=torch.Generator().manual_seed(k))
        opt_d.zero_grad()
        loss_d = cross_entropy(d(x)[0], 1.0) + cross_entropy(d(g(z).detach())[0], 0.0)
        loss_d.backward()
        opt_d.step()
        opt_g.zero_grad()
        loss_g = cross_entropy(d(g(z))[0], 1.0)
        loss_g.backward()
        opt_g.step()
        assert said["loss/discriminator"].item() == pytest.approx(loss_d.item(), rel=1e-3), k
        assert said["loss/generator"].item() == pytest.approx(loss_g.item(), rel=1e-3), k
    for player, net in plain.nets.items():
        passive, expected = idle(net), dict(net.named_parameters())
        for name, p in method.nets[player].named_parameters():
            if name not in passive:
                assert_ends_alike(p, expected[name], f"{player}.{name}")


def plain_search(method, x):
    """One image, one path, torch's own Adam and schedule. Returns the best z on the way and the scores."""
    s = method.settings
    g, d = method.nets["generator"], method.nets["discriminator"]
    z = torch.randn((1, s.latent), generator=torch.Generator().manual_seed(0)).double().requires_grad_()
    adam = torch.optim.Adam([z], lr=s.search_lr)
    plan = torch.optim.lr_scheduler.MultiStepLR(adam, [int(0.4 * s.search_steps)], gamma=0.1)
    last = torch.optim.lr_scheduler.MultiStepLR(adam, [int(0.6 * s.search_steps)], gamma=0.5)
    seen = []
    for _ in range(s.search_steps + 1):
        made = g(z)
        loss = s.weights[0] * (x - made).abs().sum() + s.weights[1] * (d(x)[1] - d(made)[1]).abs().sum()
        loss = loss + s.weights[2] * (z**2).mean()
        seen.append((loss.item(), z.detach().clone()))
        adam.zero_grad()
        loss.backward()
        adam.step(), plan.step(), last.step()
    return min(seen, key=lambda pair: pair[0])[1], [value for value, _ in seen]


@pytest.mark.parametrize("weights", [(0.9, 0.1, 0.0), (0.5, 0.0, 20.0)])
def test_the_search_is_that_of_torchs_own_adam_on_each_image(weights):
    method = lively(weights=weights)
    x = images(method, 3).double()
    looks = list(method.search(x))
    assert len(looks) == 41
    for i in range(3):
        best, scores = plain_search(method, x[i : i + 1])
        torch.testing.assert_close(looks[-1].z[i : i + 1], best, rtol=1e-6, atol=1e-8)
        assert [look.paths[i, 0].item() for look in looks] == pytest.approx(scores, rel=1e-5)
        assert looks[-1].score[i].item() == pytest.approx(min(scores), rel=1e-5)


def test_the_release_takes_500_steps_at_three_step_sizes():
    s = resolve("anogan", "paper", normal=(8,))
    assert (s.search_steps, s.search_restarts, s.search_candidates, s.search_patience) == (500, 1, 0, 0)
    rates = [search_lr(s, k) for k in range(500)]
    assert rates == pytest.approx([0.01] * 200 + [0.001] * 100 + [0.0005] * 200)


def test_a_search_only_ever_gets_nearer():
    method = lively(search_restarts=3)
    scores = torch.stack([look.score for look in method.search(images(method, 4).double())])
    assert (scores[1:] <= scores[:-1]).all()
    assert (scores[-1] < 0.995 * scores[0]).all()


def test_only_z_moves():
    method = lively()
    before = copy.deepcopy(method.state_dict())
    wanted = [p.requires_grad for p in method.parameters()]
    method.parts(images(method, 2).double())
    after = method.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before)
    assert all(p.grad is None for p in method.parameters())
    assert [p.requires_grad for p in method.parameters()] == wanted


def test_a_score_depends_on_its_image_alone():
    method = lively(search_restarts=2, search_patience=5, search_candidates=16)
    x = images(method, 5).double()
    together = method.parts(x)
    for i in (0, 4):
        alone = method.parts(x[i : i + 1])
        for name in ("residual", "discrimination", "latent"):
            expected = getattr(alone, name).item()
            assert getattr(together, name)[i].item() == pytest.approx(expected, rel=1e-5), name
    backwards = method.parts(x.flip(0))
    torch.testing.assert_close(backwards.z.flip(0), together.z, rtol=1e-5, atol=1e-7)


def test_scoring_twice_says_the_same_and_leaves_the_global_generator_alone():
    method = tiny(search_candidates=8)
    pictures = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
    torch.manual_seed(5)
    first = score(method, pictures)
    drawn = torch.rand(1)
    torch.manual_seed(5)
    assert torch.rand(1) == drawn
    assert (score(method, pictures).parts["residual"] == first.parts["residual"]).all()


def test_more_starts_never_end_farther_away():
    one, three = lively(), lively(search_restarts=3)
    x = images(one, 4).double()
    *_, few = one.search(x)
    *_, more = three.search(x)
    assert more.paths.shape == (4, 3)
    assert (more.score <= few.score + 1e-9).all()
    assert (more.score < few.score - 1e-6).any()


def test_with_a_bank_the_search_starts_at_the_nearest_drawn_picture():
    method = lively(search_candidates=32, search_restarts=2)
    rng = torch.Generator().manual_seed(0)
    drawn = torch.stack([torch.randn(6, generator=rng) for _ in range(32)]).double()
    x = method.picture(drawn[[7, 21]])
    x_double = method.scoring_net("generator")(drawn[[7, 21]]).detach()
    start = next(method.search(x_double))
    torch.testing.assert_close(start.z, drawn[[7, 21]])
    assert x.dtype == torch.float32
    assert start.score.max().item() < 1e-5


def test_a_path_that_no_longer_falls_is_left_and_the_others_go_on():
    method = lively(search_patience=3, search_lr=1e-9, search_steps=30)
    looks = list(method.search(images(method, 3).double()))
    assert [look.going for look in looks] == [3] * 4  # the start, and three steps without a thousandth gained
    going = [look.going for look in lively(search_patience=4).search(images(method, 6).double())]
    assert going == sorted(going, reverse=True)
    assert len(set(going)) > 2


def test_whoever_listens_is_called_at_every_step_and_can_end_the_search():
    method, calls = tiny(), []

    def tick():
        calls.append(1)
        if len(calls) == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        method.eval().parts(images(method, 2), tick)
    assert len(calls) == 7


@pytest.mark.parametrize("architecture", SIZE)
@torch.no_grad()
def test_the_parts_are_what_the_page_says(architecture):
    method = tiny(architecture, search_steps=5).eval()
    x = images(method, 3)
    parts = method.parts(x)
    g, d = (method.nets[n] for n in ("generator", "discriminator"))
    for i in range(len(x)):
        one, z = x[i : i + 1], parts.z[i : i + 1]
        x_hat = g(z)
        f, f_hat = d(one)[1].numpy(), d(x_hat)[1].numpy()
        assert parts.residual[i].item() == pytest.approx(np.abs(one.numpy() - x_hat.numpy()).sum(), rel=1e-5)
        assert parts.discrimination[i].item() == pytest.approx(np.abs(f - f_hat).sum(), rel=1e-3)
        assert parts.latent[i].item() == pytest.approx((z**2).mean().item(), rel=1e-5)
        torch.testing.assert_close(parts.reconstruction[i : i + 1], x_hat, rtol=1e-4, atol=1e-5)


def test_typicality_is_the_squared_distance_of_mahalanobis_of_residual_and_ink_from_those_of_training_images():
    rng = np.random.default_rng(1)
    asked = dict(search_steps=5, weights=(0.2, 0.8, 10.0), ema_decay=0.0)
    plain, typical = tiny(**asked).eval(), tiny(**asked, w_typicality=3.0).eval()
    typical.load_scoring_state(plain.scoring_state() | typical.typicality.state_dict(prefix="typicality."))
    train = (rng.integers(0, 256, (60, 28, 28)) * rng.uniform(0.1, 1, (60, 1, 1))).astype(np.uint8)
    fit_statistics(plain, train)  # nothing happens
    fit_statistics(typical, train)
    found, without = score(typical, train).parts, score(plain, train).parts
    np.testing.assert_array_equal(found["residual"], without["residual"])
    ink = train.reshape(60, -1).sum(axis=1) / (255 * 32**2)
    statistics = np.stack([np.log(without["residual"]), np.log(ink)], axis=1)
    fitted = np.random.default_rng(0).permutation(60)[:12]  # a fifth of them, drawn by the seed
    precision, middle = np.linalg.inv(np.cov(statistics[fitted].T)), statistics[fitted].mean(axis=0)
    expected = np.array([mahalanobis(row, middle, precision) ** 2 for row in statistics])
    expected *= 3.0 * without["latent"][fitted].std() / expected[fitted].std()
    np.testing.assert_allclose(found["latent"] - without["latent"], expected, rtol=2e-2, atol=1e-3)


def of_copy(method, x):
    return method.transforms.see(x)


def of_first_layer(method, x):
    return averages(method.transforms.see, x)


@pytest.mark.parametrize(
    ("setting", "seen", "directions"),
    [("w_transform_density", of_copy, 64), ("w_first_layer_density", of_first_layer, 32)],
)
def test_the_discrimination_part_has_how_rare_is_what_the_copy_of_d_sees_among_images_of_which_half_are_varied(
    setting, seen, directions
):
    asked = dict(search_steps=5, weights=(0.2, 0.8, 10.0), augment_share=0.0, w_transform=0.0)
    plain, dense = tiny(**asked).eval(), tiny(**asked, **{setting: 3.0}).eval()
    dense.load_scoring_nets(plain.scoring_state())
    train = np.random.default_rng(1).integers(0, 256, (60, 28, 28), dtype=np.uint8)
    # First the transforms are learned; they stay, and the second fit sees the first draw of variations.
    for _ in range(2):
        fit_statistics(dense, train)
        dense.transforms.is_kept = True
    x = to_input(train, 32)
    order, rng = np.random.default_rng(0).permutation(60), torch.Generator().manual_seed(0)
    others, fitted = (
        torch.tensor(np.sort(order[:12])),
        torch.tensor(np.sort(order[12:])),
    )  # a fifth of them, drawn by the seed
    varied = augmented(x[fitted], all_varied(dense.settings), rng)
    parts, spread = plain.one_look(x), plain.one_look(x[others]).discrimination.double().numpy().std()
    learned, chosen, asked = (seen(dense, of) for of in (torch.cat([x[fitted][::2], varied[1::2]]), x[others], x))
    density = PrincipalDensity(learned.shape[1], directions)
    density.fit(learned.numpy(), chosen.numpy(), 3.0 * spread, seed=0)
    found, expected = dense.one_look(x).discrimination - parts.discrimination, density(asked)
    np.testing.assert_allclose(found, expected, rtol=2e-2, atol=2e-2 * float(expected.max()))
    assert expected.max() > 0


def test_of_three_looks_the_lowest_counts_of_what_is_asked_of_the_image_alone_and_one_search_serves_all(monkeypatch):
    weighed = dict(w_feature_density=2.0, w_transform=2.0, w_transform_density=2.0, w_first_layer_density=2.0)
    method = tiny(search_steps=5, look_turn=12.0, weights=(0.2, 0.8, 10.0), **weighed).eval()
    rng = np.random.default_rng(1)
    fit_statistics(method, rng.integers(0, 256, (60, 28, 28), dtype=np.uint8))
    x, searches = to_input(rng.integers(0, 200, (20, 28, 28), dtype=np.uint8), 32), []
    search = method.search
    monkeypatch.setattr(method, "search", lambda images: searches.append(len(images)) or search(images))
    found, as_it_is = method.parts(x), method.one_look(x)
    assert searches == [20, 20]
    with torch.no_grad():
        looks = [method.of_image(look, method.discriminate(look)) for look in (x, *further_looks(x, 12.0))]
    assert all(look.keys() == weighed.keys() for look in looks)
    sums = torch.stack([sum(look.values()) for look in looks])
    expected = as_it_is.discrimination - sums[0] + sums.amin(dim=0)
    torch.testing.assert_close(found.discrimination, expected, rtol=1e-4, atol=1e-3)
    assert (sums.argmin(dim=0) > 0).any()
    for kept in ("residual", "latent", "reconstruction", "z"):
        torch.testing.assert_close(getattr(found, kept), getattr(as_it_is, kept), msg=kept)


def test_transforms_of_a_training_that_goes_on_are_learned_whatever_its_state_held():
    method, again = (tiny(w_transform=2.0, w_transform_density=2.0, search_steps=3) for _ in range(2))
    train = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)
    again.load_training_state(method.training_state())
    fit_statistics(method, train)
    fit_statistics(again, train)
    assert again.transforms.is_fitted
    for (name, values), other in zip(method.scoring_state().items(), again.scoring_state().values(), strict=True):
        torch.testing.assert_close(other, values, rtol=0, atol=0, msg=name)


def test_what_typicality_and_density_are_fitted_to_is_searched_with_the_same_result_after_saving(tmp_path):
    method = tiny(w_typicality=2.0, w_feature_density=2.0, w_transform_density=2.0, search_steps=3)
    fit_statistics(method, np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8))
    (tmp_path / "config.json").write_text(method.settings.model_dump_json(), encoding="utf-8")
    checkpoint.save_weights(tmp_path, method)
    again = checkpoint.load_method(tmp_path, torch.device("cpu"))
    asked = np.random.default_rng(3).integers(0, 256, (4, 28, 28), dtype=np.uint8)
    assert again.typicality.unit > 0
    assert again.features.mixture.unit > 0
    assert again.transform_features.mixture.unit > 0
    for part in ("discrimination", "latent"):
        np.testing.assert_array_equal(score(method, asked).parts[part], score(again, asked).parts[part])
