import numpy as np

from eyespot.evaluation import Detections, Truth, evaluate_detections

truths, detections = [], []
for photo in range(20):  # two cells a photo; of every fourth photo, one is not found
    boxes = np.array([[10, 10, 60, 60], [80, 20, 130, 70]], np.float32)
    labels, ignored = np.array([0, 0]), np.array([False, False])
    truths.append(Truth(boxes, labels, ignored))
    count = 1 if photo % 4 == 0 else 2
    scores = np.array([0.9, 0.8], np.float32)
    detections.append(Detections(boxes[:count] + 3, labels[:count], scores[:count]))

evaluation = evaluate_detections(truths, detections, classes=1, names=["cell"])
metrics = evaluation.to_dict()
print(metrics["ap50"], metrics["ap50_interval"])
print(metrics["count_mae"], metrics["count_bias"])
print([(error["kind"], error["count"]) for error in metrics["errors"]])
