"""Photos with boxes: Pascal VOC, COCO, YOLO, Label Studio, CVAT and CSV in; COCO, VOC, YOLO out.

A reader per format (`voc.py`, `coco.py`, ...) turns files into `entries.Entry`, `frame.py` finds
the pixels that the boxes count, `audit.py` checks the boxes, and `open.py` does it all.
"""
