"""The measures of pictures along a path, against strokes whose slant is known, brute force, and cases by hand."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.ndimage import affine_transform
from scipy.spatial.distance import cdist

from vaecourse import load_dataset, load_pretrained
from vaecourse.__main__ import main
from vaecourse.data import strokes
from vaecourse.interpolation import scoring as scorecard
from vaecourse.model import Classifier, checkpoints
from vaecourse.training import fit_classifier, recipes


def drawn(label, slant, **factors):
    return torch.as_tensor(strokes.draw(label, slant=slant, **factors))


@pytest.mark.parametrize("label", range(10))
def test_shearing_a_digit_by_s_adds_s_to_its_slant(label):
    image = np.pad(strokes.draw(label)[0], 10)
    middle = (len(image) - 1) / 2
    for s in (-0.4, 0.15, 0.3):  # the pixel that goes to (row, column) comes from column + s (row - middle)
        sheared = affine_transform(image, [[1, 0], [s, 1]], offset=[0, -s * middle], order=1)
        added = scorecard.slant(torch.as_tensor(sheared)) - scorecard.slant(torch.as_tensor(image))
        assert float(added) == pytest.approx(s, abs=0.01)
    true = np.linspace(-0.5, 0.5, 11)  # a pen does not get thinner where it is sheared: not exactly s, but in line
    assert np.corrcoef(true, scorecard.slant(drawn(label, true)).numpy())[0, 1] > 0.998


def test_the_slant_of_a_plain_one_is_its_true_slant():
    true = np.linspace(-0.6, 0.6, 13)
    assert scorecard.slant(drawn(1, true)).numpy() == pytest.approx(true, abs=0.02)
    assert scorecard.slant(drawn(1, 0.0, rotation=-20.0)).item() == pytest.approx(math.tan(math.radians(20)), abs=0.02)


def test_slant_by_adding_up_pixels():
    x = torch.rand(3, 7, 5, generator=torch.Generator().manual_seed(0))
    for image, value in zip(x.double().numpy(), scorecard.slant(x), strict=True):
        rows, columns = np.mgrid[:7, :5]
        up, right, ink = -rows, columns, image / image.sum()
        covariance = (ink * right * up).sum() - (ink * right).sum() * (ink * up).sum()
        assert float(value) == pytest.approx(covariance / ((ink * up**2).sum() - (ink * up).sum() ** 2))
    assert scorecard.slant(torch.zeros(4, 4)).isnan()


def test_sharpness_of_an_edge_and_of_a_fade():
    edge = torch.zeros(6, 6)
    edge[:, 3:] = 1
    assert scorecard.sharpness(edge) == 6
    assert scorecard.sharpness(edge.T / 2) == 1.5  # half the contrast, a quarter of the energy
    apart = torch.zeros(2, 8, 8)
    apart[0, 1:3, 1:3], apart[1, 5:7, 5:7] = 1, 1  # strokes that do not touch: the fade has half of their sharpness
    assert scorecard.sharpness(apart.mean(0)) == 0.5 * scorecard.sharpness(apart).mean()


def test_the_nearest_real_image_by_brute_force():
    g = torch.Generator().manual_seed(0)
    real, x = torch.rand(500, 4, 4, generator=g), torch.rand(3, 200, 4, 4, generator=g)
    expected = cdist(x.reshape(600, 16), real.reshape(500, 16)).min(1).reshape(3, 200)
    assert np.allclose(scorecard.nearest_real(x, real), expected, atol=1e-5)
    assert scorecard.nearest_real(real[7], real) == 0


def test_entropy_is_that_of_scipy():
    p = torch.tensor([[1.0, 0, 0], [0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3], [0.7, 0.2, 0.1]])
    assert np.allclose(scorecard.entropy(p), [stats.entropy(row) for row in p.numpy()])


def test_monotonicity_r_squared_and_evenness():
    t = np.linspace(0, 1, 21)
    assert scorecard.monotonicity([0.0, 1, 4, 9]) == 1
    for dtype in (torch.float32, torch.uint8):  # of which 1 - 2 is 255
        assert scorecard.monotonicity(torch.tensor([0, 2, 1, 3], dtype=dtype)) == pytest.approx(3 / 5)
    assert scorecard.monotonicity([True, False]) == 1
    assert scorecard.monotonicity(torch.zeros(2, 5)).tolist() == [1, 1]
    for v in (t**2, np.sin(9 * t), -3 * t + 1):
        assert float(scorecard.r_squared(v)) == pytest.approx(stats.linregress(t, v).rvalue ** 2)
    assert scorecard.r_squared(torch.ones(4)) == 1
    ramp = torch.linspace(0, 1, 5)[:, None, None] * torch.ones(3, 3)
    assert scorecard.evenness(ramp) == pytest.approx(1)
    jump = torch.cat([torch.zeros(4, 3, 3), torch.ones(1, 3, 3)])
    assert scorecard.evenness(torch.stack([ramp, jump, 0 * jump])).tolist() == pytest.approx([1, 1 / 4, 1])


class Brightness(Classifier):
    """A judge of two classes, dark and light, whose answer is the mean grey level."""

    def __init__(self):
        super().__init__((4, 4), 2)

    def forward(self, x):
        p = x.mean((1, 2))[:, None]
        return torch.cat([1 - p, p], dim=1).log()


def test_the_scorecard_by_hand():
    paths = torch.linspace(0, 1, 5)[:, None, None].expand(2, 5, 4, 4).clone()
    paths[1, 1] = 0.125
    real, usual = torch.stack([torch.zeros(4, 4), torch.full((4, 4), 0.4)]), [1.0, 3.0]
    card = scorecard.scorecard(paths, [[0, 1], [0, 0]], Brightness(), real, usual)
    # 16 pixels: four times the difference of grey to the nearer of 0 and 0.4, over the usual distance
    far = 4 * np.array([[0, 0.15, 0.1, 0.35, 0.6], [0, 0.125, 0.1, 0.35, 0.6]])
    assert card["distance"] == pytest.approx(far.mean(1) / [2, 1], rel=1e-5)
    assert card["in doubt"] == pytest.approx([0.6, 0.6])  # at 0.125, 0.25, 0.5 and 0.75, all but the ends
    assert card["detour"] == pytest.approx([1, 1])
    assert card["evenness"] == pytest.approx([1, 1 / (4 * (0.125**2 + 0.375**2 + 2 * 0.25**2))])
    paths[1] = paths[1, [0, 2, 0, 2, 4]]
    assert scorecard.scorecard(paths, [[0, 1]] * 2, Brightness(), real, usual)["detour"] == pytest.approx([1, 2])
    paths[1] = paths[1, 0]
    assert scorecard.scorecard(paths, [[0, 1]] * 2, Brightness(), real, usual)["detour"][1] == 1
    paths[:, :, 0, 0] = 0
    sharp = scorecard.sharpness(paths)
    again = scorecard.scorecard(paths[:1], [[0, 1]], Brightness(), real, usual)
    assert again["sharpness"] == pytest.approx((2 * sharp[:1, 2] / (sharp[:1, 0] + sharp[:1, 4])).numpy())
    text = scorecard.table({"one way": card, "another": card})
    assert "one way" in text and f"{card['distance'].mean():.3f} ± " in text and len(text.splitlines()) == 3


def test_each_column_is_won_by_a_cheat():
    """What the chapter says of its scorecard, on two squares that the judge tells apart."""
    a, b = torch.zeros(2, 4, 4)
    a[:2], b[:3] = 1, 1
    real = torch.stack([a, b])
    jump = torch.stack([a, a, a, b, b])
    fade = torch.stack([(1 - t) * a + t * b for t in torch.linspace(0, 1, 5)])
    card = scorecard.scorecard(torch.stack([jump, fade]), [[0, 1]] * 2, Brightness(), real, [1, 1])
    assert card["distance"][0] == 0 < card["distance"][1] and card["sharpness"].tolist()[0] > 0.9
    assert card["detour"] == pytest.approx([1, 1]) and card["evenness"] == pytest.approx([1 / 4, 1])


def test_what_is_looked_up_is_an_image_of_the_album():
    g = torch.Generator().manual_seed(0)
    album, x = torch.rand(50, 4, 4, generator=g), torch.rand(2, 3, 4, 4, generator=g)
    found = cdist(x.reshape(6, 16), album.reshape(50, 16)).argmin(1)
    assert torch.equal(scorecard.look_up(x, album), album[found].reshape(2, 3, 4, 4))


def test_the_interval_holds_the_true_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    intervals = np.array([scorecard.interval(rng.exponential(size=200)) for _ in range(2000)])
    share = ((intervals[:, 1] < 1) & (intervals[:, 2] > 1)).mean()
    assert 0.93 < share < 0.965
    assert scorecard.interval([1.0, 3.0])[0] == 2


def test_arrays_as_well_as_tensors_and_a_judge_in_training():
    x, labels = torch.rand(2, 5, 8, 8, generator=torch.Generator().manual_seed(0)), [[0, 1], [2, 1]]
    torch.manual_seed(0)
    judge = Classifier((8, 8), 3).eval()
    expected = scorecard.scorecard(x, labels, judge, x[0], [1, 2, 3])
    for given, named in ((x, torch.tensor(labels)), (x.double().numpy(), np.array(labels, float))):
        card = scorecard.scorecard(given, named, judge.train(), given[0], [1, 2, 3])
        assert judge.training and all(np.array_equal(card[name], expected[name]) for name in expected)


def test_wrong_input_gets_a_sentence():
    judge, x = Brightness(), torch.rand(2, 5, 4, 4)
    for paths in (x[0], x[:, :4], x[:, :1]):
        with pytest.raises(ValueError, match="odd T"):
            scorecard.scorecard(paths, [[0, 1]] * 2, judge, x[0], [1, 1])
    for labels in ([0, 1], [[0], [1]], [[0, 2]] * 2, [[0, 0.5]] * 2):
        with pytest.raises(ValueError, match="labels must be"):
            scorecard.scorecard(x, labels, judge, x[0], [1, 1])
    for real in (x[0, 0], x[0, :, :3], x):
        with pytest.raises(ValueError, match="real must be"):
            scorecard.scorecard(x, [[0, 1]] * 2, judge, real, [1, 1])
    for usual in ([1], [1, 0], [1, math.nan]):
        with pytest.raises(ValueError, match="usual must"):
            scorecard.scorecard(x, [[0, 1]] * 2, judge, x[0], usual)
    with pytest.raises(ValueError, match="NaN"):
        scorecard.slant(torch.full((4, 4), torch.nan))
    with pytest.raises(ValueError, match="must be floats"):
        scorecard.sharpness(torch.zeros(4, 4, dtype=torch.int64))
    with pytest.raises(ValueError, match="at least 2"):
        scorecard.interval([1.0])
    for p in ([2.0, 3.0], [-0.5, 1.5], [math.nan, 1.0], 1.0):
        with pytest.raises(ValueError, match="softmax"):
            scorecard.entropy(p)
    for values in ([], [1.0], 3.0, [0.0, math.nan, 1.0], [0.0, math.inf]):
        for measure in (scorecard.monotonicity, scorecard.r_squared):
            with pytest.raises(ValueError, match="values must be finite numbers"):
                measure(values)
    for level in (0, 1, 95, "high"):
        with pytest.raises(ValueError, match="level must"):
            scorecard.interval([1.0, 2.0], level)
    for one in (x[0, 0], x[:, :1]):
        with pytest.raises(ValueError, match="at least 2 pictures"):
            scorecard.evenness(one)
    for measure in (scorecard.slant, scorecard.sharpness, scorecard.evenness):
        with pytest.raises(ValueError, match=r"channels last: images\.mean\(-1\)"):
            measure(torch.rand(5, 28, 28, 3))
    for ask in (judge.probabilities, Classifier((4, 4), 2, 2).eval()):
        with pytest.raises(ValueError, match="Divide by 255"):
            ask(255 * x[0])
    for labels in (
        [0, 1, 2, 0, 0],
        [0, 1, 0.5, 0, 0],
        [0, 1, math.nan, 0, 0],
        [[0], [1], [0], [0], [1]],
        list("01010"),
    ):
        with pytest.raises(ValueError, match="labels must be"):
            fit_classifier(judge, x[0], labels, 1)


def test_a_judge_learns_the_same_from_the_same_seed():
    images, labels, _ = strokes.sample(600, np.random.default_rng(0))
    weights = []
    for _ in range(2):
        torch.manual_seed(0)
        judge = Classifier()
        fit_classifier(judge, images, labels, epochs=6, seed=3)
        torch.rand(1)  # what others draw in between changes nothing
        weights.append(judge.net[-1].weight)
    assert torch.equal(*weights) and not judge.training
    assert (judge.probabilities(images).argmax(1).numpy() == labels).mean() > 0.8


@pytest.mark.parametrize("name", sorted(recipes.JUDGES))
def test_the_judges_that_ship(name, request, capsys):
    if name.startswith("mnist"):
        request.getfixturevalue("real_data")
    assert (checkpoints._SHIPPED / f"{name}.safetensors").stat().st_size < 500_000
    judge, test = load_pretrained(name), load_dataset(recipes.JUDGES[name], split="test")
    assert recipes.judge_scores(judge, test)["accuracy"] == pytest.approx(judge.meta["scores"]["accuracy"], abs=1e-3)
    p = judge.probabilities(test.images)
    assert judge.meta["scores"]["accuracy"] > 0.99 and p.sum(1) == pytest.approx(np.ones(len(p)), abs=1e-5)
    assert stats.entropy(p.numpy(), axis=1).mean() < 0.1, "sure of real digits"
    model = load_pretrained(name.replace("classes", "2d"))
    drawn_again = model.decode(model.encode(test.images[:2000]).mean).mean
    named = judge.probabilities(drawn_again).argmax(1)
    assert (named == test.labels[:2000]).double().mean() > 0.85, "and of drawn ones"
    assert main(["evaluate", name]) == 0 and "accuracy" in capsys.readouterr().out


def test_a_judge_in_training_mode_gives_the_same_verdict_and_stays_in_it():
    torch.manual_seed(0)
    judge = Classifier((8, 8), classes=3, width=4)
    x = torch.rand(5, 8, 8, generator=torch.Generator().manual_seed(1))
    calm = judge.eval().probabilities(x)
    assert torch.equal(judge.train().probabilities(x), calm) and judge.training
