from pathlib import Path

from eyespot.playground.graph import work_through
from eyespot.playground.graph_drawing import draw

graph = work_through("(x + y) * z", {"x": -2, "y": 5, "z": -4})
print(graph.result.value, graph.gradients)  # -12.0 {'x': -4.0, 'y': -4.0, 'z': 3.0}
for step in graph.steps:
    print(step.kind, step.text)
    for share in step.shares:
        print("   ", share.formula, "and", share.product)
Path("graph.svg").write_text(draw(graph), encoding="utf-8")
