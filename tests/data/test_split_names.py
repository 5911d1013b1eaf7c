import pytest

from eyespot.data.split_names import is_fold, split_named

NAMES = {
    "train": (
        *("train", "TRAIN", "Training", "training_set", "train_set", "train-data", "trainset"),
        *("train2017", "seg_train", "Train Images", "trainSet", "TrainingData", " train "),
        *("train_1", "training dataset", "train.", "traindata", "trainval"),
    ),
    "val": (
        *("val", "valid", "VALIDATION", "dev", "val2017", "valid_set", "Validation Set"),
        *("devset", "validation-data"),
    ),
    "test": (
        *("test", "Testing", "test_set", "testset", "seg_test", "holdout", "hold-out", "hold_out"),
        *("Hold Out", "PublicTest", "PrivateTest", "held-out", "test_images", "holdout_set"),
    ),
}
OTHERS = (
    *("", "cat", "trains", "trainers", "test tube", "crash test", "valley", "devil", "train cat"),
    *("train_test", "set", "data", "2017", "fold1", "contest", "training wheels", "images"),
)


@pytest.mark.parametrize(("split", "name"), [(s, n) for s, names in NAMES.items() for n in names])
def test_a_split_in_any_spelling(split: str, name: str) -> None:
    assert split_named(name) == split


@pytest.mark.parametrize("name", OTHERS)
def test_other_names_mean_no_split(name: str) -> None:
    assert split_named(name) is None


def test_folds() -> None:
    assert all(map(is_fold, ["fold1", "Fold_2", "fold-0", "cv fold 3", "FOLD 10", "kfold_1"]))
    assert not any(map(is_fold, ["folder1", "fold", "folded", "scaffold1", "cat", "train"]))
