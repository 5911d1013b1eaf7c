"""A computation graph as an SVG: nodes from left to right, on each wire the value above and the
gradient below."""

from collections import Counter
from html import escape

from eyespot.playground.graph import Graph, shown
from eyespot.playground.graph_layout import Layout, Place, Wire, arrange
from eyespot.playground.operations import OPERATIONS

FONT = 15
SMALL = 12
"""Pixels of letters; the small ones name nodes."""
LETTER = 0.62
"""Width of a letter as a share of its size: of the widest digits of system fonts."""
BOX, LABEL, JOINT = 64.0, 30.0, 18.0
"""Heights in pixels that a node needs, a labelled joint of a wire, and one without a label."""
ROUND = 17.0
"""Half the height of a node's box."""
BEND = 52.0
"""Width between two columns, where wires bend."""
MARGIN = 24.0
TOP, BOTTOM = 64.0, 52.0
"""Room for the heading and the legend."""
NARROWEST = 330.0
"""The legend needs so much."""

_SIGNS = str.maketrans("*-", "×−")
_STYLE = """\
svg { color-scheme: light dark; --paper: #fff; --ink: #1d1f24; --soft: #565b66; --box: #f1efea;
 --value: #0a6b2c; --gradient: #b3261e; }
@media (prefers-color-scheme: dark) { svg { --paper: #14161a; --ink: #eceae5; --soft: #aeb3bd;
 --box: #262b33; --value: #6fd88a; --gradient: #ff9d93; } }
.paper { fill: var(--paper); } text { fill: var(--ink); font-size: 15px; }
.heading { font-size: 17px; font-weight: 650; } .middle { text-anchor: middle; }
.name { fill: var(--soft); font-size: 12px; } .wire { fill: none; stroke: var(--soft); }
.box { fill: var(--box); stroke: var(--soft); } .fork { fill: var(--soft); }
.value { fill: var(--value); } .gradient { fill: var(--gradient); }
.value, .gradient { font-variant-numeric: tabular-nums; }
"""


def draw(graph: Graph, *, styled: bool = True) -> str:
    """The SVG. `styled`: with colours and font sizes, which a page may define for its classes.

    Each number has a `data-step`: the step, counted from 1, that writes it down (0: an input).
    Nodes have a `data-node`, their index in the graph, and wires `data-from` and `data-to`.
    """
    return _Drawing(graph).svg(_STYLE if styled else "")


