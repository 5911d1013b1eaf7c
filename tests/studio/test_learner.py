"""What is learnt from a project, and what is said of it."""

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
from eyespot.studio.figures import lenient_threshold
from eyespot.studio.imports import import_classifier
from eyespot.studio.learner import Learner, Learnt
from eyespot.studio.project import Project
from eyespot.studio.projects import Store
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
def learner(backbone: Backbone, engine: Engine) -> Learner:
    return Learner(backbone, engine)


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures went through the network, call by call."""
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
            project.add_pictures(id, recording(name, frames, seed), f"{name} {burst}")
    return ids


# --- what answers ----------------------------------------------------------------------------


def test_it_answers_first_and_then_has_figures(surfaces: Project, learner: Learner) -> None:
    tints = dict(zip(NAMES, [(1, 0.3, 0.3), (0.3, 1, 0.3), (0.5, 0.5, 0.5)], strict=True))
    for name, id in add_classes(surfaces, 0).items():
        surfaces.add_pictures(id, files(name, 12, tint=tints[name]))
    told: list[Learnt] = []
    learnt = learner.update(surfaces, told.append)
    (head,) = told
    assert head.figures is None
    assert head.classifier is not None
    assert learnt.classifier is not None
    assert learnt.version == head.version == surfaces.version()
    unseen = {name: files(name, 10, 7, tints[name]) for name in NAMES}
    for one in (head, learnt):
        answers = [
            (name, max(one.look(data).probabilities, key=lambda pair: pair[1])[0])
            for name, pictures in unseen.items()
            for _, data in pictures
        ]
        assert sum(name == said for name, said in answers) >= 29
    seen = learnt.look(unseen["brick"][0][1])
    assert [name for name, _ in seen.probabilities] == list(NAMES)
    assert sum(share for _, share in seen.probabilities) == pytest.approx(1)
    assert learnt.classifier.metrics["top1"] == learnt.figures.top1  # type: ignore[union-attr]


def test_it_can_be_saved_and_taught_more(
    surfaces: Project, learner: Learner, tmp_path: Path
) -> None:
    add_classes(surfaces, 8)
    learnt = learner.update(surfaces)
    assert learnt.classifier is not None
    learnt.classifier.save(tmp_path / "surfaces.eyespot")
    again = load(tmp_path / "surfaces.eyespot")
    for name in NAMES:
        for _, data in files(name, 3, seed=5):
            assert again.predict(data).top == learnt.classifier.predict(data).top
    again.add_photos("brick", [files("brick", 1, seed=6)[0][1]])
    assert again.training_photos is not None
    assert len(again.training_photos.labels) == 25


def test_only_new_pictures_go_through_the_network(
    surfaces: Project, learner: Learner, backbone: Backbone, engine: Engine, computed: list[int]
) -> None:
    ids = add_classes(surfaces, 5)
    learner.update(surfaces)
    assert sum(computed) == 15
    surfaces.add_pictures(ids["brick"], files("brick", 1, seed=9))
    assert len(learner.update(surfaces).pictures) == 16
    assert sum(computed) == 16
    surfaces.undo()
    assert len(learner.update(surfaces).pictures) == 15
    surfaces.rename_class(ids["brick"], "wall")
    renamed = learner.update(surfaces).classifier
    assert renamed is not None
    assert renamed.classes == ("wall", "grass", "gravel")
    Learner(backbone, engine).update(surfaces)  # after a restart
    assert sum(computed) == 16


def test_a_class_that_is_off_is_not_learnt(surfaces: Project, learner: Learner) -> None:
    ids = add_classes(surfaces, 5)
    surfaces.enable_class(ids["grass"], False)
    learnt = learner.update(surfaces)
    assert learnt.classifier is not None
    assert learnt.classifier.classes == ("brick", "gravel")
    surfaces.enable_class(ids["brick"], False)
    assert learner.update(surfaces).classifier is None


def test_what_it_says_depends_on_the_project_alone(
    surfaces: Project, backbone: Backbone, engine: Engine
) -> None:
    ids = add_classes(surfaces, 6)
    learner = Learner(backbone, engine)
    surfaces.add_pictures(ids["brick"], files("grass", 6, seed=3))
    learner.update(surfaces)
    surfaces.undo()
    one, other = learner.update(surfaces), Learner(backbone, engine).update(surfaces)
    assert one.figures == other.figures
    data = files("gravel", 1, seed=4)[0][1]
    assert one.look(data) == other.look(data)


def test_the_nearest_pictures_are_those_most_alike(surfaces: Project, learner: Learner) -> None:
    ids = add_classes(surfaces, 6)
    (known,) = files("brick", 9)[8:]
    (id,) = surfaces.add_pictures(ids["brick"], [known]).pictures
    near = learner.update(surfaces).look(known[1], k=3).near
    assert len(near) == 3
    assert near[0].picture == id
    assert near[0].similarity == pytest.approx(1, abs=1e-3)
    similarities = [one.similarity for one in near]
    assert similarities == sorted(similarities, reverse=True)
    assert len(learner.update(surfaces).look(known[1], k=100).near) == 19


# --- what is missing -------------------------------------------------------------------------


def test_it_says_what_is_missing(surfaces: Project, learner: Learner) -> None:
    assert "two classes" in learner.update(surfaces).needed
    brick = surfaces.add_class("brick")
    assert "Add pictures of brick" in learner.update(surfaces).needed
    surfaces.add_pictures(brick, files("brick", 2))
    learnt = learner.update(surfaces)
    assert "not brick" in learnt.needed
    assert learnt.classifier is None
    assert learnt.nearest(np.zeros(10)) == ()
    surfaces.add_class("grass")
    assert "Add pictures of grass" in learner.update(surfaces).needed


def test_one_picture_of_each_class_answers_without_figures(
    surfaces: Project, learner: Learner
) -> None:
    add_classes(surfaces, 1, ("brick", "grass"))
    learnt = learner.update(surfaces)
    seen = learnt.look(files("grass", 1)[0][1])
    assert max(seen.probabilities, key=lambda pair: pair[1])[0] == "grass"
    assert learnt.figures is not None
    assert learnt.figures.top1 is None
    assert "Add more pictures of brick and grass" in learnt.figures.advice


def test_the_same_picture_as_two_classes(surfaces: Project, learner: Learner) -> None:
    ids = add_classes(surfaces, 0, ("brick", "grass"))
    for id in ids.values():
        surfaces.add_pictures(id, files("gravel", 1))
    learnt = learner.update(surfaces)
    assert learnt.figures is not None
    assert learnt.figures.doubled == (tuple(p.id for p in surfaces.snapshot().pictures),)
    assert "same picture is in brick and grass" in learnt.figures.advice
    shares = [share for _, share in learnt.look(files("gravel", 1)[0][1]).probabilities]
    assert shares == pytest.approx([0.5, 0.5], abs=0.01)


def test_an_enabled_class_without_pictures_is_named(surfaces: Project, learner: Learner) -> None:
    add_classes(surfaces, 5)
    surfaces.add_class("sand")
    figures = learner.update(surfaces).figures
    assert figures is not None
    assert "sand has no picture yet" in figures.advice
    assert figures.top1 is not None


def test_without_held_out_photos_the_threshold_is_the_score_between_classes() -> None:
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


# --- honest figures --------------------------------------------------------------------------


def test_one_recording_of_each_class_has_no_figures(surfaces: Project, learner: Learner) -> None:
    record(surfaces, bursts=1)
    learnt = learner.update(surfaces)
    assert learnt.figures is not None
    assert learnt.figures.top1 is None
    assert learnt.figures.interval is None
    assert "Record each class once more" in learnt.figures.advice
    assert learnt.figures.doubled == ()  # frames of a burst are alike by nature
    taught = surfaces.picture(surfaces.snapshot().pictures[0].id)
    assert not learnt.look(taught).unknown


def test_recording_the_same_view_again_is_no_second_opinion(
    surfaces: Project, learner: Learner
) -> None:
    """Two bursts, but the frames of both are the same picture."""
    ids = add_classes(surfaces, 0)
    for number, (name, id) in enumerate(ids.items()):
        (_, scene), *_ = files(name, 1, seed=number)
        large = decode(scene).pixels.repeat(2, axis=0).repeat(2, axis=1)
        surfaces.add_pictures(id, [("frame", scene)], f"{name} 1")
        surfaces.add_pictures(id, [("frame", encoded(large))], f"{name} 2")
    figures = learner.update(surfaces).figures
    assert figures is not None
    assert (figures.top1, figures.independent) == (None, 3)
    assert "from another side" in figures.advice
    assert figures.doubled == ()


def test_frames_of_a_burst_do_not_inflate_the_figures(surfaces: Project, learner: Learner) -> None:
    """Labels that say nothing: whoever knows a frame's neighbours is right, and nobody else."""
    ids = add_classes(surfaces, 0, ("one", "other"))
    for burst in range(12):
        id = ids["one" if burst % 2 else "other"]
        surfaces.add_pictures(id, recording("grass", 6, seed=burst), f"burst {burst}")
    honest = learner.update(surfaces).figures
    files_of = [(p.id, p.class_id) for p in surfaces.snapshot().pictures]
    assert honest is not None
    assert honest.asked == len(files_of) == 72
    assert honest.independent == 12
    assert honest.top1 is not None
    assert honest.top1 < 0.8
    assert honest.interval is not None
    low, high = honest.interval
    assert high - low > 0.3  # of 12 pictures, not of 72


