"""A review as a page: the map of the photos, their groups, and what a person may do about them."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eyespot.atomic import write_atomically
from eyespot.report.html import data_uri, fill, part
from eyespot.report.map import project
from eyespot.review.actions import Action, copies_of, disputed, path_of
from eyespot.review.review import Review

GALLERY = 24
TYPICAL = 6
"""Photos that stand for a group."""
COPIES, ALIKE = 12, 6
ROWS = 40
"""Proposals in the page's table; the CSV file has them all."""
MOST_POINTS = 10_000
MOST_PICTURES = 800
"""Points whose photo is on the page: with them it takes about 2.5 MB."""
MARKS = ("disc", "square", "ring", "frame")
MOST_NAMED = 40
"""Classes in the legend."""


def write_review(review: Review, actions: list[Action], csv: Path, path: Path) -> None:
    """Write the page to `path`, atomically. `csv`: the file of the proposals, to be named.
    Raises OSError as writing does."""
    # A file name in an old encoding has characters that UTF-8 cannot hold; they become "?".
    write_atomically(path, render(review, actions, csv.name).encode("utf-8", "replace"))


def render(review: Review, actions: list[Action], csv: str) -> str:
    """The page as HTML."""
    return fill("review.html", **contents(review, actions), csv=csv, script=part("review.js"))


def contents(review: Review, actions: list[Action]) -> dict[str, Any]:
    """What the template asks for: plain values."""
    kinds = Counter(action.kind for action in actions)
    copies = [group for group, _ in copies_of(review)]
    conflicts = [group for group in copies if disputed(review, group)]
    agreeing = [group for group in copies if not disputed(review, group)]
    wanted = [action for action in actions if action.kind != "sort into"]
    return {
        "count": len(review.photos),
        "classes": review.classes,
        "kinds": kinds,
        "wanted": len({action.path for action in wanted}),
        "rows": _rows(review, wanted[:ROWS]),
        "more_rows": max(0, len(wanted) - ROWS),
        "findings": review.findings,
        "silhouette": review.clusters.silhouette,
        "groups": _groups(review),
        "check": review.check,
        "label_issues": _label_issues(review, actions),
        "outliers": [
            {**_picture(review, index), "ood_score": float(review.ood_scores[index])}
            for index in review.outliers[:GALLERY]
        ],
        "all_outliers": len(review.outliers),
        "conflicts": _shown(review, conflicts),
        "copies_found": _shown(review, agreeing),
        "skipped": review.skipped,
        "map": _map(review, actions),
        "most_named": MOST_NAMED,
        "facts": _facts(review),
    }


def _rows(review: Review, actions: list[Action]) -> list[dict[str, Any]]:
    """Proposals, with photos called as elsewhere on the page, which is shorter than their paths."""
    short = {
        path_of(photo): name
        for photo, name in zip(review.photos, review.features.names, strict=True)
    }
    return [
        {
            "name": short.get(action.path, action.path),
            "kind": action.kind,
            "label": action.label,
            "detail": short.get(action.detail, action.detail),
            "score": action.score,
        }
        for action in actions
    ]


def _picture(review: Review, index: int) -> dict[str, str]:
    return {
        "src": data_uri(review.features.thumbnails[index]),
        "name": review.features.names[index],
        "label": review.photos[index].label or "",
    }


def _groups(review: Review) -> list[dict[str, Any]]:
    """Each group's typical photos and, of labelled ones, what it is made of."""
    shown = []
    for members in review.clusters.members:
        labels = Counter(review.photos[index].label or "" for index in members)
        shown.append(
            {
                "count": len(members),
                "pictures": [_picture(review, index) for index in members[:TYPICAL]],
                "mixture": [(name, n / len(members)) for name, n in labels.most_common(4)],
                "others": max(0, len(labels) - 4),
            }
        )
    return shown


