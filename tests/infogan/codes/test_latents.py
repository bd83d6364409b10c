import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal, OneHotCategorical

from infogan.codes.categorical import Categorical
from infogan.codes.latents import Latents
from infogan.codes.uniform import LOG_SIGMA_FLOOR, Uniform
from infogan.errors import ConfigError

DIGIT = Categorical("digit", 10)
SLANT = Uniform("slant", -1.0, 1.0, 1.0)
WIDTH = Uniform("width", 2.0, 6.0, None)
ROWS = 20_000
LARGEST_BELOW_1 = float(np.nextafter(np.float32(1), np.float32(0)))


def latents(noise_distribution="uniform", noise=5):
    return Latents((DIGIT, SLANT, WIDTH), noise, noise_distribution)


def random(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_categorical_log_likelihood_is_that_of_torch():
    code, q = torch.eye(10)[torch.arange(30) % 10], 3 * random(30, 10)
    torch.testing.assert_close(DIGIT.log_likelihood(code, q), OneHotCategorical(logits=q).log_prob(code))


def test_categorical_log_likelihood_by_hand():
    q = torch.tensor([[0.0, math.log(3)], [0.0, math.log(3)]])  # probabilities 1/4 and 3/4
    expected = torch.tensor([math.log(0.25), math.log(0.75)])
    torch.testing.assert_close(Categorical("c", 2).log_likelihood(torch.eye(2), q), expected)


@pytest.mark.parametrize("sigma", [0.3, 1.0, 2.5])
def test_fixed_width_log_likelihood_is_that_of_torch(sigma):
    code, q = random(30, 1), 2 * random(30, 1) + 0.5
    expected = Normal(q[:, 0], sigma).log_prob(code[:, 0])
    torch.testing.assert_close(Uniform("c", -1, 1, sigma).log_likelihood(code, q), expected)


def test_fixed_width_log_likelihood_by_hand():
    value = Uniform("c", -1, 1, 2.0).log_likelihood(torch.tensor([[0.5]]), torch.tensor([[-0.5]]))
    # -½ ln 2π - ln 2 - ½ (1 / 2)² = -0.91894 - 0.69315 - 0.125
    assert value.tolist() == pytest.approx([-1.737086], abs=1e-5)


def test_learned_width_is_the_exponential_of_the_second_output():
    code, q = random(30, 1), 2 * random(30, 2)
    expected = Normal(q[:, 0], q[:, 1].exp()).log_prob(code[:, 0])
    torch.testing.assert_close(WIDTH.log_likelihood(code, q), expected)


def test_learned_width_stops_at_the_floor():
    assert pytest.approx(math.log(0.01)) == LOG_SIGMA_FLOOR
    code = torch.tensor([[3.0]])
    below, at, above = (
        WIDTH.log_likelihood(code, torch.tensor([[3.0, LOG_SIGMA_FLOOR + step]])).item() for step in (-5.0, 0.0, 0.5)
    )
    assert below == at == pytest.approx(-0.5 * math.log(2 * math.pi) + math.log(100), abs=1e-4)
    assert above == pytest.approx(at - 0.5, abs=1e-4)


@pytest.mark.parametrize(("error", "lifted"), [(0.3, True), (1e-4, False)])
def test_a_learned_width_below_the_floor_comes_back_where_that_raises_the_likelihood(error, lifted):
    """d log Q / d ln σ = error² / σ² - 1 at the floor, σ = 0.01: above 0 for an error of 0.3, below for one of 0.0001,
    which would push ln σ further down."""
    q = torch.tensor([[1.0, LOG_SIGMA_FLOOR - 2.0]], requires_grad=True)
    (-WIDTH.log_likelihood(torch.tensor([[1.0 + error]]), q)).sum().backward()
    gradient = q.grad[0, 1].item()
    assert gradient == (pytest.approx(1 - (error / 0.01) ** 2, rel=1e-3) if lifted else 0.0)
    optimizer = torch.optim.SGD([q], 0.01)
    optimizer.step()
    assert (q[0, 1].item() > LOG_SIGMA_FLOOR - 2.0) is lifted


def test_above_the_floor_the_gradient_is_that_of_the_likelihood():
    q = torch.tensor([[1.0, -1.0]], requires_grad=True)
    WIDTH.log_likelihood(torch.tensor([[1.5]]), q).sum().backward()
    assert q.grad[0, 1].item() == pytest.approx(0.25 * math.exp(2) - 1, rel=1e-5)


def test_the_share_of_a_code_that_is_read_very_badly_is_a_number():
    """1 - exp(2 (H - L_I) - 1) / (2π Var) overflows from L_I ≈ -355 on."""
    for information in (-300.0, -400.0, -1e6):
        share = WIDTH.share_read(information)
        assert math.isfinite(share) and share < -1e200
    assert WIDTH.share_read(-400.0) <= WIDTH.share_read(-300.0)
    exact = 1 - math.exp(2 * (math.log(4) + 2) - 1) / (2 * math.pi * 16 / 12)
    assert WIDTH.share_read(-2.0) == pytest.approx(exact)


def test_log_likelihood_is_computed_in_float32():
    q = random(8, 10).bfloat16()
    value = DIGIT.log_likelihood(torch.eye(10)[:8], q)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, DIGIT.log_likelihood(torch.eye(10)[:8], q.float()))