def test_copies_do_not_inflate_the_figures_either(surfaces: Project, learner: Learner) -> None:
    ids = add_classes(surfaces, 6)
    ((name, scene),) = files("brick", 1)
    pixels = decode(scene).pixels
    twin = encoded(pixels.repeat(2, axis=0).repeat(2, axis=1))  # the same picture, larger
    surfaces.add_pictures(ids["brick"], [(name, twin)])
    figures = learner.update(surfaces).figures
    assert figures is not None
    ids_of = {p.sha256: p.id for p in surfaces.snapshot().pictures}
    assert figures.doubled == (tuple(ids_of[content_hash(data)] for data in (scene, twin)),)
    assert (figures.asked, figures.independent) == (19, 18)


def test_a_picture_in_the_wrong_class_is_found(surfaces: Project, learner: Learner) -> None:
    ids = add_classes(surfaces, 0, ("brick", "grass"))
    surfaces.add_pictures(ids["brick"], files("brick", 25))
    surfaces.add_pictures(ids["grass"], files("grass", 25, tint=(0.3, 1, 0.3)))
    wrong = surfaces.add_pictures(ids["grass"], files("brick", 1, seed=8)).pictures
    figures = learner.update(surfaces).figures
    assert figures is not None
    assert figures.label_issues[0].picture == wrong[0]
    assert figures.label_issues[0].suggested == "brick"
    assert figures.confused == (("grass", "brick", 1),)
    assert figures.weakest is not None
    assert figures.weakest[0] == "grass"
    assert figures.advice.startswith(
        "Most frequent confusion: grass misclassified as brick, 1 of 26 photos."
    )


