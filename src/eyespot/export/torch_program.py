"""torch: a torch.export program, which loads without eyespot."""

import io
import json
from typing import Any

from eyespot.arrays import U8
from eyespot.export.check import Run
from eyespot.export.facts import facts
from eyespot.tasks.classification.classifier import Classifier


def torch_program(classifier: Classifier) -> bytes:
    """The content of the .pt2 file, with the extra files `labels.json` and `facts.json`."""
    import torch

    from eyespot.export.graph import ClassifierModule, program_of

    known, content = facts(classifier), io.BytesIO()
    extra = {"labels.json": known["labels"], "facts.json": json.dumps(known)}
    torch.export.save(program_of(ClassifierModule(classifier)), content, extra_files=extra)
    return content.getvalue()


def run_torch(content: bytes) -> Run:
    """A function that runs the program."""
    import torch

    module = torch.export.load(io.BytesIO(content)).module()

    def run(pixels: U8) -> Any:
        with torch.inference_mode():
            return [found[0].numpy() for found in module(torch.from_numpy(pixels[None].copy()))]

    return run