def test_entropies():
    assert DIGIT.entropy == pytest.approx(2.302585, abs=1e-6)
    assert SLANT.entropy == pytest.approx(0.693147, abs=1e-6)
    assert WIDTH.entropy == pytest.approx(math.log(4))
    assert Uniform("c", 0.0, 0.5, 1.0).entropy == pytest.approx(-math.log(2))


def test_refitted_log_likelihood_is_the_maximum_over_widths():
    code = 2 * torch.rand(500, 1, generator=torch.Generator().manual_seed(1)) - 1
    q = 0.6 * code + 0.1
    means = [Normal(q[:, 0], s).log_prob(code[:, 0]).mean().item() for s in torch.linspace(0.05, 1.5, 5000).tolist()]
    refitted = SLANT.refitted_log_likelihood(code, q)
    assert refitted.shape == ()
    assert max(means) <= refitted.item() + 1e-6
    assert refitted.item() == pytest.approx(max(means), abs=1e-5)


def test_no_refit_without_a_fixed_width():
    assert DIGIT.refitted_log_likelihood(torch.eye(10), torch.eye(10)) is None
    assert WIDTH.refitted_log_likelihood(torch.ones(3, 1), torch.ones(3, 2)) is None


def test_continuous_traversal_covers_twice_the_interval():
    values, labels = SLANT.domain.traversal(5)
    assert values.tolist() == [[-2.0], [-1.0], [0.0], [1.0], [2.0]]
    assert labels == ["-2", "-1", "0", "+1", "+2"]
    values, labels = WIDTH.domain.traversal(3)
    assert values.tolist() == [[0.0], [4.0], [8.0]]
    assert labels == ["0", "+4", "+8"]
    assert SLANT.domain.traversal(11)[1][1:4] == ["-1.6", "-1.2", "-0.8"]


def test_categorical_traversal_shows_every_class_once():
    rows, labels = latents().traversal("digit", 3)
    assert torch.equal(rows, torch.eye(10))
    assert labels == list("0123456789")


@pytest.mark.parametrize("classes", [2, 3, 7, 10, 20, 1000])
def test_a_draw_reaches_every_class(classes):
    u = torch.cat([torch.tensor([0.0, LARGEST_BELOW_1]), (torch.arange(classes) + 0.5) / classes])
    code = Categorical("c", classes).sample(u[:, None])
    assert code.dtype == torch.float32
    assert code.sum(1).tolist() == [1.0] * (classes + 2)
    assert code.argmax(1).tolist() == [0, classes - 1, *range(classes)]