def test_no_mistake_among_few_pictures_proves_little(surfaces: Project, learner: Learner) -> None:
    add_classes(surfaces, 3, ("brick", "gravel"))
    figures = learner.update(surfaces).figures
    assert figures is not None
    assert figures.advice.startswith("Too early to measure")
    assert "brick (3), gravel (3)" in figures.advice
    surfaces.add_pictures(surfaces.snapshot().classes[0].id, files("brick", 4, seed=3))
    surfaces.add_pictures(surfaces.snapshot().classes[1].id, files("gravel", 4, seed=3))
    figures = learner.update(surfaces).figures
    assert figures is not None
    if figures.top1 == 1:  # the interval of 14 of 14 begins at 78%, that of 16 of 16 above 80%
        assert "Add 2 pictures or more from other sides" in figures.advice
    else:
        assert "misclassified as" in figures.advice


# --- what goes wrong -------------------------------------------------------------------------


def test_a_damaged_file_is_left_out_and_named(surfaces: Project, learner: Learner) -> None:
    add_classes(surfaces, 4)
    first, second, *_ = surfaces.snapshot().pictures
    surfaces.path(first.sha256).write_bytes(b"damaged")
    surfaces.path(second.sha256).write_bytes(files("gravel", 9)[8][1])  # another picture
    learnt = learner.update(surfaces)
    assert [skipped.path for skipped in learnt.left_out] == [
        f"picture {first.id}",
        f"picture {second.id}",
    ]
    assert "damaged" in learnt.left_out[1].reason
    assert len(learnt.pictures) == 10


