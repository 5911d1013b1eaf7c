"""Folder to evaluated classifier: timm's features, scikit-learn's logistic regression, 5 folds."""

import json
import sys
import time


def main() -> None:
    folder, weights = sys.argv[1:]
    start = time.perf_counter()
    import networks
    import numpy as np
    import torch
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    net = networks.network(weights)
    features, labels = [], []
    with torch.inference_mode():
        for pictures, targets in networks.loader(folder):
            features.append(net(pictures).numpy())
            labels.append(targets.numpy())
    head = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    found = cross_val_score(head, np.concatenate(features), np.concatenate(labels), cv=folds)
    print(json.dumps({"top1": found.mean(), "seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