def test_draws_span_the_interval():
    values = WIDTH.sample(torch.tensor([[0.0], [0.25], [LARGEST_BELOW_1]]))
    assert values.shape == (3, 1)
    assert values[:2, 0].tolist() == [2.0, 3.0]
    assert values[2].item() == pytest.approx(6.0, abs=1e-6)
    assert SLANT.sample(torch.tensor([[LARGEST_BELOW_1]])).item() < 1


def test_classes_are_equally_likely():
    counts = latents().sample(0, "train", 0, range(ROWS))[:, :10].sum(0)
    assert counts.sum() == ROWS
    statistic = ((counts - ROWS / 10).square() / (ROWS / 10)).sum().item()
    assert 1.15 < statistic < 27.9  # the 0.1 % and 99.9 % points of χ² with 9 degrees of freedom


def test_continuous_codes_fill_their_intervals():
    split = latents().split(latents().sample(0, "train", 0, range(ROWS)))
    for code in (SLANT, WIDTH):
        values, span = split[code.name], code.high - code.low
        deviation = span / math.sqrt(12)
        assert values.mean().item() == pytest.approx((code.low + code.high) / 2, abs=4 * deviation / math.sqrt(ROWS))
        assert values.std().item() == pytest.approx(deviation, rel=0.015)
        assert code.low <= values.min() < code.low + span / 1000
        assert code.high - span / 1000 < values.max() < code.high


def test_uniform_noise():
    noise = latents("uniform", 8).sample(0, "train", 0, range(ROWS))[:, 12:]
    assert noise.shape == (ROWS, 8)
    assert -1 <= noise.min() < -0.999
    assert 0.999 < noise.max() < 1
    assert noise.mean(0).abs().max() < 4 * 0.577 / math.sqrt(ROWS)
    assert noise.std(0).tolist() == pytest.approx([1 / math.sqrt(3)] * 8, rel=0.015)


def test_normal_noise():
    noise = latents("normal", 8).sample(0, "train", 0, range(ROWS))[:, 12:]
    assert noise.shape == (ROWS, 8)
    assert 3.5 < noise.max() < 6
    assert -6 < noise.min() < -3.5
    assert noise.mean(0).abs().max() < 4 / math.sqrt(ROWS)
    assert noise.std(0).tolist() == pytest.approx([1.0] * 8, rel=0.02)
    assert (noise.abs() < 1).float().mean().item() == pytest.approx(0.6827, abs=0.006)


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_columns_are_uncorrelated(distribution):
    many = latents(distribution)
    draws = [many.sample(seed, stream, k, range(ROWS)) for seed, stream, k in ((0, "a", 0), (0, "a", 1), (1, "b", 0))]
    columns = torch.cat([torch.cat([d[:, :10].argmax(1, keepdim=True).float(), d[:, 10:]], dim=1) for d in draws], 1)
    columns = torch.cat([columns, columns.roll(1, 0)], dim=1)  # a row and the one before it
    correlation = torch.corrcoef(columns.T) - torch.eye(columns.shape[1])
    assert correlation.abs().max() < 5 / math.sqrt(ROWS)


def test_noise_does_not_repeat_the_codes():
    even = Latents((SLANT, Uniform("other", -1.0, 1.0, 1.0)), 2, "uniform")  # as many of each
    sample = even.sample(0, "train", 0, range(ROWS))
    assert torch.corrcoef(sample.T)[:2, 2:].abs().max() < 5 / math.sqrt(ROWS)


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_a_sample_is_a_pure_function(distribution):
    def draw():
        return latents(distribution).sample(3, "train", 7, range(64))

    first = draw()
    torch.manual_seed(99)
    np.random.seed(99)
    assert first.dtype == torch.float32
    assert first.shape == (64, 17)
    assert first.device.type == "cpu"
    assert draw().numpy().tobytes() == first.numpy().tobytes()


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_a_row_does_not_depend_on_its_batch(distribution):
    many = latents(distribution)
    whole = many.sample(3, "train", 7, range(128))
    for positions in (
        range(1),
        range(5),
        range(127),
        range(40, 50),
        range(64, 128),
        range(127, 128),
    ):
        part = many.sample(3, "train", 7, positions)
        assert len(part) == len(positions)
        assert torch.equal(part, whole[list(positions)])


