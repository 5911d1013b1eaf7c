"""Route of the blackboard: the forward and backward pass of an expression, step by step."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from eyespot.errors import UsageError
from eyespot.playground.expression import MAX_NODES, number_of, parse
from eyespot.playground.graph import shown, work_through
from eyespot.playground.graph_drawing import draw
from eyespot.studio.answers import Answer, or_error

router = APIRouter(prefix="/api/blackboard")

DEFAULT_VALUE = "1"
"""Of a name without a value."""

Text = Annotated[str, StringConstraints(max_length=2000)]


class BlackboardRequest(BaseModel):
    """`values`: numbers as typed, by name; names outside the expression are ignored."""

    model_config = ConfigDict(extra="forbid")

    expression: Text
    values: dict[Text, Text] = Field(default={}, max_length=MAX_NODES)


@router.post("")
@or_error
def work(request: BlackboardRequest) -> Answer:
    """`values` of the names in the expression, as typed; and `error`, or the output of `eyespot
    graph`: `result`, `steps`, `gradients`, and `drawing`, an SVG without style."""
    terms = parse(request.expression)
    names = [term.name for term in terms if term.operation == "name"]
    values = {name: request.values.get(name, DEFAULT_VALUE) for name in names}
    return {"values": values, **_worked(request.expression, values)}


@or_error
def _worked(expression: str, values: dict[str, str]) -> Answer:
    graph = work_through(expression, {name: _number(name, text) for name, text in values.items()})
    steps = []
    for step in graph.steps:
        # The step of a sum repeats the gradients of earlier steps, and its text lists them.
        shares = [
            {
                "to": graph.nodes[share.node].name,
                "formula": share.formula,
                "product": share.product,
                "above": shown(share.above),
                "local": shown(share.local),
                "gradient": shown(share.gradient),
            }
            for share in step.shares
            if step.kind == "backward"
        ]
        steps.append({"kind": step.kind, "node": step.node, "text": step.text, "shares": shares})
    return {
        "result": {"name": graph.result.name, "value": shown(graph.result.value)},
        "steps": steps,
        "gradients": {name: shown(gradient) for name, gradient in graph.gradients.items()},
        "drawing": draw(graph, styled=False),
    }


def _number(name: str, text: str) -> float:
    try:
        return number_of(text)
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from None
