"""The page of a review: the map of the photos, their groups, and proposals."""

from collections import Counter
from pathlib import Path
from typing import Any

from eyespot.report.html import fill, write_page
from eyespot.report.map import Colouring, photo_map
from eyespot.report.photos import GALLERY, Photos, common_facts
from eyespot.review.actions import Action, disputed, duplicates_of, path_of
from eyespot.review.review import Review

TYPICAL = 6
"""Photos shown of a group."""
LABELS = 4
"""Labels named of a group."""
ROWS = 40
"""Proposals in the page's table; the CSV file has them all."""


def write_review(review: Review, actions: list[Action], csv: Path, path: Path) -> None:
    """Write the page to `path`, atomically. `csv`: the file of the proposals, which the page names.

    Raises OSError as writing does.
    """
    write_page(path, render(review, actions, csv.name))


def render(review: Review, actions: list[Action], csv: str) -> str:
    """The page as HTML."""
    return fill("review.html", **contents(review, actions), csv=csv)


def contents(review: Review, actions: list[Action]) -> dict[str, Any]:
    """The values of the template, plain ones."""
    photos = Photos(review.features, [photo.label or "" for photo in review.photos])
    groups = [group for group, _ in duplicates_of(review)]
    proposals = [action for action in actions if action.kind != "sort into"]
    return {
        "count": len(review.photos),
        "classes": review.classes,
        "kinds": Counter(action.kind for action in actions),
        "to_review": len({action.path for action in proposals}),
        "rows": _rows(review, proposals[:ROWS]),
        "more_rows": max(0, len(proposals) - ROWS),
        "findings": review.findings,
        "silhouette": review.clusters.silhouette,
        "groups": _groups(review, photos),
        "check": review.check,
        "label_issues": [
            photos.item(action.index, predicted=action.detail, probability=action.score)
            for action in [action for action in actions if action.kind == "check label"][:GALLERY]
            if action.index is not None
        ],
        "outliers": [
            photos.item(index, ood_score=float(review.ood_scores[index]))
            for index in review.outliers[:GALLERY]
        ],
        "all_outliers": len(review.outliers),
        "conflicts": photos.duplicates([group for group in groups if disputed(review, group)]),
        "duplicates": photos.duplicates([g for g in groups if not disputed(review, g)]),
        "skipped": review.skipped,
        "map": _map(review, proposals),
        "facts": _facts(review),
    }


def _rows(review: Review, actions: list[Action]) -> list[dict[str, Any]]:
    """Proposals for a table, with the short names of photos that the whole page uses."""
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


def _groups(review: Review, photos: Photos) -> list[dict[str, Any]]:
    """The typical photos of each group, and the shares of its labels."""
    counts = [Counter(photos.labels[i] for i in members) for members in review.clusters.members]
    return [
        {
            "count": len(members),
            "photos": [photos.item(index) for index in members[:TYPICAL]],
            "labels": [(name, n / len(members)) for name, n in labels.most_common(LABELS)],
            "more": max(0, len(labels) - LABELS),
        }
        for members, labels in zip(review.clusters.members, counts, strict=True)
    ]


def _map(review: Review, proposals: list[Action]) -> dict[str, Any] | None:
    names = [f"group {number}" for number in range(1, len(review.clusters.members) + 1)]
    colourings = [Colouring("group", review.clusters.of, names)]
    if review.classes:
        colourings.insert(0, Colouring("label", review.labels, review.classes))
    notes: dict[int, str] = {}
    for action in proposals:
        if action.index is not None:
            wrong = action.kind == "check label"
            notes.setdefault(action.index, f"predicted {action.detail}" if wrong else action.kind)
    return photo_map(review.features, review.backbone.last, colourings, notes)


def _facts(review: Review) -> list[tuple[str, str]]:
    facts = common_facts(len(review.photos), len(review.skipped), review.backbone, review.seconds)
    if review.photos:
        facts.insert(1, ("First photo", path_of(review.photos[0])))
    if review.check:
        facts.append(("Labels checked", f"{review.check.compared:,}, by {review.check.method}"))
    return facts