@pytest.mark.parametrize("other", [(4, "train", 7), (3, "figures", 7), (3, "train", 8)], ids=["seed", "stream", "step"])
def test_seed_stream_and_iteration_each_change_codes_and_noise(other):
    one, two = (latents().sample(*key, range(64)) for key in ((3, "train", 7), other))
    assert not torch.equal(one[:, :10], two[:, :10])
    assert (one[:, 10:] != two[:, 10:]).float().mean() > 0.99


def test_widths():
    assert (latents().width, latents().codes_width, latents().outputs) == (17, 12, 13)  # 10 + 1 + 1 + 5; 10 + 1 + 2


def test_split_takes_each_codes_columns():
    row = torch.arange(17.0).unsqueeze(0)
    split = latents().split(row)
    assert list(split) == ["digit", "slant", "width"]
    assert split["digit"].tolist() == [list(map(float, range(10)))]
    assert split["slant"].tolist() == [[10.0]]
    assert split["width"].tolist() == [[11.0]]
    assert latents().split(row[:, :12])["width"].tolist() == [[11.0]]


def test_split_posterior_takes_each_codes_outputs():
    split = latents().split_posterior(torch.arange(13.0).unsqueeze(0))
    assert split["digit"].tolist() == [list(map(float, range(10)))]
    assert split["slant"].tolist() == [[10.0]]
    assert split["width"].tolist() == [[11.0, 12.0]]


def test_log_likelihoods_pair_each_code_with_its_outputs():
    latent, q = latents().sample(0, "train", 0, range(6)), random(6, 13)
    values = latents().log_likelihoods(latent, q)
    torch.testing.assert_close(values["digit"], OneHotCategorical(logits=q[:, :10]).log_prob(latent[:, :10]))
    torch.testing.assert_close(values["slant"], Normal(q[:, 10], 1.0).log_prob(latent[:, 10]))
    torch.testing.assert_close(values["width"], Normal(q[:, 11], q[:, 12].exp()).log_prob(latent[:, 11]))


def test_replaced_changes_one_code_in_a_copy():
    latent = latents().sample(0, "train", 0, range(4))
    before = latent.clone()
    for name, columns, value in (("digit", range(10), torch.eye(10)[3]), ("width", [11], torch.arange(4.0)[:, None])):
        changed = latents().replaced(latent, name, value)
        assert torch.equal(latent, before)
        assert torch.equal(changed[:, list(columns)], value.expand(4, -1))
        others = [k for k in range(17) if k not in columns]
        assert torch.equal(changed[:, others], before[:, others])


def test_code_by_name():
    assert latents().code("slant") is SLANT
    with pytest.raises(KeyError):
        latents().code("nothing")


def test_the_posterior_mean_lies_in_the_columns_of_the_input():
    codes = (
        Categorical("a", 3),
        Uniform("b", -1.0, 1.0, None),
        Uniform("c", 0.0, 2.0, 1.0),
    )
    latents = Latents(codes, 5, "uniform")
    q = torch.tensor([[0.0, math.log(2.0), math.log(5.0), 0.3, -4.0, 7.0]])
    assert latents.posterior_mean(q)[0].tolist() == pytest.approx([1 / 8, 2 / 8, 5 / 8, 0.3, 7.0])


def test_values_of_the_codes():
    rows = torch.zeros(2, latents().width)
    rows[0, 7] = rows[1, 2] = 1
    rows[:, 10], rows[:, 11] = torch.tensor([-0.5, 3.0]), torch.tensor([2.5, 5.5])
    assert latents().values(rows).tolist() == [[7, -0.5, 2.5], [2, 3.0, 5.5]]
    assert latents().value_names == ["digit", "slant", "width"]
    assert latents().values(rows).dtype == torch.float32


