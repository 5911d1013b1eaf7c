"""Textures have their spectra, and the target its contrast."""

from itertools import product

import numpy as np
import pytest

from eyespot.playground.textures import (
    CONTRAST,
    FREQUENCY,
    REACH,
    SCALE,
    SIDE,
    TEXTURES,
    contrast_for,
    make_target,
    make_texture,
)


@pytest.mark.parametrize("name", ["stone", "sand", "clouds"])
def test_amplitude_falls_with_frequency(name: str) -> None:
    texture = make_texture(TEXTURES[name], np.random.default_rng(0))
    assert texture.shape == (SIDE, SIDE)
    assert texture.mean() == pytest.approx(0, abs=1e-12)
    assert texture.std() == pytest.approx(CONTRAST)
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None])
    inside = (frequency > 4 / SIDE) & (frequency < 0.5)
    amplitude = np.log(np.abs(np.fft.rfft2(texture))[inside])
    slope, _ = np.polyfit(np.log(frequency[inside]), amplitude, 1)
    assert slope == pytest.approx(-TEXTURES[name].exponent, abs=0.01)


def test_wood_has_a_grain() -> None:
    wood = make_texture(TEXTURES["wood"], np.random.default_rng(0))
    down, across = (np.diff(wood, axis=axis).std() for axis in (0, 1))
    assert across > 2 * down


def test_the_target_is_a_grating_that_fades() -> None:
    target = make_target(0)
    assert target.shape == (2 * REACH + 1, 2 * REACH + 1)
    assert target.sum() == pytest.approx(0, abs=1e-9)
    spectrum = np.abs(np.fft.rfft(target[REACH], 100 * SCALE))
    assert np.argmax(spectrum) / 100 == pytest.approx(FREQUENCY, abs=0.1)
    edges = target[[0, -1]], target[:, [0, -1]]
    assert max(np.abs(edge).max() for edge in edges) < 1e-3
    turned = make_target(np.pi / 2)
    np.testing.assert_allclose(turned, target.T, atol=1e-12)


def test_the_contrast_gives_a_matched_filter_its_detectability() -> None:
    rng = np.random.default_rng(0)
    texture, target = rng.standard_normal((20, 24)), rng.standard_normal((5, 5))
    outputs = [
        (np.roll(texture, (-row, -column), (0, 1))[:5, :5] * target).sum()
        for row, column in product(range(20), range(24))
    ]
    gain = contrast_for(target, texture, strength=3.0) * (target * target).sum()
    assert gain / np.std(outputs) == pytest.approx(3.0)
