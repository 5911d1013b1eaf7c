"""Fine-tuning, with a small network of random weights: quick, and it has everything to learn."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from eyespot.data.photos import MemorySource, Photo
from eyespot.errors import UsageError
from eyespot.evaluation.crossval import CrossValidated, select_and_calibrate
from eyespot.features.backbone import Backbone, load_backbone
from eyespot.features.engines import open_engine
from eyespot.features.extract import Features, embed
from eyespot.heads.calibration import log_loss, softmax
from eyespot.tasks.classification import finetune, select, tuning_network
from eyespot.tasks.classification.cross_validate import Omitted, ValidatedCandidate, ValidatedHead
from eyespot.tasks.classification.finetune import ValidatedTuning, cross_validate_tunings
from eyespot.tasks.classification.frozen_maps import OutOfTime
from eyespot.tasks.classification.options import TeachOptions
from eyespot.tasks.classification.policy import Candidate, finetuning_candidates
from eyespot.tasks.classification.split import Split, TrainingSet
from eyespot.tasks.classification.teach import teach
from eyespot.tasks.classification.tuning_network import FineTuning
from eyespot.tasks.task import load
from eyespot.training.precision import keep_depthwise_exact
from tests.pictures import patches

NAMES = ("brick", "grass", "gravel")


@pytest.fixture(scope="module")
def photos() -> list[Photo]:
    return [
        Photo(f"{name}/{number}", MemorySource(patch), name)
        for number in range(20)
        for name, patch in ((name, patches(name, 20, side=40)[number]) for name in NAMES)
    ]


@pytest.fixture(scope="module")
def labels() -> NDArray[np.int64]:
    return np.tile(np.arange(3), 20)


@pytest.fixture(scope="module")
def last(photos: list[Photo], network: Path) -> NDArray[np.float32]:
    """Features of the last layer."""
    backbone = load_backbone(str(network))
    features, _, _ = embed(photos, backbone, open_engine(backbone))
    return features.values[:, features.layout[backbone.last]].astype(np.float32)


@pytest.fixture
def tuning(photos: list[Photo], last: NDArray[np.float32], backbone: Backbone) -> FineTuning:
    found = FineTuning(photos, last, backbone, 0.5)
    found.epochs = 6
    return found


def test_what_the_frozen_stages_say_is_what_the_network_says(
    tuning: FineTuning, photos: list[Photo], backbone: Backbone
) -> None:
    from eyespot.data.transforms import prepare, standardised

    whole = prepare(photos[7].read(), backbone.preprocessing)  # type: ignore[arg-type]
    x = torch.from_numpy(standardised(whole, backbone.preprocessing)[None])
    with torch.inference_mode():
        maps = tuning.network.forward_features(x)
    stages = list(tuning.network.stages)
    before = stages[stages.index(tuning.trained[0]) - 1]
    expected = maps[before][0].numpy()
    difference = np.abs(tuning.maps[0, 7] - expected).max()
    assert difference < 0.03 * np.abs(expected).max()  # computed in bfloat16
    assert not np.allclose(tuning.maps[0, 7], tuning.maps[1, 7], atol=difference)  # another view


def test_only_the_last_stages_learn_and_statistics_stay(
    tuning: FineTuning, labels: NDArray[np.int64]
) -> None:
    before = {key: value.clone() for key, value in tuning.network.state_dict().items()}
    network = tuning.train(labels, 3, np.arange(60))
    for key, value in network.state_dict().items():
        if key.startswith("head."):
            continue
        learns = any(key.startswith(f"stages.{name}.") for name in tuning.trained)
        statistic = "running" in key or "tracked" in key
        assert torch.equal(value, before[key]) != (learns and not statistic), key
    after = tuning.network.state_dict()
    assert all(torch.equal(after[key], value) for key, value in before.items())


def test_it_learns_more_than_the_probe_it_begins_with(
    tuning: FineTuning, labels: NDArray[np.int64], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning_network, "BATCH", 6)  # more steps
    everything = np.arange(60)
    losses = []
    for epochs in (0, 8):
        tuning.epochs = epochs
        logits, _ = tuning.predict(tuning.train(labels, 3, everything), everything)
        losses.append(log_loss(softmax(logits), labels))
    assert losses[1] < 0.8 * losses[0]


def test_scores_are_by_networks_that_never_saw_the_photo(
    tuning: FineTuning, labels: NDArray[np.int64]
) -> None:
    tuning.epochs = 3
    folds = [(np.arange(30), np.arange(30, 50)), (np.arange(10, 50), np.arange(10))]
    scores, ood_scores = tuning.out_of_fold(labels, 3, folds)
    assert np.isnan(scores[50:]).all()
    assert np.isnan(ood_scores[50:]).all()
    assert not np.isnan(scores[:10]).any()
    assert not np.isnan(scores[30:50]).any()
    lied = labels.copy()
    lied[30:50] = (lied[30:50] + 1) % 3
    again, _ = tuning.out_of_fold(lied, 3, folds[:1])
    assert np.array_equal(again[30:50], scores[30:50])


def test_the_rare_class_counts_like_the_others(
    tuning: FineTuning, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning_network, "BATCH", 6)
    bricks = np.arange(0, 60, 3)
    others = np.setdiff1d(np.arange(60), bricks)
    labels = (np.arange(60) % 3 == 0).astype(np.int64)
    network = tuning.train(labels, 2, np.concatenate([others, bricks[:4]]))
    guesses = tuning.predict(network, bricks)[0].argmax(axis=1)
    assert guesses.mean() > 0.5  # four bricks among forty others


def training_set(labels: NDArray[np.int64], repeats: list[Any], block: str = "last") -> TrainingSet:
    split = Split(np.arange(60), np.arange(0), repeats, np.arange(60) % 5, "", [])
    values, hashes = np.zeros((60, 64), np.float16), np.zeros(60, np.uint64)
    names = tuple(map(str, range(60)))
    features = Features(names, names, values, {block: slice(0, 64)}, hashes, (b"",) * 60)
    return TrainingSet(features, labels, 3, split)


PREPARED: Any = None  # nothing is fitted here
NOWHERE = np.empty(0, np.float32)


def found(scores: NDArray[np.float32], labels: NDArray[np.int64]) -> CrossValidated:
    return select_and_calibrate(scores[None], labels, np.arange(len(labels)) % 5, (1.0,))


@pytest.mark.parametrize("better", [True, False])
def test_it_is_chosen_only_if_it_is_better(
    better: bool, labels: NDArray[np.int64], tuning: FineTuning
) -> None:
    rng = np.random.default_rng(0)
    right = 4 * np.eye(3, dtype=np.float32)[labels]
    noisy = right + rng.normal(0, 3, right.shape).astype(np.float32)
    weak, strong = (noisy, right) if better else (right, noisy)
    train = training_set(labels, [])
    trials: list[ValidatedCandidate] = [
        ValidatedHead(Candidate("svm", "stages"), found(weak, labels), 1.0, ("x",), PREPARED),
        ValidatedTuning(
            Candidate("finetune", "a few stages"), found(strong, labels), 9.0, tuning, NOWHERE
        ),
    ]
    results = [trial.result(train, np.arange(60)) for trial in trials]
    best, probabilities = select._select(trials, results, train)
    assert best == better
    assert np.allclose(probabilities, trials[best].found.probabilities)


def test_a_lower_loss_does_not_make_up_for_more_mistakes(
    labels: NDArray[np.int64], tuning: FineTuning
) -> None:
    true = np.eye(3, dtype=np.float32)[labels]
    head = true * np.linspace(0.01, 1, 60, dtype=np.float32)[:, None]
    head[-2:] = np.roll(head[-2:], 1, axis=1)  # two mistakes, the rest unsure
    tuned = 9 * true
    tuned[:4] = np.roll(true[:4], 1, axis=1) / 9  # four mistakes, the rest sure
    trials: list[ValidatedCandidate] = [
        ValidatedHead(Candidate("svm", "stages"), found(head, labels), 1.0, ("x",), PREPARED),
        ValidatedTuning(
            Candidate("finetune", "a few stages"), found(tuned, labels), 9.0, tuning, NOWHERE
        ),
    ]
    assert trials[1].found.log_loss < trials[0].found.log_loss
    train = training_set(labels, [])
    results = [trial.result(train, np.arange(60)) for trial in trials]
    assert select._select(trials, results, train)[0] == 0


def test_from_photos_to_a_file_and_back(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finetune, "MOST_EPOCHS", 3)
    pictures = [patch for name in NAMES for patch in patches(name, 20, side=40)]
    names = [name for name in NAMES for _ in range(20)]
    stages: set[str] = set()
    result = teach(
        pictures,
        names,
        method="finetune",
        backbone=str(network),
        progress=lambda stage, done, total: stages.add(stage),
    )
    tried = {trial.method for trial in result.candidates}
    assert "finetune more stages" in tried
    assert len(tried) > 2
    assert "Fine-tuning" in stages
    best = max(result.candidates, key=lambda trial: trial.top1)
    assert result.evaluation.top1 >= best.top1 - 0.1
    result.classifier.save(tmp_path / "taught.eyespot")
    again = load(tmp_path / "taught.eyespot")
    assert again.predict(pictures[0]) == result.classifier.predict(pictures[0])


def test_a_tuned_classifier_answers_as_its_network_does(
    tuning: FineTuning, photos: list[Photo], labels: NDArray[np.int64], tmp_path: Path
) -> None:
    scores, ood_scores = tuning.out_of_fold(labels, 3, [(np.arange(40), np.arange(40, 60))])
    trial = ValidatedTuning(
        Candidate("finetune", "more stages"),
        found(scores[40:], labels[40:]),
        1.0,
        tuning,
        ood_scores,
    )
    classifier = trial.classifier(labels, NAMES, lambda stage, done, total: None)
    logits, _ = tuning.predict(tuning.train(labels, 3, np.arange(60)), np.arange(60))
    expected = torch.from_numpy(logits / classifier.temperature).softmax(1).numpy()
    for index in range(0, 60, 7):
        answer = dict(classifier.predict(photos[index].read()).top)
        assert [answer[name] for name in NAMES] == pytest.approx(expected[index], abs=0.06)
    classifier.save(tmp_path / "tuned.eyespot")
    again = load(tmp_path / "tuned.eyespot")
    assert again.backbone.own
    assert again.recipe.method == "finetune"
    with pytest.raises(UsageError, match="was trained on the photos"):
        again.add_photos("brick", [np.zeros((40, 40, 3), np.uint8)])
    with pytest.raises(UsageError, match="Fine-tuning needs the photos themselves"):
        teach([np.zeros((40, 40, 3), np.uint8)], ["brick"], onto=again)


def test_a_budget_that_is_too_small_is_said(network: Path) -> None:
    pictures = [patch for name in NAMES for patch in patches(name, 12, side=40)]
    names = [name for name in NAMES for _ in range(12)]
    result = teach(pictures, names, method="finetune", budget=0, backbone=str(network))
    assert len(result.candidates) == 1
    left = {one.what: one.why for one in result.omitted}
    assert len(left) == 6  # heads, and two ways of fine-tuning
    assert left["finetune more stages"] == "the budget of 0 s was spent"
    assert "finetune more stages (the budget of 0 s was spent)" in result.reason


def test_how_much_time_fine_tuning_needs_is_said(
    photos: list[Photo], backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*args: Any, **options: Any) -> Any:
        clock[0] += 10
        raise OutOfTime(83.0)

    clock = [20.0]
    monkeypatch.setattr(finetune, "FineTuning", late)
    monkeypatch.setattr("eyespot.tasks.classification.finetune.time.perf_counter", lambda: clock[0])
    tried, left = tune(photos, backbone, ["more stages", "a few stages"], budget=40.0)
    assert tried == []
    assert [(one.what, one.why) for one in left] == [
        (
            "finetune more stages",
            # 30 s since the beginning, and 83 s more
            "the budget of 40 s was spent; about 120 s are needed here",
        ),
        ("finetune a few stages", "the budget of 40 s was spent"),
    ]


def tune(
    photos: list[Photo], backbone: Backbone, views: list[str], budget: float | None
) -> tuple[list[ValidatedTuning], list[Omitted]]:
    halves = [(np.arange(30), np.arange(30, 60)), (np.arange(30, 60), np.arange(30))]
    return cross_validate_tunings(
        [Candidate("finetune", view) for view in views],
        photos,
        training_set(np.tile(np.arange(3), 20), [halves], backbone.last),
        backbone,
        TeachOptions("finetune", budget),
        start=0.0,
    )


def test_without_a_budget_epochs_follow_from_counts_and_not_from_the_clock(
    photos: list[Photo], backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch = finetune.planned_epochs(backbone, 0.5, 0, 120, 1e18)[1] / 12
    fixed = finetune.planned_epochs(backbone, 0.5, 60, 120, 0.0)[1]
    monkeypatch.setattr(finetune, "TUNING_WORK", fixed + 4.5 * epoch)
    clock = itertools.count(step=1000.0)
    monkeypatch.setattr(
        "eyespot.tasks.classification.finetune.time.perf_counter", lambda: next(clock)
    )
    (tuned,), left = tune(photos, backbone, ["more stages", "a few stages"], budget=None)
    assert tuned.tuning.epochs == 4
    assert [one.what for one in left] == [
        "8 of 12 epochs of finetune more stages",
        "finetune a few stages",
    ]
    assert all("needs more computation than the plan" in one.why for one in left)


def test_epochs_are_as_many_as_there_is_time_for(
    tuning: FineTuning, labels: NDArray[np.int64], monkeypatch: pytest.MonkeyPatch
) -> None:
    folds = [(np.arange(40), np.arange(40, 60)), (np.arange(20, 60), np.arange(20))]
    trained: list[int] = []
    clock = [0.0]
    original = FineTuning.train

    def train(self: FineTuning, *args: Any) -> Any:
        trained.append(self.epochs)
        clock[0] += self.epochs * 40 * 2  # twice as slow as it seemed
        self.epochs, kept = 0, self.epochs
        network = original(self, *args)
        self.epochs = kept
        return network

    monkeypatch.setattr(FineTuning, "train", train)
    monkeypatch.setattr(FineTuning, "_seconds_per_photo", lambda self: 1.0)
    monkeypatch.setattr("eyespot.tasks.classification.finetune.time.perf_counter", lambda: clock[0])
    tuning.epochs = 12
    tuning.out_of_fold(labels, 3, folds, end=1750.0)
    # 0.8 * 1750 / (60 + 40 + 40) = 10; then 0.8 * (1750 - 800) / (2 * (60 + 40)) = 3.8
    assert trained == [10, 3]
    with pytest.raises(OutOfTime) as lacking:
        tuning.out_of_fold(labels, 3, folds, end=clock[0] + 300.0)
    assert lacking.value.seconds == pytest.approx(3 * (60 + 40 + 40) / 0.8)


def test_frozen_stages_stop_when_time_is_over(photos: list[Photo], backbone: Backbone) -> None:
    with pytest.raises(OutOfTime):
        FineTuning(photos, np.zeros((60, 64), np.float32), backbone, 0.5, end=0.0)


def names(method: str, per_class: float, alike: float | None, budget: float | None) -> list[str]:
    return [candidate.name for candidate in finetuning_candidates(method, per_class, alike, budget)]


def test_what_is_tuned_follows_the_table() -> None:
    few, more = "finetune a few stages", "finetune more stages"
    assert names("auto", 100, 0.7, 60) == [few, more]
    assert names("auto", 100, 0.1, 60) == [more, few]
    assert names("auto", 100, 0.1, 20) == []
    assert names("auto", 100, 0.1, None) == []  # heads alone, if nobody says otherwise
    assert names("finetune", 100, None, None) == [few, more]
    assert names("auto", 3, 0.1, 300) == []
    assert names("finetune", 3, 0.1, 1) == [more, few]
    assert names("svm", 100, 0.1, 300) == []


def test_networks_without_a_linear_head_are_named() -> None:
    body = replace(load_backbone(), name="squeezenet1_0", sha256="fresh")
    with pytest.raises(UsageError, match="squeezenet1_0 cannot be fine-tuned"):
        tuning_network.tunable(body)


def test_wide_depthwise_filters_stay_exact() -> None:
    from copy import deepcopy

    torch.manual_seed(0)
    layers = torch.nn.Sequential(
        torch.nn.Conv2d(8, 8, 5, groups=8), torch.nn.Conv2d(8, 8, 3, groups=8)
    )
    x = torch.randn(2, 8, 9, 9)
    expected = layers[0](x)
    keep_depthwise_exact(layers)
    copy = deepcopy(layers)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layers[0](x), expected)
        assert layers[1](layers[0](x)).dtype == torch.bfloat16
    for parameter in copy.parameters():
        parameter.detach().zero_()
    assert not copy[0](x).any()  # a copy has its own weights
    assert torch.equal(layers[0](x), expected)