@pytest.mark.parametrize(
    ("given", "start", "end"), [(3, 3, 3), (1.5, 1.5, 1.5), ("2:6", 2, 6), ("-1e1:-.5", -10, -0.5)]
)
def test_a_chosen_value_or_interval(given, start, end):
    choice = WIDTH.domain.selection(given)
    assert (choice.start, choice.end) == (start, end)
    u = torch.tensor([[0.0], [0.25], [LARGEST_BELOW_1]])
    expected = [[start], [start + (end - start) / 4], [end]]
    assert torch.allclose(choice.values(u), torch.tensor(expected, dtype=torch.float32), atol=1e-5)


def test_points_of_choices():
    points, labels = SLANT.domain.selection("2:-1").points(4)
    assert points.tolist() == [[2], [1], [0], [-1]] and labels == ["+2", "+1", "0", "-1"]
    points, labels = SLANT.domain.selection(1.255).points(4)
    assert points.tolist() == [[pytest.approx(1.255)]] and labels == ["+1.25"]
    points, labels = DIGIT.domain.selection([5, 3]).points(4)
    assert points.tolist() == [[5], [3]] and labels == ["5", "3"]


def test_what_lies_outside_of_training_is_said():
    for inside in (2, 6, "2:6", "5:3"):
        assert WIDTH.domain.selection(inside).beyond is None
    for outside in (1.99, 6.01, "2:6.01", "1.99:6", "7:2"):
        assert WIDTH.domain.selection(outside).beyond.startswith("was drawn from 2 to 6 in training")
    assert DIGIT.domain.selection([0, 9]).beyond is None


@pytest.mark.parametrize("given", ["a", "1:", ":", "1:2:3", "nan", "nan:1", "0:inf", "1.5", True, None, [1], {}, ""])
def test_what_is_no_value_of_a_continuous_code(given):
    with pytest.raises(ConfigError, match=r"codes\.slant=.*: must be a number such as 1\.5, or an interval"):
        latents().selections({"slant": given})


@pytest.mark.parametrize("given", [-1, 10, 2.0, True, None, "3", "1:2", [], [3, 10], [3, 3], [3, "4"], [[3]]])
def test_what_is_no_category(given):
    with pytest.raises(ConfigError, match=r"codes\.digit=.*: must be a category from 0 to 9, or a list"):
        latents().selections({"digit": given})


def test_a_code_that_does_not_exist():
    with pytest.raises(ConfigError, match=r"codes\.size: there is no such code; the model has digit, slant, width"):
        latents().selections({"slant": 1, "size": 2})


def test_chosen_codes_leave_the_others_and_the_noise_as_they_are():
    choices = latents().selections({"digit": [2, 7, 8], "width": "10:20"})
    free, chosen = latents().sample(1, "s", 0, range(ROWS)), latents().sample(1, "s", 0, range(ROWS), choices)
    assert torch.equal(chosen[:, 10], free[:, 10]) and torch.equal(chosen[:, 12:], free[:, 12:])
    shares = chosen[:, :10].mean(dim=0)
    assert torch.allclose(shares[[2, 7, 8]], torch.full((3,), 1 / 3), atol=0.015)
    assert chosen[:, [2, 7, 8]].sum(dim=1).eq(1).all() and chosen[:, :10].sum(dim=1).eq(1).all()
    width = chosen[:, 11]
    assert width.min() == pytest.approx(10, abs=0.01) and width.max() == pytest.approx(20, abs=0.01)
    assert width.mean() == pytest.approx(15, abs=0.1) and width.std() == pytest.approx(10 / math.sqrt(12), abs=0.05)


def test_how_far_the_noise_reaches():
    assert latents("uniform").noise_reach == 1
    assert latents("normal").noise_reach == math.inf
