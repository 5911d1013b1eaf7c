"""The map of photos on a page: places by t-SNE, drawn once for each colouring.

The drawing needs no script; `map.js` adds the photo of a point, and zooming.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot.features.extract import Features
from eyespot.report.html import data_uri
from eyespot.report.tsne import project

LEAST_POINTS, MOST_POINTS = 3, 10_000
MOST_THUMBNAILS = 800
"""Points whose photo is on the page: with them the page takes about 2.5 MB."""
MARKS = ("disc", "square", "ring", "frame")
MOST_NAMED = 40
"""Classes in the legend."""


@dataclass(frozen=True, slots=True)
class Colouring:
    """`by`: what it shows, such as label. `of`: int64 [n], an index of `names` for each photo;
    -1 for none."""

    by: str
    of: NDArray[np.int64]
    names: Sequence[str]


def photo_map(
    features: Features,
    block: str,
    colourings: Sequence[Colouring],
    notes: Mapping[int, str],
    most: int = MOST_POINTS,
) -> dict[str, Any] | None:
    """The values of the macro `photo_map`; None for fewer than three photos.

    `block`: the features that place a photo. `notes`: text about photos, by index; these photos
    are outlined, and come first where not all can be shown.
    """
    count = len(features)
    if count < LEAST_POINTS:
        return None
    shuffled = np.random.default_rng(0).permutation(count).tolist()
    by_interest = list(dict.fromkeys([*notes, *shuffled]))
    picked = sorted(by_interest[:most])
    with_thumbnail = set(by_interest[:MOST_THUMBNAILS])
    places = np.round(project(features.inputs((block,))[picked]) * [1000, 700]).astype(int)
    return {
        "count": len(picked),
        "all": count,
        "layers": [(c.by, _layer(places, c.of[picked], c.names)) for c in colourings],
        "marked": _path(places[[index in notes for index in picked]]),
        "most_named": MOST_NAMED,
        "data": {
            "x": places[:, 0].tolist(),
            "y": places[:, 1].tolist(),
            "name": [features.names[index] for index in picked],
            "layers": [{"of": c.of[picked].tolist(), "names": [*c.names]} for c in colourings],
            "note": {n: notes[index] for n, index in enumerate(picked) if index in notes},
            "thumbnail": {
                n: data_uri(features.thumbnails[index])
                for n, index in enumerate(picked)
                if index in with_thumbnail
            },
        },
    }


def _layer(
    places: NDArray[np.int64], of: NDArray[np.int64], names: Sequence[str]
) -> list[dict[str, Any]]:
    """One path of dots for each name, with its mark and hue."""
    return [
        {
            "name": name,
            "count": int((of == number).sum()),
            "path": _path(places[of == number]),
            "mark": MARKS[number % len(MARKS)],
            "hue": round(360 * number * 0.381966) % 360,  # the golden angle keeps hues apart
        }
        for number, name in enumerate(names)
    ]


def _path(places: NDArray[np.int64]) -> str:
    """Dots as one SVG path: lines of no length, which round or square ends make visible."""
    return "".join(f"M{x} {y}h0" for x, y in places.tolist())
