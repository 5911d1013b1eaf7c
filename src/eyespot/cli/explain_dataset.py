"""`eyespot explain dataset`."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from eyespot.cli.models import expect_backbone
from eyespot.cli.options import Backbone, Columns, Json, argument, option, with_columns
from eyespot.cli.outputs import check_ending, check_outputs, check_table
from eyespot.cli.show import (
    print_findings,
    print_json,
    print_skipped,
    print_wrote,
    progress,
    say,
)
from eyespot.shown import counted

if TYPE_CHECKING:
    from eyespot.review.actions import Action
    from eyespot.review.review import Review

COLUMNS = ("path", "action", "label", "detail", "score")


@with_columns
def dataset(
    photos: Annotated[
        Path, argument("Labelled photos, as for teach, or a folder without classes.")
    ],
    output: Annotated[Path, option("The page to write.", "-o", "--output")] = Path("dataset.html"),
    csv: Annotated[
        Path | None, option("The table of proposals to write.", show_default="NAME.actions.csv")
    ] = None,
    backbone: Backbone = "efficientnet_lite0",
    as_json: Json = False,
    *,
    columns: Columns,
) -> None:
    """Review a dataset: label issues, duplicates, outliers, clusters.

    A CSV file proposes what to do; no photo is changed.

    Example: eyespot explain dataset pets/ -o pets.html
    """
    check_outputs([output])
    table = csv or output.with_suffix(".actions.csv")
    check_ending(output, ".html", ".htm")
    check_ending(table, ".csv")
    with progress() as step:
        expect_backbone(backbone)
        from eyespot.data.rows import write_rows
        from eyespot.report.review import write_review
        from eyespot.review.actions import propose
        from eyespot.review.review import open_any, review

        collection = open_any(photos, **asdict(columns))
        check_outputs([output, table], [photos], collection.photos)
        check_table(table, COLUMNS)
        found = review(collection, root=photos, backbone=backbone, progress=step)
        actions = propose(found)
        step("Writing", 0, 1)
        write_rows([row(action) for action in actions], COLUMNS, table)
        write_review(found, actions, table, output)
    if as_json:
        print_json({**summary(found, actions), "page": str(output), "csv": str(table)})
    else:
        print_review(found, actions)
        print_wrote(output, table)


def row(action: "Action") -> dict[str, object]:
    """A row of COLUMNS."""
    score = None if action.score is None else round(action.score, 4)
    values = (action.path, action.kind, action.label, action.detail, score)
    return dict(zip(COLUMNS, values, strict=True))


def summary(review: "Review", actions: "list[Action]") -> dict[str, Any]:
    """The JSON of a review."""
    check = review.check
    planted = check.planted if check else None
    return {
        "photos": len(review.photos),
        "classes": list(review.classes),
        "skipped": [asdict(one) for one in review.skipped],
        "findings": [finding.to_dict() for finding in review.findings],
        "groups": [
            [review.features.names[index] for index in members]
            for members in review.clusters.members
        ],
        "planted": planted
        and {
            "planted": planted.planted,
            "found": planted.found,
            "corrected": planted.corrected,
            "suspected": planted.reported,
            "recall_interval": list(planted.recall_interval),
            "precision_interval": list(planted.precision_interval),
        },
        "actions": [row(action) for action in actions],
        "seconds": review.seconds,
    }


def print_review(review: "Review", actions: "list[Action]") -> None:
    """Print the clusters, findings and proposals of a review."""
    clusters = counted(len(review.clusters.members), "cluster")
    say(f"\n{counted(len(review.photos), 'photo')} in {clusters} of similar photos.")
    print_findings(review.findings)
    proposed = Counter(action.kind for action in actions)
    for kind, number in proposed.items():
        say(f"{number:6}  {kind}")
    if not proposed:
        say("Nothing to do: no duplicates, no outliers, no damaged files.")
    print_skipped(review.skipped, most=5)
