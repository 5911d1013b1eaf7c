"""`eyespot zoo`."""

import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from eyespot.cli.options import Json, argument, networks, option
from eyespot.cli.outputs import check_ending, check_outputs
from eyespot.cli.show import print_json, progress, say
from eyespot.cli.zoo_table import COLUMNS, layers_table, networks_table
from eyespot.errors import UsageError
from eyespot.shown import si


def zoo(
    names: Annotated[
        list[str] | None,
        argument("Networks; a single one is shown layer by layer.", autocompletion=networks),
    ] = None,
    sort: Annotated[str, option("Column to sort by, such as macs.")] = "",
    measure: Annotated[
        bool, option("Measure the speed on this machine first.", "--measure")
    ] = False,
    plot: Annotated[
        Path | None, option("Plot accuracy against multiply-adds into an SVG file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the networks: layers, parameters, published errors, speed.

    Example: eyespot zoo resnet50
    """
    from eyespot.features.networks import network_rows
    from eyespot.weights.zoo import NETWORKS, find

    chosen = [find(name).name for name in dict.fromkeys(names or NETWORKS)]
    check_outputs([plot])
    check_ending(plot, ".svg")
    keys = [column.key for column in COLUMNS]
    if sort and sort not in keys:
        raise UsageError(f"There is no column '{sort}'. Sort by one of: {', '.join(keys)}.")
    if measure:
        from eyespot.features import speed

        with progress() as step:
            for done, name in enumerate(chosen):
                step("Measuring", done, len(chosen))
                speed.measure(name)
    rows = network_rows(chosen)
    if sort:
        rows.sort(key=lambda row: (row[sort] is None, row[sort]))
    if plot is not None:
        from eyespot.report.html import write_page
        from eyespot.report.zoo_plot import draw

        write_page(plot, draw(rows))
    if len(names or ()) == 1 and not (measure or plot):
        _show_one(rows[0], as_json)
    elif as_json:
        print_json(rows)
    elif plot is not None:
        say(plot)
    else:
        _show_all(rows)


def _show_all(rows: Sequence[dict[str, Any]]) -> None:
    say("\n".join(networks_table(rows, shutil.get_terminal_size().columns)))
    say(
        "\nTop-1, top-5: published errors, %. Mult-adds, memory: to classify one image.\n"
        "A wider window shows more columns, eyespot zoo NAME one network layer by layer"
        + ("." if any(row["images_per_second"] for row in rows) else ",\n--measure the speed here.")
    )


def _show_one(row: dict[str, Any], as_json: bool) -> None:
    from eyespot.weights.zoo import facts_of

    facts = facts_of(row["name"])
    layers, totals = facts.layers, facts.totals
    if as_json:
        print_json({**row, "layers": [asdict(layer) for layer in layers]})
        return
    side = row["input_size"]
    about = f"{row['dataset']}, {side} x {side} pixels"
    if row["depth"]:
        about += f", {row['depth']} layers deep"
    if row["top1_error"] is None:
        about += ", no published error."
    else:
        top5 = "" if row["top5_error"] is None else f", top-5 {row['top5_error']:#.3g}%"
        about += f". Published error: top-1 {row['top1_error']:#.3g}%{top5}"
        about += f" ({row['errors_source']})."
    _say(f"{row['name']}: {row['authors']}, {row['paper']}, {row['year']}")
    _say(about)
    say()
    say("\n".join(layers_table(layers, facts.stages)))
    say()
    aside = totals.parameters - sum(layer.parameters for layer in layers)
    only = f" ({aside:,} of them only for training)" if aside else ""
    _say(
        f"{totals.parameters:,} parameters{only}, {si(totals.macs)} multiply-adds, "
        f"{si(totals.memory, 'B')} for one forward pass."
    )
    if row["images_per_second"]:
        _say(
            f"Here: {row['images_per_second']:,.0f} images/s, {row['latency'] * 1000:.1f} ms for "
            f"one alone ({row['engine']})."
        )
    _say("Sees: pixels of the image that one position looks at (its receptive field).")


def _say(text: str) -> None:
    say(textwrap.fill(text, shutil.get_terminal_size().columns))
