"""Where the nodes of a graph stand in a drawing: in columns from left to right, few wires crossing.

The steps of Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of Hierarchical System
Structures", 1981: columns by the longest way from a name; joints where a wire passes a column, so
that no wire runs over a box; an order within each column that makes few wires cross; heights near
those of their neighbours.
"""

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean

SWEEPS = 8
"""Through all columns, forth and back, to bring wires that cross apart."""
SETTLING = 40
"""Rounds in which places move towards their neighbours."""


@dataclass(eq=False, slots=True)
class Place:
    """Of a node, or of a joint of a wire. `height`: what it needs, in pixels. `column`: from the
    left. `y`: of its middle, in pixels from the top. `before`, `after`: what it is wired to, to the
    left (the first argument first) and to the right."""

    height: float
    column: int
    y: float = 0.0
    before: list["Place"] = field(default_factory=list)
    after: list["Place"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wire:
    """From node to node (`source`, `target`: their places in the graph); `argument`: which one it
    is of the target. `path`: the places it goes through, both ends included."""

    source: int
    target: int
    argument: int
    path: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """`nodes`: the place of each drawn node, by its place in the graph."""

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
    """Places for the nodes `drawn`, each after those it is computed from.

    `edges`: (source, target, argument). `box`, `label`, `joint`: pixels of height that a node
    needs, a joint with a label, and one without. A node with several wires to the right has a
    joint with a label on each.
    """
    leaving = [source for source, _, _ in edges]
    nodes: dict[int, Place] = {}
    for node in drawn:
        arriving = [s for s, target, _ in edges if target == node]
        column = max((nodes[s].column + 1 + (leaving.count(s) > 1) for s in arriving), default=0)
        nodes[node] = Place(box, column)
    columns: list[list[Place]] = [[] for _ in range(1 + max(p.column for p in nodes.values()))]
    key = _keys(nodes, edges)
    wires = []
    for source, target, argument in edges:
        start, end = nodes[source], nodes[target]
        fork = leaving.count(source) > 1
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
    for place in key:
        columns[place.column].append(place)
    for each in columns:
        each.sort(key=key.__getitem__)
    columns = _uncrossed(columns)
    _settle(columns)
    return Layout(nodes, tuple(wires), tuple(map(tuple, columns)))


def _keys(nodes: dict[int, Place], edges: Sequence[tuple[int, int, int]]) -> dict[Place, float]:
    """An order from top to bottom in which the wires of a tree do not cross."""
    key: dict[Place, float] = {}
    for node, place in nodes.items():
        arriving = [key[nodes[source]] for source, target, _ in edges if target == node]
        key[place] = fmean(arriving) if arriving else float(len(key))
    return key


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
            middle = {
                place: fmean([rank[p] for p in near] or [rank[place]])
                for place in column
                for near in [place.before if forth else place.after]
            }
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
    """Give every place its `y`: near the mean of its neighbours', and no two in each other."""
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
            for place, y, offset in zip(columns[n], _rising(free), offsets[n], strict=True):
                place.y = y + offset
    top = min(place.y - place.height / 2 for column in columns for place in column)
    for column in columns:
        for place in column:
            place.y -= top


def _wanted(place: Place) -> float:
    """Amid the neighbours; straight behind the only one before, if that has no other after it."""
    straight = len(place.before) == 1 and len(place.before[0].after) == 1
    near = place.before if straight else place.before + place.after
    return fmean([each.y for each in near] or [place.y])


def _rising(values: Sequence[float]) -> list[float]:
    """The nearest numbers (least squares) of which none is below the one before it: neighbours out
    of order get their mean (pool adjacent violators, Ayer et al. 1955)."""
    pools: list[tuple[float, int]] = []
    for value in values:
        mean, size = value, 1
        while pools and pools[-1][0] > mean:
            other, count = pools.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        pools.append((mean, size))
    return [mean for mean, size in pools for _ in range(size)]
