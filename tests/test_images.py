"""The one door for pictures: what it takes, what it refuses, and what it says."""

import numpy as np
import pytest
import torch

from vaecourse.data import ImageSet
from vaecourse.images import as_codes, as_generator, as_images, digest

WANTED = torch.rand(3, 4, 5, generator=torch.Generator().manual_seed(0))


def an_image_set():
    return ImageSet(WANTED.numpy(), np.zeros(3, np.int64), "mine", "Drawn here.", ("one",))


@pytest.mark.parametrize(
    "given",
    [
        WANTED,
        WANTED.numpy(),
        WANTED.numpy().astype(">f4"),
        WANTED.double().numpy(),
        WANTED.numpy().astype(">f8"),
        WANTED.flip(1).numpy()[:, ::-1],
        WANTED.numpy().tolist(),
        list(WANTED),
        an_image_set(),
        WANTED.mT.contiguous().mT,
    ],
)
def test_whatever_holds_pictures_becomes_the_same_tensor(given):
    taken = as_images(given, (4, 5))
    assert taken.dtype == torch.float32 and torch.equal(taken, WANTED)
    assert torch.equal(as_images(given), WANTED), "any height and width"


def test_what_comes_in_is_not_shared_with_a_strangers_array():
    theirs = WANTED.numpy().copy()
    taken = as_images(theirs)
    theirs[:] = 0
    assert torch.equal(taken, WANTED)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (WANTED[0], "must be (N, 4, 5); got (4, 5). One picture is images[None]"),
        (WANTED[:, None], "images.squeeze(1)"),
        (WANTED.reshape(3, 20), "images.reshape(-1, 4, 5)"),
        (WANTED[:, None].expand(-1, 3, -1, -1), "colour"),
        (WANTED[:, :, :4], "must be (N, 4, 5); got (3, 4, 4)"),
        ((255 * WANTED).byte(), "floats in [0, 1]; got uint8. Divide by the largest value that a pixel can have, 255"),
        (255 * WANTED, "Divide by 255"),
        (16 * WANTED, "Shift and scale them to [0, 1]"),  # scikit-learn's digits are not in 255ths
        (WANTED - 1, "Shift and scale them"),
        (WANTED / 0, "NaN or infinity"),
        (WANTED[:0], "empty"),
        ([[1, 2], [3]], "must be an array of numbers"),
        ("nonsense", "must be an array of numbers"),
        (None, "must be an array of numbers"),
        (torch.complex(WANTED, WANTED), "real numbers"),
        (1.000001 * WANTED / WANTED.max(), "clip(0, 1)"),
        (WANTED - WANTED.min() - 0.02, "clip(0, 1)"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_advice(given, says):
    with pytest.raises(ValueError, match="images") as error:
        as_images(given, (4, 5))
    assert says in str(error.value)


def test_paper_or_ink_will_do():
    assert torch.equal(as_images(WANTED > 0.5), (WANTED > 0.5).float())


def test_channels_last_are_told_to_be_permuted_not_reshaped():
    with pytest.raises(ValueError, match=r"permute\(0, 3, 1, 2\)"):
        as_images(torch.zeros(2, 8, 8, 3), (3, 8, 8))


def test_pictures_take_the_precision_and_the_device_of_the_model():
    weight = torch.zeros(1, dtype=torch.float64)
    assert as_images(WANTED, (4, 5), weight).dtype == torch.float64
    assert as_images(WANTED, (4, 5), weight.to("meta"), values=False).device.type == "meta"
    assert as_codes([[1, 2]], 2, weight.to("meta")).device.type == "meta"


def test_gradients_pass():
    x = WANTED.clone().requires_grad_()
    as_images(x).sum().backward()
    assert torch.equal(x.grad, torch.ones_like(x))


@pytest.mark.parametrize("z", [np.zeros((5, 2)), [[0, 0]] * 5, torch.zeros(5, 2, dtype=torch.int64)])
def test_codes_of_any_number_type_work(z):
    assert as_codes(z, 2).dtype == torch.float32 and as_codes(z, 2).shape == (5, 2)


@pytest.mark.parametrize("z", [np.zeros((5, 3)), 1.0, "here", [[1, 2], [3]]])
def test_other_codes_are_refused(z):
    with pytest.raises(ValueError, match="z must"):
        as_codes(z, 2)


def test_no_generator_is_one_with_seed_0_and_the_global_state_is_left_alone():
    before = torch.get_rng_state()
    drawn = [torch.rand(3, generator=as_generator(None, torch.device("cpu"))) for _ in range(2)]
    assert torch.equal(*drawn) and torch.equal(torch.get_rng_state(), before)
    with pytest.raises(TypeError, match="manual_seed"):
        as_generator(np.random.default_rng(0), torch.device("cpu"))
    with pytest.raises(ValueError, match=r'torch.Generator\("cuda"\)'):
        as_generator(torch.Generator(), torch.device("cuda"))


def test_the_digest_sees_what_a_person_could_and_no_last_bits():
    levels = (torch.arange(60).reshape(3, 4, 5) / 255).float()
    assert digest(levels) == digest(levels * (1 + 1e-6)) == digest(levels.double())
    other = levels.clone()
    other[2, 3, 4] += 1 / 255
    assert digest(levels) != digest(other) and digest(levels) != digest(levels.mT)
