"""Training on a project, and its evaluation."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from eyespot.data.decode import decode
from eyespot.data.photos import content_hash
from eyespot.errors import Stopped
from eyespot.features import extract
from eyespot.features.backbone import Backbone, load_backbone
from eyespot.features.engines import Engine, open_engine
from eyespot.heads.ood import fit_ood
from eyespot.studio.evaluation import lenient_threshold
from eyespot.studio.imports import import_classifier
from eyespot.studio.project import Project
from eyespot.studio.projects import Store
from eyespot.studio.trainer import ProjectTrainer, Trained
from eyespot.tasks.task import load
from tests.studio.teaching import NAMES, add_classes, encoded, files, recording


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "studio")


@pytest.fixture
def surfaces(store: Store) -> Project:
    return store.create("surfaces")


@pytest.fixture(scope="module")
def engine(network: Path, converted_networks: Path) -> Engine:
    return open_engine(load_backbone(str(network)), folder=converted_networks)


@pytest.fixture
def trainer(backbone: Backbone, engine: Engine) -> ProjectTrainer:
    return ProjectTrainer(backbone, engine)


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many photos went through the network, call by call."""
    counts: list[int] = []
    embed = extract._embed

    def counted(contents: list[extract._Content], *rest: object) -> list[extract.Embedded]:
        counts.append(len(contents))
        return embed(contents, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(extract, "_embed", counted)
    return counts


def record(project: Project, bursts: int, frames: int = 6) -> dict[str, str]:
    """Each surface recorded so many times."""
    ids = add_classes(project, 0)
    for number, (name, id) in enumerate(ids.items()):
        for burst in range(bursts):
            seed = 100 * number + burst
            project.add_photos(id, recording(name, frames, seed), f"{name} {burst}")
    return ids


# --- predictions -----------------------------------------------------------------------------


def test_the_head_predicts_before_its_evaluation(
    surfaces: Project, trainer: ProjectTrainer
) -> None:
    tints = dict(zip(NAMES, [(1, 0.3, 0.3), (0.3, 1, 0.3), (0.5, 0.5, 0.5)], strict=True))
    for name, id in add_classes(surfaces, 0).items():
        surfaces.add_photos(id, files(name, 12, tint=tints[name]))
    told: list[Trained] = []
    trained = trainer.update(surfaces, told.append)
    (head,) = told
    assert head.evaluation is None
    assert head.classifier is not None
    assert trained.classifier is not None
    assert trained.version == head.version == surfaces.version()
    held_out = {name: files(name, 10, 7, tints[name]) for name in NAMES}
    for one in (head, trained):
        answers = [
            (name, max(one.predict(data).probabilities, key=lambda pair: pair[1])[0])
            for name, photos in held_out.items()
            for _, data in photos
        ]
        assert sum(name == said for name, said in answers) >= 29
    seen = trained.predict(held_out["brick"][0][1])
    assert [name for name, _ in seen.probabilities] == list(NAMES)
    assert sum(share for _, share in seen.probabilities) == pytest.approx(1)
    assert trained.classifier.metrics["top1"] == trained.evaluation.accuracy  # type: ignore[union-attr]


def test_the_classifier_can_be_saved_and_extended(
    surfaces: Project, trainer: ProjectTrainer, tmp_path: Path
) -> None:
    add_classes(surfaces, 8)
    trained = trainer.update(surfaces)
    assert trained.classifier is not None
    trained.classifier.save(tmp_path / "surfaces.eyespot")
    again = load(tmp_path / "surfaces.eyespot")
    for name in NAMES:
        for _, data in files(name, 3, seed=5):
            assert again.predict(data).top == trained.classifier.predict(data).top
    again.add_photos("brick", [files("brick", 1, seed=6)[0][1]])
    assert again.training_photos is not None
    assert len(again.training_photos.labels) == 25


def test_the_backbone_runs_only_on_new_photos(
    surfaces: Project,
    trainer: ProjectTrainer,
    backbone: Backbone,
    engine: Engine,
    computed: list[int],
) -> None:
    ids = add_classes(surfaces, 5)
    trainer.update(surfaces)
    assert sum(computed) == 15
    surfaces.add_photos(ids["brick"], files("brick", 1, seed=9))
    assert len(trainer.update(surfaces).photos) == 16
    assert sum(computed) == 16
    surfaces.undo()
    assert len(trainer.update(surfaces).photos) == 15
    surfaces.rename_class(ids["brick"], "wall")
    renamed = trainer.update(surfaces).classifier
    assert renamed is not None
    assert renamed.classes == ("wall", "grass", "gravel")
    ProjectTrainer(backbone, engine).update(surfaces)  # after a restart
    assert sum(computed) == 16


def test_a_disabled_class_is_not_trained_on(surfaces: Project, trainer: ProjectTrainer) -> None:
    ids = add_classes(surfaces, 5)
    surfaces.enable_class(ids["grass"], False)
    trained = trainer.update(surfaces)
    assert trained.classifier is not None
    assert trained.classifier.classes == ("brick", "gravel")
    surfaces.enable_class(ids["brick"], False)
    assert trainer.update(surfaces).classifier is None


def test_the_result_depends_on_the_project_alone(
    surfaces: Project, backbone: Backbone, engine: Engine
) -> None:
    ids = add_classes(surfaces, 6)
    trainer = ProjectTrainer(backbone, engine)
    surfaces.add_photos(ids["brick"], files("grass", 6, seed=3))
    trainer.update(surfaces)
    surfaces.undo()
    one, other = trainer.update(surfaces), ProjectTrainer(backbone, engine).update(surfaces)
    assert one.evaluation == other.evaluation
    data = files("gravel", 1, seed=4)[0][1]
    assert one.predict(data) == other.predict(data)


def test_the_most_similar_photos_come_first(surfaces: Project, trainer: ProjectTrainer) -> None:
    ids = add_classes(surfaces, 6)
    (known,) = files("brick", 9)[8:]
    (id,) = surfaces.add_photos(ids["brick"], [known]).photos
    near = trainer.update(surfaces).predict(known[1], k=3).similar
    assert len(near) == 3
    assert near[0].photo == id
    assert near[0].similarity == pytest.approx(1, abs=1e-3)
    similarities = [one.similarity for one in near]
    assert similarities == sorted(similarities, reverse=True)
    assert len(trainer.update(surfaces).predict(known[1], k=100).similar) == 19


# --- missing photos ---------------------------------------------------------------------------


def test_needed_names_the_missing_part(surfaces: Project, trainer: ProjectTrainer) -> None:
    assert "two classes" in trainer.update(surfaces).needed
    brick = surfaces.add_class("brick")
    assert "Add photos of brick" in trainer.update(surfaces).needed
    surfaces.add_photos(brick, files("brick", 2))
    trained = trainer.update(surfaces)
    assert "not brick" in trained.needed
    assert trained.classifier is None
    surfaces.add_class("grass")
    assert "Add photos of grass" in trainer.update(surfaces).needed


def test_one_photo_per_class_predicts_without_accuracy(
    surfaces: Project, trainer: ProjectTrainer
) -> None:
    add_classes(surfaces, 1, ("brick", "grass"))
    trained = trainer.update(surfaces)
    seen = trained.predict(files("grass", 1)[0][1])
    assert max(seen.probabilities, key=lambda pair: pair[1])[0] == "grass"
    assert trained.evaluation is not None
    assert trained.evaluation.accuracy is None
    assert "Add photos of brick, grass" in trained.evaluation.advice


def test_the_same_photo_in_two_classes(surfaces: Project, trainer: ProjectTrainer) -> None:
    ids = add_classes(surfaces, 0, ("brick", "grass"))
    for id in ids.values():
        surfaces.add_photos(id, files("gravel", 1))
    trained = trainer.update(surfaces)
    assert trained.evaluation is not None
    assert trained.evaluation.duplicates == (tuple(p.id for p in surfaces.snapshot().photos),)
    assert "same photo is in brick and grass" in trained.evaluation.advice
    shares = [share for _, share in trained.predict(files("gravel", 1)[0][1]).probabilities]
    assert shares == pytest.approx([0.5, 0.5], abs=0.01)


def test_an_enabled_class_without_photos_is_named(
    surfaces: Project, trainer: ProjectTrainer
) -> None:
    add_classes(surfaces, 5)
    surfaces.add_class("sand")
    evaluation = trainer.update(surfaces).evaluation
    assert evaluation is not None
    assert "sand has no photos yet" in evaluation.advice
    assert evaluation.accuracy is not None


def test_without_held_out_photos_the_threshold_is_that_of_other_classes() -> None:
    rng = np.random.default_rng(0)
    shared, own = np.eye(40)[0] * 2, np.eye(40)[1:3] * 3
    rows = np.concatenate([own[k] + shared + rng.normal(0, 0.1, (30, 40)) for k in (0, 1)])
    last, labels = rows.astype(np.float32), np.repeat([0, 1], 30)
    threshold = lenient_threshold(last, labels)
    score = fit_ood(last, labels)
    later = own[0] + shared + rng.normal(0, 0.3, (10, 40))
    stranger = np.eye(40)[5] * 3 + rng.normal(0, 0.1, (10, 40))
    assert (
        score(later.astype(np.float32)).max() < threshold < score(stranger.astype(np.float32)).min()
    )


# --- evaluation --------------------------------------------------------------------------------


def test_one_recording_per_class_has_no_accuracy(
    surfaces: Project, trainer: ProjectTrainer
) -> None:
    record(surfaces, bursts=1)
    trained = trainer.update(surfaces)
    assert trained.evaluation is not None
    assert trained.evaluation.accuracy is None
    assert trained.evaluation.interval is None
    assert "Record each class again" in trained.evaluation.advice
    assert trained.evaluation.duplicates == ()  # frames of a burst are alike by nature
    taught = surfaces.photo(surfaces.snapshot().photos[0].id)
    assert not trained.predict(taught).unknown


def test_recording_the_same_view_again_adds_no_evidence(
    surfaces: Project, trainer: ProjectTrainer
) -> None:
    """Two bursts, but the frames of both are the same photo."""
    ids = add_classes(surfaces, 0)
    for number, (name, id) in enumerate(ids.items()):
        (_, scene), *_ = files(name, 1, seed=number)
        large = decode(scene).pixels.repeat(2, axis=0).repeat(2, axis=1)
        surfaces.add_photos(id, [("frame", scene)], f"{name} 1")
        surfaces.add_photos(id, [("frame", encoded(large))], f"{name} 2")
    evaluation = trainer.update(surfaces).evaluation
    assert evaluation is not None
    assert (evaluation.accuracy, evaluation.distinct) == (None, 3)
    assert "from another side" in evaluation.advice
    assert evaluation.duplicates == ()


def test_frames_of_a_burst_do_not_inflate_the_accuracy(
    surfaces: Project, trainer: ProjectTrainer
) -> None:
    """Labels that say nothing: whoever knows a frame's neighbours is right, and nobody else."""
    ids = add_classes(surfaces, 0, ("one", "other"))
    for burst in range(12):
        id = ids["one" if burst % 2 else "other"]
        surfaces.add_photos(id, recording("grass", 6, seed=burst), f"burst {burst}")
    honest = trainer.update(surfaces).evaluation
    files_of = [(p.id, p.class_id) for p in surfaces.snapshot().photos]
    assert honest is not None
    assert honest.count == len(files_of) == 72
    assert honest.distinct == 12
    assert honest.accuracy is not None
    assert honest.accuracy < 0.8
    assert honest.interval is not None
    low, high = honest.interval
    assert high - low > 0.3  # of 12 photos, not of 72


def test_near_duplicates_do_not_inflate_the_accuracy(
    surfaces: Project, trainer: ProjectTrainer
) -> None:
    ids = add_classes(surfaces, 6)
    ((name, scene),) = files("brick", 1)
    pixels = decode(scene).pixels
    twin = encoded(pixels.repeat(2, axis=0).repeat(2, axis=1))  # the same photo, larger
    surfaces.add_photos(ids["brick"], [(name, twin)])
    evaluation = trainer.update(surfaces).evaluation
    assert evaluation is not None
    ids_of = {p.sha256: p.id for p in surfaces.snapshot().photos}
    assert evaluation.duplicates == (tuple(ids_of[content_hash(data)] for data in (scene, twin)),)
    assert (evaluation.count, evaluation.distinct) == (19, 18)


def test_a_photo_in_the_wrong_class_is_a_label_issue(
    surfaces: Project, trainer: ProjectTrainer
) -> None:
    ids = add_classes(surfaces, 0, ("brick", "grass"))
    surfaces.add_photos(ids["brick"], files("brick", 25))
    surfaces.add_photos(ids["grass"], files("grass", 25, tint=(0.3, 1, 0.3)))
    wrong = surfaces.add_photos(ids["grass"], files("brick", 1, seed=8)).photos
    evaluation = trainer.update(surfaces).evaluation
    assert evaluation is not None
    assert evaluation.label_issues[0].photo == wrong[0]
    assert evaluation.label_issues[0].suggested == "brick"
    assert evaluation.confused == (("grass", "brick", 1),)
    assert evaluation.lowest_recall is not None
    assert evaluation.lowest_recall[0] == "grass"
    assert evaluation.advice.startswith(
        "Most frequent confusion: grass misclassified as brick, 1 of 26 photos."
    )


def test_no_mistake_among_few_photos_is_weak_evidence(
    surfaces: Project, trainer: ProjectTrainer
) -> None:
    add_classes(surfaces, 3, ("brick", "gravel"))
    evaluation = trainer.update(surfaces).evaluation
    assert evaluation is not None
    assert evaluation.advice.startswith("Too early to measure")
    assert "brick (3), gravel (3)" in evaluation.advice
    surfaces.add_photos(surfaces.snapshot().classes[0].id, files("brick", 4, seed=3))
    surfaces.add_photos(surfaces.snapshot().classes[1].id, files("gravel", 4, seed=3))
    evaluation = trainer.update(surfaces).evaluation
    assert evaluation is not None
    if (
        evaluation.accuracy == 1
    ):  # the interval of 14 of 14 begins at 78%, that of 16 of 16 above 80%
        assert "Add 2 photos or more from other sides" in evaluation.advice
    else:
        assert "misclassified as" in evaluation.advice


# --- what goes wrong -------------------------------------------------------------------------


def test_a_damaged_file_is_left_out_and_named(surfaces: Project, trainer: ProjectTrainer) -> None:
    add_classes(surfaces, 4)
    first, second, *_ = surfaces.snapshot().photos
    surfaces.path(first.sha256).write_bytes(b"damaged")
    surfaces.path(second.sha256).write_bytes(files("gravel", 9)[8][1])  # another photo
    trained = trainer.update(surfaces)
    assert [skipped.path for skipped in trained.left_out] == [
        f"photo {first.id}",
        f"photo {second.id}",
    ]
    assert "damaged" in trained.left_out[1].reason
    assert len(trained.photos) == 10


@pytest.fixture
def brought(
    surfaces: Project, trainer: ProjectTrainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Store:
    """The projects of another machine: one, from a classifier of 6 photos that was saved here."""
    add_classes(surfaces, 2)
    saved = trainer.update(surfaces).classifier
    assert saved is not None
    saved.save(tmp_path / "m.eyespot")
    monkeypatch.setenv("EYESPOT_CACHE", str(tmp_path / "other cache"))
    trainer.features._known.clear()
    elsewhere = Store(tmp_path / "other studio")
    import_classifier(elsewhere, tmp_path / "m.eyespot", "m")
    return elsewhere


def test_training_on_imported_features(
    brought: Store, trainer: ProjectTrainer, computed: list[int]
) -> None:
    project = brought.open(brought.list()[0].id)
    project.add_photos(project.snapshot().classes[0].id, files("brick", 1, seed=3))
    trained = trainer.update(project)
    assert computed == [1]  # the new one; no other is there
    assert trained.left_out == ()
    assert len(trained.photos) == 7
    assert trained.evaluation is not None
    assert trained.evaluation.count == 7


def test_features_of_another_network_are_left_out(brought: Store, trainer: ProjectTrainer) -> None:
    with brought.database.writing() as database:
        database.execute("UPDATE imported_features SET extractor = 'another'")
    trained = trainer.update(brought.open(brought.list()[0].id))
    assert trained.classifier is None
    assert len(trained.left_out) == 6
    assert "another backbone" in trained.left_out[0].reason


@pytest.mark.parametrize("questions", [0, 4, 9, 11])
def test_training_can_be_stopped_between_all_steps(
    surfaces: Project, trainer: ProjectTrainer, questions: int
) -> None:
    """And goes on from there when it is asked again."""
    add_classes(surfaces, 3)
    asked: list[int] = []

    def stopped() -> bool:
        asked.append(1)
        return len(asked) > questions

    with pytest.raises(Stopped):
        trainer.update(surfaces, stopped=stopped)
    assert trainer.update(surfaces).evaluation is not None


def test_a_project_may_change_during_training(surfaces: Project, trainer: ProjectTrainer) -> None:
    """Also from inside: nothing is locked."""
    ids = add_classes(surfaces, 4)

    def change(trained: Trained) -> None:
        thread = threading.Thread(target=lambda: surfaces.delete_class(ids["brick"]))
        thread.start()
        thread.join(timeout=600)
        assert not thread.is_alive()

    trained = trainer.update(surfaces, change)
    assert trained.version < surfaces.version()
    assert trainer.update(surfaces).classifier.classes == ("grass", "gravel")  # type: ignore[union-attr]


def test_two_threads_may_train_at_once(surfaces: Project, trainer: ProjectTrainer) -> None:
    """The last change starts anew while what it outdates is about to end."""
    add_classes(surfaces, 6)
    found: list[Trained] = []
    work: Callable[[], None] = lambda: found.append(trainer.update(surfaces))  # noqa: E731
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert found[0].evaluation == found[1].evaluation
