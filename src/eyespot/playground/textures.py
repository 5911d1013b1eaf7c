"""Textures of noise, and a target that hides in them: the scenes of visual search.

J. Najemnik and W. Geisler, "Optimal eye movement strategies in visual search", Nature 2005, hide a
grating in noise whose amplitude falls with spatial frequency f as 1/f, in a disc. Natural photos
have such spectra (D. Field, "Relations between the statistics of natural images and the response
properties of cortical cells", 1987). Lengths are in degrees of the visual angle, at `SCALE` pixels
a degree; luminance is in units of contrast: 0 is grey, -1 black, 1 white.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SIDE = 512
"""Pixels of a side of a texture."""
SCALE = 28
"""Pixels of a degree: a texture is 18.3 degrees wide."""
CONTRAST = 0.22
"""Standard deviation of a texture: its RMS contrast."""

FREQUENCY = 2.5
"""Cycles a degree of the target."""
SPREAD = 0.32
"""Standard deviation of the target's Gaussian envelope, in degrees."""
REACH = 36
"""Pixels from the centre of the target to the edge of its patch: there, it has faded."""
STRENGTH = 16.0
"""Detectability d' of the target where it has its full contrast, for a matched filter."""


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Amplitude 1/f^`exponent`. `stretch`: how many times longer than wide the grain is."""

    exponent: float
    stretch: float = 1.0


TEXTURES = {
    "stone": Spectrum(1.0),
    "sand": Spectrum(0.5),
    "clouds": Spectrum(1.5),
    "wood": Spectrum(1.1, stretch=6.0),
}


def make_texture(spectrum: Spectrum, rng: np.random.Generator) -> Array:
    """Noise float64 [SIDE, SIDE] of this spectrum, of mean 0 and standard deviation `CONTRAST`."""
    root = np.sqrt(spectrum.stretch)
    down, across = np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None]
    frequency = np.hypot(down * root, across / root)
    frequency[0, 0] = np.inf  # so that the mean is 0
    white = np.fft.rfft2(rng.standard_normal((SIDE, SIDE)))
    noise = np.fft.irfft2(white * frequency**-spectrum.exponent, s=(SIDE, SIDE))
    return np.asarray(CONTRAST * noise / noise.std())


def make_target(angle: float) -> Array:
    """A Gabor patch float64 [2 REACH + 1, 2 REACH + 1] of sine phase, so that its mean is 0.
    `angle`: in radians, the direction across its stripes."""
    down, across = np.mgrid[-REACH : REACH + 1, -REACH : REACH + 1] / SCALE
    along = across * np.cos(angle) + down * np.sin(angle)
    envelope = np.exp(-(across**2 + down**2) / (2 * SPREAD**2))
    return np.asarray(np.sin(2 * np.pi * FREQUENCY * along) * envelope)


def contrast_for(target: Array, texture: Array, strength: float = STRENGTH) -> float:
    """The contrast at which a matched filter detects `target` in `texture` with d' = `strength`.

    The filter's output is the sum of products with the target. Its mean rises by contrast *
    sum(target^2), and its standard deviation is that over all places of the texture; d' is by
    definition their ratio.
    """
    padded = np.zeros_like(texture)
    padded[: len(target), : len(target)] = target
    outputs = np.fft.irfft2(np.fft.rfft2(texture) * np.fft.rfft2(padded).conj(), s=texture.shape)
    return float(strength * outputs.std() / (target**2).sum())
