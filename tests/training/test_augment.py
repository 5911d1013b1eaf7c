"""Every change is what Pillow and torchvision make of a picture, and chance is reproducible."""

import importlib

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor

from eyespot.errors import UsageError
from eyespot.training import randaugment as changes
from eyespot.training.augment import find_augmentation, random_colour
from eyespot.training.randaugment import CHANGES, randaugment
from tests.models import oracle
from tests.pictures import patches

SIDE = 40
tv = importlib.import_module("torchvision.transforms.functional")
assert oracle.torchvision_models  # the shim comes first
NEAREST = tv.InterpolationMode.NEAREST


@pytest.fixture(scope="module")
def photos() -> Tensor:
    """float32 [6, 3, 40, 40]: patches of a photo, one of a single colour, one of few colours."""
    found = [patch[:SIDE, :SIDE] for patch in patches("astronaut", 4)]
    stripes = np.zeros((SIDE, SIDE, 3), np.uint8)
    stripes[::5] = (255, 40, 7)
    all_of_them = np.stack([*found, np.full((SIDE, SIDE, 3), 200, np.uint8), stripes])
    return torch.from_numpy(all_of_them).permute(0, 3, 1, 2).float()


def by_pillow(name: str, picture: Image.Image, strength: float, sign: float) -> Image.Image:
    factor, level = 1 + 0.9 * strength * sign, 0.3 * strength * sign
    shift = int(150 / 331 * SIDE * strength) * sign

    def moved(*matrix: float) -> Image.Image:
        return picture.transform(picture.size, Image.Transform.AFFINE, matrix)

    return {
        "identity": lambda: picture,
        "autocontrast": lambda: ImageOps.autocontrast(picture),
        "equalize": lambda: ImageOps.equalize(picture),
        "rotate": lambda: picture.rotate(30 * strength * sign),
        "solarize": lambda: ImageOps.solarize(picture, 255 * (1 - strength)),  # type: ignore[arg-type]
        "color": lambda: ImageEnhance.Color(picture).enhance(factor),
        "posterize": lambda: ImageOps.posterize(picture, 8 - round(4 * strength)),
        "contrast": lambda: ImageEnhance.Contrast(picture).enhance(factor),
        "brightness": lambda: ImageEnhance.Brightness(picture).enhance(factor),
        "sharpness": lambda: ImageEnhance.Sharpness(picture).enhance(factor),
        "shear-x": lambda: moved(1, level, 0, 0, 1, 0),
        "shear-y": lambda: moved(1, 0, 0, level, 1, 0),
        "translate-x": lambda: moved(1, 0, shift, 0, 1, 0),
        "translate-y": lambda: moved(1, 0, 0, 0, 1, shift),
    }[name]()


@pytest.mark.parametrize("strength", [0.3, 1.0])
@pytest.mark.parametrize("channels", [3, 1])
@pytest.mark.parametrize("name", CHANGES)
def test_changes_are_those_of_pillow(
    name: str, channels: int, strength: float, photos: Tensor
) -> None:
    pictures = photos[:, :channels]
    signs = torch.tensor([1.0, -1, 1, -1, 1, -1])
    ours = CHANGES[name](pictures, strength, signs)
    assert ours.shape == pictures.shape
    for picture, mine, sign in zip(pictures, ours, signs.tolist(), strict=True):
        pixels = picture.permute(1, 2, 0).numpy().astype(np.uint8)
        image = Image.fromarray(pixels if channels == 3 else pixels[:, :, 0])
        theirs = np.asarray(by_pillow(name, image, strength, sign), np.float32)
        difference = np.abs(mine.permute(1, 2, 0).numpy() - theirs.reshape(SIDE, SIDE, channels))
        if name in ("rotate", "shear-x", "shear-y"):  # a place half way has two nearest pixels
            assert (difference > 0).mean() < 0.02
        else:
            assert difference.max() <= 1
            assert (difference > 0).mean() < 0.02 or "contrast" in name or name == "sharpness"


