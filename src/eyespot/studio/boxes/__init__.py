"""The room Boxes: annotate photos with boxes, and train a detector meanwhile.

`schema.py`, `store.py` and `project.py` keep projects on disk, apart from those of Teach;
`archive.py` imports and exports them, `detector_trainer.py` and `open_boxes.py` train in the
background, `routes.py` is what the page calls.
"""
