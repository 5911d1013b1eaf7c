"""Train Ultralytics' yolo11n from scratch on one core: yolo.py FOLDER EPOCHS SEED.

FOLDER holds data.yaml, images/ and labels/. Prints the seconds of CPU time until the end of
the training, and the boxes found in the photos of the test split.
"""

import json
import resource
import sys
import tempfile
from pathlib import Path

LEAST_SCORE = 0.001


def main() -> None:
    folder, epochs, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    import networks  # noqa: F401 - before torchvision
    import torch
    import torchvision
    from ultralytics import YOLO
    from ultralytics.utils.nms import TorchNMS

    torchvision.ops.nms = TorchNMS.nms  # its own needs a compiled extension
    torch.set_num_threads(1)
    model = YOLO("yolo11n.yaml")
    spent = []
    model.add_callback("on_train_epoch_end", lambda trainer: spent.append(cpu_seconds()))
    with tempfile.TemporaryDirectory() as runs:
        model.train(
            data=str(folder / "data.yaml"),
            epochs=epochs,
            imgsz=640,
            batch=16,
            workers=0,
            device="cpu",
            seed=seed,
            val=False,
            plots=False,
            verbose=False,
            project=runs,
        )
        trained = YOLO(next(Path(runs).rglob("last.pt")))
    found = {}
    for photo in sorted((folder / "images" / "test").iterdir()):
        (result,) = trained.predict(str(photo), conf=LEAST_SCORE, imgsz=640, verbose=False)
        found[photo.name] = {
            "boxes": result.boxes.xyxy.tolist(),
            "scores": result.boxes.conf.tolist(),
            "labels": result.boxes.cls.int().tolist(),
        }
    print(json.dumps({"cpu": spent[-1], "found": found}))


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