@pytest.mark.parametrize(
    ("option", "theirs"),
    [
        ("brightness", tv.adjust_brightness),
        ("contrast", tv.adjust_contrast),
        ("saturation", tv.adjust_saturation),
    ],
)
def test_colours_change_as_in_torchvision(option: str, theirs, photos: Tensor) -> None:
    strengths = dict.fromkeys(("brightness", "contrast", "saturation", "hue"), 0.0)
    torch.manual_seed(5)
    ours = random_colour(photos, **{**strengths, option: 0.4})
    torch.manual_seed(5)
    place = ("brightness", "contrast", "saturation").index(option)
    factors = 1 + 0.4 * (2 * torch.rand(len(photos), 4)[:, place] - 1)
    assert factors.min() < 0.9
    assert factors.max() > 1.1
    for picture, mine, factor in zip(photos, ours, factors.tolist(), strict=True):
        torch.testing.assert_close(mine / 255, theirs(picture / 255, factor), atol=1e-3, rtol=0)


def test_a_third_of_the_circle_of_hues_swaps_the_channels(
    photos: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "rand", lambda *shape: torch.ones(shape))  # the most of each
    ours = random_colour(photos, 0, 0, 0, hue=1 / 3)
    torch.testing.assert_close(ours, photos[:, [2, 0, 1]], atol=1e-2, rtol=0)
    theirs = torch.stack([tv.adjust_hue(picture / 255, 1 / 3) for picture in photos])
    torch.testing.assert_close(ours / 255, theirs, atol=1e-3, rtol=0)


def test_every_picture_gets_changes_of_its_own() -> None:
    alike = torch.arange(3 * SIDE * SIDE).view(1, 3, SIDE, SIDE).float() % 251
    torch.manual_seed(0)
    many = randaugment(alike.expand(200, -1, -1, -1), changes=1, magnitude=15)
    kinds = len({picture.numpy().tobytes() for picture in many})
    assert kinds == 5 + 2 * 9  # of the 14, nine have two directions
    assert many.min() >= 0
    assert many.max() <= 255
    assert torch.equal(many, many.round())


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "name", ["crops+colour+randaugment+erasing", "small-erasing", "shift+randaugment-3-30"]
)
def test_chance_is_the_generators(name: str, channels: int) -> None:
    augmentation = find_augmentation(name)
    stored = augmentation.stored(32)
    images = torch.randint(256, (8, channels, stored, stored), dtype=torch.uint8)
    before = images.clone()
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        results.append(augmentation(images, 32))
    assert results[0].shape == (8, channels, 32, 32)
    assert results[0].dtype == torch.float32
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])
    assert torch.equal(images, before)


def test_changes_come_in_the_order_of_their_names() -> None:
    first = find_augmentation("none+erasing+colour").more
    assert first == find_augmentation("none+colour+erasing").more[::-1]
    assert find_augmentation("crops+light") == find_augmentation("alexnet")


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("colour", "An example"),
        ("crops+color", r"'\+color'.*\+colour"),
        ("crops+randaugment-2-31", "at most 30"),
        ("crops+randaugment-0-5", "randaugment"),
        ("", "none, shift"),
    ],
)
def test_names_that_are_no_augmentation(name: str, match: str) -> None:
    with pytest.raises(UsageError, match=match):
        find_augmentation(name)


def test_light_needs_colours() -> None:
    with pytest.raises(UsageError, match="grey"):
        find_augmentation("alexnet")(torch.zeros(2, 1, 37, 37, dtype=torch.uint8), 32)


def test_a_single_value_stays() -> None:
    flat = torch.full((1, 1, 8, 8), 200.0)
    for change in (changes.autocontrast, changes.equalize):
        assert torch.equal(change(flat, 1.0, torch.ones(1)), flat)