@pytest.fixture
def brought(
    surfaces: Project, learner: Learner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Store:
    """The projects of another machine: one, from a classifier of 6 pictures that was saved here."""
    add_classes(surfaces, 2)
    saved = learner.update(surfaces).classifier
    assert saved is not None
    saved.save(tmp_path / "m.eyespot")
    monkeypatch.setenv("EYESPOT_CACHE", str(tmp_path / "other cache"))
    learner._known.clear()
    elsewhere = Store(tmp_path / "other studio")
    import_classifier(elsewhere, tmp_path / "m.eyespot", "m")
    return elsewhere


def test_it_learns_from_what_a_classifier_brought(
    brought: Store, learner: Learner, computed: list[int]
) -> None:
    project = brought.open(brought.list()[0].id)
    project.add_pictures(project.snapshot().classes[0].id, files("brick", 1, seed=3))
    learnt = learner.update(project)
    assert computed == [1]  # the new one; no other is there
    assert learnt.left_out == ()
    assert len(learnt.pictures) == 7
    assert learnt.figures is not None
    assert learnt.figures.asked == 7


def test_features_of_another_network_are_left_out(brought: Store, learner: Learner) -> None:
    with brought.database.writing() as database:
        database.execute("UPDATE taught SET extractor = 'another'")
    learnt = learner.update(brought.open(brought.list()[0].id))
    assert learnt.classifier is None
    assert len(learnt.left_out) == 6
    assert "another network" in learnt.left_out[0].reason


@pytest.mark.parametrize("questions", [0, 4, 9, 11])
def test_it_can_be_stopped_between_all_steps(
    surfaces: Project, learner: Learner, questions: int
) -> None:
    """And goes on from there when it is asked again."""
    add_classes(surfaces, 3)
    asked: list[int] = []

    def stopped() -> bool:
        asked.append(1)
        return len(asked) > questions

    with pytest.raises(Stopped):
        learner.update(surfaces, stopped=stopped)
    assert learner.update(surfaces).figures is not None


def test_a_project_may_change_while_it_is_learnt(surfaces: Project, learner: Learner) -> None:
    """Also from inside: nothing is locked."""
    ids = add_classes(surfaces, 4)

    def change(learnt: Learnt) -> None:
        thread = threading.Thread(target=lambda: surfaces.delete_class(ids["brick"]))
        thread.start()
        thread.join(timeout=600)
        assert not thread.is_alive()

    learnt = learner.update(surfaces, change)
    assert learnt.version < surfaces.version()
    assert learner.update(surfaces).classifier.classes == ("grass", "gravel")  # type: ignore[union-attr]


def test_two_threads_may_learn_at_once(surfaces: Project, learner: Learner) -> None:
    """The last change starts anew while what it outdates is about to end."""
    add_classes(surfaces, 6)
    found: list[Learnt] = []
    work: Callable[[], None] = lambda: found.append(learner.update(surfaces))  # noqa: E731
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert found[0].figures == found[1].figures
