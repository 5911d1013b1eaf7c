"""Features and heads in scikit-learn.

Run: python docs/examples/features.py PHOTOS_FOLDER (which holds a folder per class)
"""

import sys
from pathlib import Path

paths = [p for p in sorted(Path(sys.argv[1]).rglob("*")) if p.is_file()]
labels = [p.parent.name for p in paths]

# ---
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

import eyespot
from eyespot.heads.estimators import LogisticHead

features = eyespot.EyespotFeatures(stages="all")  # frozen features, float32 [n, d]
pipeline = make_pipeline(features, LogisticHead(balanced=True))
pipeline.fit(paths, labels)
print(pipeline.predict(paths[:2]), features.fit(paths).get_feature_names_out()[:2])

search = GridSearchCV(make_pipeline(features, LinearSVC()), {"linearsvc__C": [0.01, 1]}, cv=2)
print(search.fit(paths, labels).best_params_)
