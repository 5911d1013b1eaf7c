"""Folder to evaluated classifier with fastai, one frozen epoch: fastai_epoch.py FOLDER WEIGHTS."""

import json
import sys
import time


def main() -> None:
    folder, weights = sys.argv[1:]
    start = time.perf_counter()
    import networks
    from fastai.vision.all import ImageDataLoaders, Resize, accuracy, set_seed, vision_learner

    set_seed(0)
    loaders = ImageDataLoaders.from_folder(
        folder, valid_pct=0.2, seed=0, item_tfms=Resize(224), num_workers=2
    )
    learner = vision_learner(loaders, "tf_efficientnet_lite0", pretrained=False, metrics=accuracy)
    networks.load_in_order(learner.model[0], weights)
    learner.freeze()
    with learner.no_bar(), learner.no_logging():
        learner.fit_one_cycle(1)
    print(
        json.dumps(
            {"top1": learner.recorder.values[-1][-1], "seconds": time.perf_counter() - start}
        )
    )


if __name__ == "__main__":
    main()
