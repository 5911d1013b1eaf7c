import pytest

from eyespot.data.split_names import is_filler, is_fold, split_named, splits_of_files

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


def test_names_that_say_no_more_than_that_something_is_inside() -> None:
    assert all(map(is_filler, ["images", "Data", "my photos", "img_2"]))
    assert not any(map(is_filler, ["cat", "test images", "2023", ""]))


@pytest.mark.parametrize(
    ("files", "splits"),
    [
        ("train-00000-of-00002 train-00001-of-00002 test-00000-of-00001", "train train test"),
        ("train-00000-of-00001-0123456789abcdef validation-00000-of-00001", "train val"),
        ("imagenet1k-train-0000 imagenet1k-validation-0000", "train val"),
        ("cifar10_train cifar10_test", "train test"),
        ("my_test_photos", "-"),
        ("train", "-"),
        ("train_station bus_stop", "- -"),
        ("train_station test_tube", "- -"),
        ("cats_1 cats_2 cats_test", "- - -"),
        ("train-0 rest", "train -"),
        ("pets-0 pets-1", "- -"),
    ],
)
def test_splits_of_files(files: str, splits: str) -> None:
    found, findings = splits_of_files(files.split())
    assert [split or "-" for split in found] == splits.split()
    assert bool(findings) == (splits.strip("- ") != "" or "cats_test" in files)