class _Drawing:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        last = len(graph.nodes) - 1
        # Constants are written into the nodes that use them.
        drawn = [i for i, n in enumerate(graph.nodes) if n.gradient is not None or i == last]
        edges = [
            (source, target, argument)
            for target in drawn
            for argument, source in enumerate(graph.nodes[target].inputs)
            if source in drawn
        ]
        self.layout: Layout = arrange(edges, drawn, BOX, LABEL, JOINT)
        self.value_steps: dict[int, int] = {}
        self.gradient_steps: dict[int, int] = {}
        self.shares: dict[tuple[int, int], tuple[float, int]] = {}
        """Gradient and step of each share, by node and argument."""
        for number, step in enumerate(graph.steps, start=1):
            if step.kind == "forward":
                self.value_steps[step.node] = number
            elif step.kind == "backward":
                for share in step.shares:
                    self.shares[step.node, share.argument] = share.gradient, number
                    self.gradient_steps[share.node] = number
            else:  # the start, or a sum, which comes after all its shares
                self.gradient_steps[step.node] = number
        leaving = Counter(wire.source for wire in self.layout.wires)
        self.forks = {source for source, count in leaving.items() if count > 1}
        self.starts: dict[Place, float] = {}
        self.boxes: list[float] = []
        self.ends: list[float] = []
        self.width = self.measure()

    def symbol(self, node: int) -> str:
        """The text in a node's box: its operation and constants."""
        drawn, this = self.layout.nodes, self.graph.nodes[node]
        if this.operation not in OPERATIONS:
            return this.name
        constants = [
            "" if i in drawn else shown(self.graph.nodes[i].value).translate(_SIGNS)
            for i in this.inputs
        ]
        sign = OPERATIONS[this.operation].symbol.translate(_SIGNS)
        if this.operation == "neg":
            return f"−{constants[0]}" if constants[0] else "× (−1)"
        if not sign:
            inner = ", ".join(text or "·" for text in constants)
            return f"{this.operation}({inner})" if any(constants) else this.operation
        left, right = constants
        return f"{left} {sign} {f'({right})' if right.startswith('−') else right}".strip()

    def measure(self) -> float:
        """Find where each column starts, its boxes end and its wires may bend; return the total
        width."""
        left = MARGIN
        by_place = {place: node for node, place in self.layout.nodes.items()}
        labels = {w.path[1]: w for w in self.layout.wires if w.source in self.forks}
        for column in self.layout.columns:
            boxes, texts = [0.0], [0.0]
            for place in column:
                if place in by_place:
                    node = self.graph.nodes[by_place[place]]
                    boxes.append(self.box_width(by_place[place]))
                    texts += [_width(shown(node.value)), _width(shown(node.gradient or 0))]
                elif place in labels:
                    wire = labels[place]
                    texts.append(_width(shown(self.shares[wire.target, wire.argument][0])))
                self.starts[place] = left
            self.boxes.append(left + max(boxes))
            self.ends.append(self.boxes[-1] + max(texts) + 14)
            left = self.ends[-1] + BEND
        return max(left - BEND + MARGIN, NARROWEST)

    def box_width(self, node: int) -> float:
        text = _width(self.symbol(node)) + 18
        name = _width(self.graph.nodes[node].name, SMALL)
        return max(2 * ROUND, text, name)

    def svg(self, style: str) -> str:
        graph = self.graph
        places = [place for column in self.layout.columns for place in column]
        height = TOP + max(place.y + place.height / 2 for place in places) + BOTTOM
        result = graph.result
        expression = " ".join(graph.expression.split())
        heading = f"{result.name} = {expression}" if result.inputs else expression
        room = int((self.width - 2 * MARGIN) / (LETTER * 17))
        short = heading if len(heading) <= room else f"{heading[: room - 3]}..."
        facts = "; ".join(
            f"{n.name}{'' if n.name == n.written else f' = {n.written}'} = {shown(n.value)}"
            + ("" if n.gradient is None else f", gradient {shown(n.gradient)}")
            for n in (graph.nodes[i] for i in self.layout.nodes)
        )
        wide, high, foot = f"{self.width:.0f}", f"{height:.0f}", height - 20
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" '
                f'viewBox="0 0 {wide} {high}" role="img" aria-labelledby="title desc" '
                'font-family="system-ui, sans-serif">',
                f'<title id="title">Computation graph of {escape(heading)}</title>',
                f'<desc id="desc">From left to right: {escape(facts)}.</desc>',
                *([f"<style>\n{style}</style>"] if style else []),
                f'<rect class="paper" width="{wide}" height="{high}"/>',
                f'<text class="heading" x="{MARGIN:g}" y="34">{escape(short)}</text>',
                *(self.wire(wire) for wire in self.layout.wires),
                *(self.node(node, place) for node, place in self.layout.nodes.items()),
                f'<text class="value" x="{MARGIN:g}" y="{foot:.0f}">above: value</text>',
                f'<text class="gradient" x="{MARGIN + 110:g}" y="{foot:.0f}">'
                f"below: gradient of {escape(result.name)}</text>",
                "</svg>\n",
            ]
        )

    def wire(self, wire: Wire) -> str:
        """From the end of a box's own line to the next box, with the share of a fork."""
        inputs = [w for w in self.layout.wires if w.target == wire.target]
        port = 0.0 if len(inputs) == 1 else 9.0 * (2 * wire.argument - 1)
        x, y = self.ends[wire.path[0].column], TOP + wire.path[0].y
        path = f"M{x:.1f} {y:.1f}"
        for place in wire.path[1:]:
            arrives = place is wire.path[-1]
            # The line ends beneath the box, whose corners are round.
            to_x = self.box_left(wire.target) + 6 if arrives else self.starts[place]
            to_y = TOP + place.y + (port if arrives else 0)
            middle = (x + self.starts[place]) / 2
            path += (
                f"C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {self.starts[place]:.1f} {to_y:.1f}"
            )
            x, y = (to_x if arrives else self.ends[place.column]), to_y
            path += f"H{x:.1f}"
        ends = f'data-from="{wire.source}" data-to="{wire.target}"'
        out = f'<path class="wire" {ends} d="{path}"/>'
        if wire.source in self.forks:
            joint = wire.path[1]
            x = (self.boxes[joint.column] + self.ends[joint.column]) / 2
            gradient, step = self.shares[wire.target, wire.argument]
            out += _number("gradient", gradient, x, TOP + joint.y + 16, step)
        return out

    def box_left(self, node: int) -> float:
        """Boxes are right-aligned in their column, next to their numbers."""
        return self.boxes[self.layout.nodes[node].column] - self.box_width(node)

    def node(self, number: int, place: Place) -> str:
        node, y = self.graph.nodes[number], TOP + place.y
        left, width = self.box_left(number), self.box_width(number)
        right, end = left + width, self.ends[place.column]
        parts = [f'<path class="wire" d="M{right:.1f} {y:.1f}H{end:.1f}"/>']
        if node.inputs:
            parts += [
                f'<rect class="box" x="{left:.1f}" y="{y - ROUND:.1f}" width="{width:.1f}" '
                f'height="{2 * ROUND:g}" rx="{ROUND:g}"/>',
                f'<text class="name middle" x="{left + width / 2:.1f}" '
                f'y="{y - ROUND - 4:.1f}">{escape(node.name)}</text>',
            ]
        parts.append(
            f'<text class="middle" x="{left + width / 2:.1f}" y="{y + 5:.1f}">'
            f"{escape(self.symbol(number))}</text>"
        )
        if number in self.forks:
            parts.append(f'<circle class="fork" cx="{end:.1f}" cy="{y:.1f}" r="3.5"/>')
        middle = (right + end) / 2
        parts.append(_number("value", node.value, middle, y - 6, self.value_steps.get(number, 0)))
        if node.gradient is not None:
            step = self.gradient_steps[number]
            parts.append(_number("gradient", node.gradient, middle, y + 16, step))
        title = f"<title>{escape(node.written)}</title>"
        return f'<g data-node="{number}">{title}{"".join(parts)}</g>'


def _width(text: str, size: float = FONT) -> float:
    return LETTER * size * len(text)


def _number(kind: str, value: float, x: float, y: float, step: int) -> str:
    digits = escape(shown(value).translate(_SIGNS))
    return f'<text class="{kind} middle" data-step="{step}" x="{x:.1f}" y="{y:.1f}">{digits}</text>'
