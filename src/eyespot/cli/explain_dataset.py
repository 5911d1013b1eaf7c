"""`eyespot explain dataset`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eyespot.cli.at_length import read_and_written
from eyespot.cli.columns import LabelColumn, PathColumn, SplitColumn
from eyespot.cli.outputs import check_ending, check_outputs, check_table
from eyespot.cli.show import (
    counted,
    print_findings,
    print_json,
    printable,
    progress,
    say,
)

if TYPE_CHECKING:
    from eyespot.review.actions import Action
    from eyespot.review.review import Review

COLUMNS = ("path", "action", "label", "detail", "score")


def dataset(
    photos: Annotated[
        Path,
        typer.Argument(help="What teach takes, or a folder of photos without class folders."),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where the page goes.")] = Path(
        "dataset.html"
    ),
    csv: Annotated[
        Path | None,
        typer.Option(help="Where the proposals go. [default: beside the page, .actions.csv]"),
    ] = None,
    backbone: Annotated[
        str, typer.Option(help="A network of the zoo, or a file that train wrote.")
    ] = "efficientnet_lite0",
    path_column: PathColumn = None,
    label_column: LabelColumn = None,
    split_column: SplitColumn = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Show what a collection is like: a map, groups, copies, outliers, labels that look wrong.

    Nothing is changed: a CSV file proposes what to do.
    Example: eyespot explain dataset pets/ -o pets.html
    """
    check_outputs([output])
    table = csv or output.with_suffix(".actions.csv")
    check_ending(output, ".html", ".htm")
    check_ending(table, ".csv")
    from eyespot.data.rows import write_rows
    from eyespot.report.review import write_review
    from eyespot.review.actions import propose
    from eyespot.review.review import open_any, review

    collection = open_any(photos, path_column, label_column, split_column)
    outputs = [output, table]
    check_outputs(outputs, [photos, *read_and_written(collection.photos, outputs)])
    check_table(table, COLUMNS)
    with progress() as step:
        found = review(collection, root=photos, backbone=backbone, progress=step)
        actions = propose(found)
        step("Writing", 0, 1)
        write_rows([row(action) for action in actions], COLUMNS, table)
        write_review(found, actions, table, output)
    if as_json:
        print_json({**summary(found, actions), "page": str(output), "csv": str(table)})
    else:
        print_review(found, actions)
        say(f"\nPage        {printable(str(output))}\nProposals   {printable(str(table))}")


def row(action: "Action") -> dict[str, object]:
    """A row of COLUMNS."""
    score = None if action.score is None else round(action.score, 4)
    return {
        "path": action.path,
        "action": action.kind,
        "label": action.label,
        "detail": action.detail,
        "score": score,
    }


def summary(review: "Review", actions: "list[Action]") -> dict[str, Any]:
    """What `--json` prints of a review."""
    check = review.check
    planted = check.planted if check else None
    return {
        "photos": len(review.photos),
        "classes": list(review.classes),
        "skipped": [{"path": s.path, "reason": s.reason} for s in review.skipped],
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
    """What a person wants to know."""
    kinds = [action.kind for action in actions]
    groups = counted(len(review.clusters.members), "group")
    say(f"\n{counted(len(review.photos), 'photo')} in {groups} that look alike.")
    print_findings(review.findings)
    proposed = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
    for kind, number in proposed.items():
        say(f"{number:6}  {kind}")
    if not proposed:
        say("Nothing to do: no copies, no outliers, no file that cannot be read.")
    for skipped in review.skipped[:5]:
        say(printable(f"Skipped {skipped.path}: {skipped.reason}"))
    if len(review.skipped) > 5:
        say(f"and {len(review.skipped) - 5:,} more; --json lists every one.")
