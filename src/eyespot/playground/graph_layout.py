"""Layout of a graph: nodes in columns from left to right, with few crossing wires.

After Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of Hierarchical System
Structures", 1981: columns by the longest path from a name; joints where a wire passes a column, so
that no wire runs over a box; barycentre order within each column; heights near the neighbours'.
"""

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean

SWEEPS = 8
"""Through all columns, forth and back, to remove crossings."""
SETTLING = 40
"""Rounds in which nodes move towards their neighbours."""


@dataclass(eq=False, slots=True)
class Place:
    """A node or a joint of a wire. `height`: in pixels. `column`: from the left. `y`: pixels from
    the top to its middle. `before`, `after`: neighbours to the left (the first argument first) and
    to the right."""

    height: float
    column: int
    y: float = 0.0
    before: list["Place"] = field(default_factory=list)
    after: list["Place"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wire:
    """From the node `source` to the `argument` of the node `target`. `path`: both ends and the
    joints between them."""

    source: int
    target: int
    argument: int
    path: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """`nodes`: the place of each drawn node, by its index in the graph."""

    nodes: dict[int, Place]
    wires: tuple[Wire, ...]
    columns: tuple[tuple[Place, ...], ...]


def arrange(
    edges: Sequence[tuple[int, int, int]],
    drawn: Iterable[int],
    box: float,
    label: float,
    joint: float,
) -> Layout:
    """Places for the nodes `drawn`, each after its arguments.

    `edges`: (source, target, argument). `box`, `label`, `joint`: heights in pixels of a node, a
    joint with a label, and one without. A node with several wires to the right has a joint with a
    label on each.
    """
    leaving = Counter(source for source, _, _ in edges)
    nodes: dict[int, Place] = {}
    for node in drawn:
        arriving = [s for s, target, _ in edges if target == node]
        column = max((nodes[s].column + 1 + (leaving[s] > 1) for s in arriving), default=0)
        nodes[node] = Place(box, column)
    key: dict[Place, float] = {}  # an order from top to bottom in which a tree has no crossings
    for node, place in nodes.items():
        above = [key[nodes[source]] for source, target, _ in edges if target == node]
        key[place] = fmean(above) if above else float(len(key))
    wires = []
    for source, target, argument in edges:
        start, end = nodes[source], nodes[target]
        fork = leaving[source] > 1
        path = [start]
        for column in range(start.column + 1, end.column):
            first = fork and column == start.column + 1
            path.append(Place(label if first else joint, column))
            key[path[-1]] = key[end] if fork else key[start]
        path.append(end)
        for left, right in pairwise(path):
            left.after.append(right)
            right.before.append(left)
        wires.append(Wire(source, target, argument, tuple(path)))
    columns: list[list[Place]] = [[] for _ in range(1 + max(p.column for p in nodes.values()))]
    for place in sorted(key, key=key.__getitem__):
        columns[place.column].append(place)
    columns = _uncrossed(columns)
    _settle(columns)
    return Layout(nodes, tuple(wires), tuple(map(tuple, columns)))


def _uncrossed(columns: list[list[Place]]) -> list[list[Place]]:
    """The columns in the best order that barycentres find; the first of equals."""
    best, fewest = columns, _crossings(columns)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        forth = sweep % 2 == 0
        columns = [list(column) for column in columns]
        rank = {place: n for column in columns for n, place in enumerate(column)}
        for column in columns if forth else reversed(columns):
            middle = {}
            for place in column:
                near = place.before if forth else place.after
                middle[place] = fmean([rank[p] for p in near] or [rank[place]])
            column.sort(key=middle.__getitem__)
            rank |= {place: n for n, place in enumerate(column)}
        if (crossings := _crossings(columns)) < fewest:
            best, fewest = columns, crossings
    return best


def _crossings(columns: Sequence[Sequence[Place]]) -> int:
    """How many pairs of wires cross, between all neighbouring columns."""
    crossings = 0
    for left, right in pairwise(columns):
        rank = {place: n for n, place in enumerate(right)}
        ends: list[int] = []
        for place in left:
            mine = sorted(rank[end] for end in place.after)
            crossings += sum(len(ends) - bisect_right(ends, end) for end in mine)
            for end in mine:
                insort(ends, end)
    return crossings


def _settle(columns: Sequence[Sequence[Place]]) -> None:
    """Set the `y` of all places: near the mean of their neighbours', without overlaps."""
    from scipy.optimize import isotonic_regression

    offsets: list[list[float]] = []
    for column in columns:
        below = 0.0
        for place in column:
            place.y = below + place.height / 2
            below += place.height
        offsets.append([place.y for place in column])
    for turn in range(SETTLING):
        order = range(len(columns)) if turn % 2 else reversed(range(len(columns)))
        for n in order:
            wanted = [_wanted(place) for place in columns[n]]
            free = [y - offset for y, offset in zip(wanted, offsets[n], strict=True)]
            ascending = isotonic_regression(free).x
            for place, y, offset in zip(columns[n], ascending, offsets[n], strict=True):
                place.y = float(y + offset)
    top = min(place.y - place.height / 2 for column in columns for place in column)
    for column in columns:
        for place in column:
            place.y -= top


def _wanted(place: Place) -> float:
    """Amid the neighbours; straight behind the only one before, if that has no other after it."""
    straight = len(place.before) == 1 and len(place.before[0].after) == 1
    near = place.before if straight else place.before + place.after
    return fmean([each.y for each in near] or [place.y])