def _label_issues(review: Review, actions: list[Action]) -> list[dict[str, Any]]:
    suspects = [action for action in actions if action.kind == "check label"]
    return [
        {**_picture(review, action.index), "said": action.detail, "probability": action.score}
        for action in suspects[:GALLERY]
        if action.index is not None
    ]


def _shown(review: Review, groups: list[list[int]]) -> dict[str, Any]:
    shown = [
        {
            "pictures": [_picture(review, index) for index in group[:ALIKE]],
            "more": max(0, len(group) - ALIKE),
        }
        for group in groups[:COPIES]
    ]
    return {"groups": shown, "more": max(0, len(groups) - COPIES)}


def _map(review: Review, actions: list[Action]) -> dict[str, Any] | None:
    """The points, as drawings by label and by group, and what the script says of each."""
    count = len(review.photos)
    if count < 3:
        return None
    proposed: dict[int, Action] = {}
    for action in actions:
        if action.index is not None and action.kind != "sort into":
            proposed.setdefault(action.index, action)
    shuffled = np.random.default_rng(0).permutation(count).tolist()
    first = list(dict.fromkeys([*proposed, *shuffled]))  # what wants looking at, then the rest
    picked = np.array(sorted(first[:MOST_POINTS]), dtype=np.int64)
    pictured = set(first[:MOST_PICTURES])
    places = np.round(project(review.last[picked]) * [1000, 700]).astype(int)
    labels, groups = review.labels[picked], review.clusters.of[picked]
    layers = [("group", _strokes(places, groups, _group_names(review)))]
    if review.classes:
        layers.insert(0, ("label", _strokes(places, labels, review.classes)))
    return {
        "count": len(picked),
        "all": count,
        "layers": layers,
        "marked": _path(places[[number in proposed for number in picked.tolist()]]),
        "data": {
            "x": places[:, 0].tolist(),
            "y": places[:, 1].tolist(),
            "name": [review.features.names[index] for index in picked],
            "label": labels.tolist(),
            "group": groups.tolist(),
            "classes": review.classes,
            "note": {
                place: _note(proposed[index])
                for place, index in enumerate(picked.tolist())
                if index in proposed
            },
            "picture": {
                place: data_uri(review.features.thumbnails[index])
                for place, index in enumerate(picked.tolist())
                if index in pictured
            },
        },
    }


def _note(action: Action) -> str:
    if action.kind == "check label":
        return f"looks like {action.detail}"
    return action.kind


def _group_names(review: Review) -> list[str]:
    return [f"group {number}" for number in range(1, len(review.clusters.members) + 1)]


def _strokes(
    places: NDArray[np.int64], kinds: NDArray[np.int64], names: Iterable[str]
) -> list[dict[str, Any]]:
    """A drawing for each kind of points: one path of dots, its mark and its hue."""
    return [
        {
            "name": name,
            "count": int((kinds == kind).sum()),
            "path": _path(places[kinds == kind]),
            "mark": MARKS[kind % len(MARKS)],
            "hue": round(360 * kind * 0.381966) % 360,  # the golden angle keeps hues apart
        }
        for kind, name in enumerate(names)
    ]


def _path(places: NDArray[np.int64]) -> str:
    """Dots as one SVG path: lines of no length, which round or square ends make visible."""
    return "".join(f"M{x} {y}h0" for x, y in places.tolist())


def _facts(review: Review) -> list[tuple[str, str]]:
    facts = [
        ("Photos", f"{len(review.photos)} used, {len(review.skipped)} skipped"),
        ("Network", f"{review.backbone.name} (weights {review.backbone.sha256[:12]})"),
        ("Time", ", ".join(f"{name} {value:.1f} s" for name, value in review.seconds.items())),
    ]
    if review.photos:
        facts.insert(1, ("First photo", path_of(review.photos[0])))
    if review.check:
        facts.append(("Labels asked about", f"{review.check.asked}, by {review.check.method}"))
    return facts
