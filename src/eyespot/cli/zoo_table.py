"""The networks as text: a row for each, or one network layer by layer."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from eyespot.shown import si

if TYPE_CHECKING:
    from eyespot.models.facts import Layer

GAP = "  "


@dataclass(frozen=True, slots=True)
class Column:
    """`key`: in the facts, and for --sort. `show`: formats a value. `rank`: where a window has no
    room for all columns, those of the lowest ranks are shown."""

    key: str
    heading: str
    show: Callable[[Any], str]
    rank: int
    left: bool = False


COLUMNS = (
    Column("name", "Network", str, 0, left=True),
    Column("year", "Year", str, 4),
    Column("dataset", "Dataset", str, 9, left=True),
    Column("input_size", "Input", str, 10),
    Column("depth", "Depth", str, 8),
    Column("parameters", "Params", si, 1),
    Column("macs", "Mult-adds", si, 2),
    Column("memory", "Memory", lambda number: si(number, "B"), 6),
    Column("top1_error", "Top-1", lambda error: f"{error:#.3g}", 3),
    Column("top5_error", "Top-5", lambda error: f"{error:#.3g}", 5),
    Column("images_per_second", "Images/s", lambda speed: f"{speed:,.0f}", 7),
    Column("latency", "Latency", lambda seconds: f"{seconds * 1000:.1f} ms", 12),
    Column("weights", "Weights", str, 11, left=True),
    Column("engine", "Engine", str, 13, left=True),
    Column("errors_source", "Errors from", str, 14, left=True),
    Column("authors", "Authors", str, 15, left=True),
    Column("paper", "Paper", str, 16, left=True),
)


def networks_table(rows: Sequence[dict[str, Any]], width: int) -> list[str]:
    """Lines with as many of COLUMNS as fit into `width`, without columns that have no value."""
    chosen: list[Column] = []
    for column in sorted(COLUMNS, key=lambda column: column.rank):
        known = any(row[column.key] is not None for row in rows)
        more = [*chosen, column]
        if column.rank == 0 or (known and len(_networks(rows, more)[0]) <= width):
            chosen = more
        elif known:  # a narrower column of a higher rank must not take its place
            break
    return [line.rstrip() for line in _networks(rows, chosen)]


def _networks(rows: Sequence[dict[str, Any]], columns: Iterable[Column]) -> list[str]:
    shown = [column for column in COLUMNS if column in columns]
    cells = [
        ["-" if row[column.key] is None else column.show(row[column.key]) for column in shown]
        for row in rows
    ]
    return aligned([[c.heading for c in shown], *cells], [column.left for column in shown])


def layers_table(
    layers: Sequence["Layer"], shapes: Mapping[str, tuple[int, ...]] = MappingProxyType({})
) -> list[str]:
    """Lines for a network's layers under its stages, whose outputs have `shapes`.

    Elementwise layers (activation, normalisation, dropout) are counted with the layer before.
    """
    rows = [["Layer", "Kind", "Output", "Params", "Mult-adds", "Sees"]]
    for stage, group in groupby(layers, key=stage_of):
        members = list(group)
        shown = _without_pointwise(members)
        widest = max(members, key=lambda layer: layer.receptive_field or math.inf)
        shape = shapes.get(stage, members[-1].shape)
        kind = "" if len(shown) > 1 else (shown[0][0] if shown else members[-1]).kind
        rows.append(_row(stage, kind, replace(widest, shape=shape), members))
        for layer, counted in shown if len(shown) > 1 else ():
            inner = layer.name.removeprefix("stages.").partition(".")[2]
            rows.append(_row(f"  {inner}", layer.kind, layer, counted))
    return [line.rstrip() for line in aligned(rows, [True, True, False, False, False, False])]


def stage_of(layer: "Layer") -> str:
    return layer.name.removeprefix("stages.").partition(".")[0]


def _without_pointwise(members: list["Layer"]) -> list[tuple["Layer", list["Layer"]]]:
    """The layers to show, each with the layers that are counted with it."""
    shown: list[tuple[Layer, list[Layer]]] = []
    for layer in members:
        before = shown[-1][0].shape if shown else ()
        if layer.memory or (layer.parameters and layer.shape != before):
            shown.append((layer, [layer]))
        elif shown:
            shown[-1][1].append(layer)
    return shown


def _row(name: str, kind: str, layer: "Layer", counted: Sequence["Layer"]) -> list[str]:
    """A line about `layer`, with the costs of all `counted`."""
    parameters = sum(each.parameters for each in counted)
    macs = sum(each.macs for each in counted)
    return [
        name,
        kind,
        "x".join(map(str, layer.shape)),
        f"{parameters:,}" if parameters else "-",
        si(macs) if macs else "-",
        "all" if layer.receptive_field is None else f"{layer.receptive_field} px",
    ]


def aligned(rows: Sequence[Sequence[str]], left: Sequence[bool]) -> list[str]:
    """Lines of aligned columns, to the left where `left`, else to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        GAP.join(
            cell.ljust(width) if to_left else cell.rjust(width)
            for cell, width, to_left in zip(row, widths, left, strict=True)
        )
        for row in rows
    ]
