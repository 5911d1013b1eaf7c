"""EyespotFeatures as scikit-learn expects a transformer."""

import pickle
from io import BytesIO
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks

import eyespot
from eyespot.errors import PhotoError, UsageError
from eyespot.features.transformer import EyespotFeatures
from tests.pictures import patches

PHOTOS = [*patches("brick", 6, side=40), *patches("grass", 6, side=40)]
LABELS = ["brick"] * 6 + ["grass"] * 6


@pytest.fixture
def features(network: Path) -> EyespotFeatures:
    return EyespotFeatures(backbone=str(network), use_cache=False)


def test_features_are_those_of_heads(features: EyespotFeatures) -> None:
    rows = features.fit_transform(PHOTOS)
    assert (rows.dtype, len(rows)) == (np.float32, 12)
    assert rows.shape[1] == features.n_features_out_ == len(features.get_feature_names_out())
    embedded = eyespot.embed(PHOTOS, backbone=features.backbone, use_cache=False)
    np.testing.assert_array_equal(rows, embedded.inputs(features.blocks_))


def test_stages_select_columns(features: EyespotFeatures) -> None:
    features.fit(PHOTOS)
    stage = features.blocks_[0].rpartition(".")[0]
    for stages in ("last", stage, [stage]):
        part = clone(features).set_params(stages=stages).fit(PHOTOS)
        names = set(part.get_feature_names_out())
        assert names < set(features.get_feature_names_out())
        assert part.transform(PHOTOS[:2]).shape == (2, len(names))
    with pytest.raises(UsageError, match="There is no stage 'nowhere'"):
        clone(features).set_params(stages="nowhere").fit(PHOTOS)


def test_it_works_in_a_pipeline_a_grid_search_and_joblib(features: EyespotFeatures) -> None:
    pipeline = make_pipeline(features, LogisticRegression())
    search = GridSearchCV(pipeline, {"eyespotfeatures__stages": ["last", "all"]}, cv=2)
    search.fit(PHOTOS, LABELS)
    predicted = search.predict(PHOTOS).tolist()
    kept = BytesIO()
    joblib.dump(search, kept)
    kept.seek(0)
    assert joblib.load(kept).predict(PHOTOS).tolist() == predicted
    parallel = joblib.Parallel(n_jobs=2, prefer="threads")(
        joblib.delayed(search.predict)(part) for part in (PHOTOS[:6], PHOTOS[6:])
    )
    assert np.concatenate(parallel).tolist() == predicted


def test_a_fitted_one_pickles_without_its_engine(features: EyespotFeatures) -> None:
    features.fit(PHOTOS)
    content = pickle.dumps(features)
    assert len(content) < 5_000
    again = pickle.loads(content)
    np.testing.assert_array_equal(again.transform(PHOTOS[:2]), features.transform(PHOTOS[:2]))


def test_errors_name_the_photo(features: EyespotFeatures) -> None:
    with pytest.raises(NotFittedError):
        features.transform(PHOTOS)
    with pytest.raises(PhotoError, match="1 cannot be used"):
        features.fit_transform([PHOTOS[0], b"broken"])


@pytest.mark.parametrize(
    "check",
    [
        "check_estimator_cloneable",
        "check_valid_tag_types",
        "check_estimator_repr",
        "check_no_attributes_set_in_init",
        "check_mixin_order",
        "check_parameters_default_constructible",
        "check_get_params_invariance",
        "check_set_params",
    ],
)
def test_scikit_learns_checks_that_need_no_table(check: str) -> None:
    """`check_estimator` itself stops at the input tags: all its other checks fit and transform
    tables of numbers, and a row of numbers is not a photo."""
    getattr(estimator_checks, check)("EyespotFeatures", EyespotFeatures())
