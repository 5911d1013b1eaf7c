"""The table of tasks, and a second task that nothing but the table knows."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Self

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from eyespot.atomic import write_atomically
from eyespot.data.decode import DecodedImage, decode
from eyespot.data.folders import find_photos
from eyespot.data.given import photo_of
from eyespot.data.photos import Photo
from eyespot.errors import PhotoError, UsageError
from eyespot.progress import Progress
from eyespot.shown import bar_of
from eyespot.tasks import file
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.figures import Figures, Section
from eyespot.tasks.predict_table import TableWork
from eyespot.tasks.protocol import Task
from eyespot.tasks.task import TASKS, load_classifier, task_called, type_of
from tests.pictures import write_folder
from tests.serve.conftest import asking

NAME = "brightness"


@dataclass(frozen=True, slots=True)
class Level:
    """The brightness of a photo, 0..1."""

    path: str
    error: str = ""
    value: float | None = None

    COLUMNS: ClassVar[Mapping[str, str]] = {"path": "string", "value": "double", "error": "string"}

    def line(self) -> str:
        return f"{self.value:.3f}"

    def counts(self) -> dict[str, int]:
        return {"bright" if (self.value or 0) > 0.5 else "dark": 1}

    def details(self) -> Section:
        return Section(self.path, bars=[("brightness", self.value or 0, "")])

    def to_dict(self) -> dict[str, Any]:
        return {"path": self.path, "value": self.value, "error": self.error or None}

    def to_answer(self) -> dict[str, Any]:
        return {"value": self.value}

    to_row = to_dict

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Level":
        return cls(row["path"], row["error"] or "", row["value"])


@dataclass(frozen=True)
class Levels:
    """Photos, and their brightness as somebody measured it."""

    photos: tuple[Photo, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Measured:
    model: "Brightness"
    error: float
    count: int

    def figures(self, source: Path, *, verbose: bool) -> Figures:
        return Figures(
            [("Photos", str(self.count)), ("Error", f"{self.error:.3f} on {source.name}")]
        )

    def to_dict(self) -> dict[str, Any]:
        return {"error": self.error, "count": self.count}

    def report(self, path: Path) -> None:
        write_atomically(path, f"<p>{escape(self.model.noun)}: {self.error:.3f}".encode())

    def save(self, path: Path) -> None:
        self.model.save(path)


@dataclass(frozen=True)
class Brightness:
    """Knows how much brighter than the mean of its pixels a photo is."""

    gain: float = 1.0

    noun: ClassVar[str] = "light meter"
    prediction: ClassVar[type[Level]] = Level
    formats: ClassVar[Sequence[str]] = ()
    short_side: ClassVar[None] = None
    engine: ClassVar[Any] = SimpleNamespace(workers=1, batch=4)

    @staticmethod
    def annotations(source: Path) -> str | None:
        return "measured levels" if (source / "levels.json").is_file() else None

    @staticmethod
    def open(source: Path, *, new: bool) -> Levels:
        known = json.loads((source / "levels.json").read_text())
        photos = find_photos(source).photos
        photos = tuple(one for one in photos if one.name in known)
        return Levels(photos, tuple(known[one.name] for one in photos))

    @staticmethod
    def teach(photos: Levels, *, progress: Progress, budget: float | None = None) -> Measured:
        means = [_mean(decode(one.read())) for one in photos.photos]
        model = Brightness(float(np.mean(photos.values) / np.mean(means)))
        return model.evaluate(photos, progress=progress)

    def save(self, path: str | Path) -> None:
        arrays = {"gain": np.array([self.gain])}
        file.write(Path(path), {"task": NAME}, arrays, None, "A light meter.")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        return cls(float(file.read(Path(path))[1]["gain"][0]))

    def predict(self, photo: Any) -> Level:
        given = photo_of(photo)
        return Level(given.name, value=self.gain * _mean(decode(given.read())))

    def predict_batch(self, photos: Iterable[Any]) -> Iterator[Level]:
        for photo in photos:
            try:
                yield self.predict(photo)
            except PhotoError as error:
                yield Level(photo.name, str(error))

    def table_work(self) -> TableWork:
        return TableWork(
            {"table": NAME, "gain": repr(self.gain)},
            lambda photos: enumerate(self.predict_batch(photos)),
            lambda rows: [level for _, level in rows],
        )

    def watch(self, frames: Iterable[Any]) -> Iterator[list[str]]:
        return (["", bar_of(self.predict(frame).value or 0)] for frame in frames)

    def images(self, photo: Any, prediction: Level) -> Iterator[tuple[str, str, Any]]:
        return iter(())

    def evaluate(self, photos: Levels, *, progress: Progress) -> Measured:
        found = [level.value or 0 for level in self.predict_batch(photos.photos)]
        errors = np.abs(np.array(found) - photos.values)
        return Measured(self, float(errors.mean()), len(errors))

    def explain(self, photo: Any) -> Any:
        raise UsageError("A light meter has nothing to explain.")

    def export(self, to: str, path: str | Path, *, name: str, progress: Progress) -> Any:
        raise AssertionError("no format")

    def about(self) -> dict[str, Any]:
        return {"gain": self.gain}

    def warm_up(self, name: str, others: Iterable[Task]) -> None:
        self.predict(np.zeros((8, 8, 3), np.uint8))

    def decoder(self) -> Callable[[bytes], DecodedImage]:
        return partial(decode, short_side=8)

    def predict_decoded(
        self, names: Sequence[str], photos: Sequence[DecodedImage], tops: Sequence[int]
    ) -> list[Level]:
        pairs = zip(names, photos, strict=True)
        return [Level(name, value=self.gain * _mean(photo)) for name, photo in pairs]

    def explain_decoded(self, name: str, image: DecodedImage) -> Any:
        return self.explain(image)


CHECKED_BY_MYPY: list[type[Task]] = [Classifier, Brightness]


def _mean(image: DecodedImage) -> float:
    return float(image.pixels.mean() / 255)


@pytest.fixture
def eyespot(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command line, with the second task in the table."""
    from eyespot.cli import main

    monkeypatch.setitem(TASKS, NAME, f"{__name__}.Brightness")
    monkeypatch.setattr(main, "guard_terminal", lambda: None)
    return lambda *words: CliRunner().invoke(main.app, [str(word) for word in words])


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Photos whose levels were measured with a meter that shows half of the mean."""
    folder = write_folder(tmp_path / "photos", 3)
    means = {str(path): _mean(decode(path.read_bytes())) / 2 for path in folder.rglob("*.png")}
    (folder / "levels.json").write_text(json.dumps(means))
    return folder


@pytest.fixture
def meter(eyespot: Callable[..., Result], photos: Path, tmp_path: Path) -> Path:
    path = tmp_path / "meter.eyespot"
    done = eyespot("teach", photos, "-o", path, "--json")
    assert done.exit_code == 0, done.output
    assert "Found measured levels: training a light meter." in done.stderr
    told = json.loads(done.stdout)
    assert (told["light meter"], told["count"]) == (str(path), 6)
    assert (tmp_path / "meter.report.html").read_text().startswith("<p>light meter")
    return path


@pytest.mark.parametrize("task", TASKS)
def test_the_type_of_a_task_offers_what_verbs_need(task: str) -> None:
    needed = [*Task.__annotations__, *(name for name in vars(Task) if not name.startswith("_"))]
    assert len(needed) > 15
    assert not [name for name in needed if not hasattr(type_of(task), name)]


def test_a_task_is_named_by_its_start() -> None:
    assert task_called("class") is Classifier
    for name in ("", "caption", "classifications"):
        with pytest.raises(UsageError, match="Expected a task, one of classification"):
            task_called(name)


def test_teach(eyespot: Callable[..., Result], meter: Path, photos: Path, tmp_path: Path) -> None:
    output = tmp_path / "m.eyespot"
    done = eyespot("teach", photos, "-o", output, "--task", "bright", "--budget", "9")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "Error" in done.stdout
    assert f"predict PHOTO -m {output}" in done.stdout
    for words, message in (
        (["--method", "svm"], "A light meter has no option --method."),
        (["--label-column", "x"], "A light meter has no option --label-column."),
        (["--onto", meter, "--task", "class"], "--onto names a light meter"),
    ):
        done = eyespot("teach", photos, "-o", output, *words)
        assert (done.exit_code, message in done.stderr) == (2, True), done.output


def test_predict(eyespot: Callable[..., Result], meter: Path, photos: Path, tmp_path: Path) -> None:
    (photos / "broken.png").write_text("text")
    done = eyespot("predict", photos, "-m", meter)
    assert done.exit_code == 0, done.output
    assert "cannot be used" in done.stdout
    assert "7 photos" in done.stdout
    table = tmp_path / "levels.csv"
    done = eyespot("predict", photos, "-m", meter, "--csv", table, "--json")
    told = json.loads(done.stdout)
    assert [one["value"] is None for one in told].count(True) == 1
    with table.open(newline="") as rows:
        assert [row["path"] for row in csv.DictReader(rows)] == [one["path"] for one in told]
    assert "brightness" in eyespot("predict", photos, "-m", meter, "-v").stdout
    done = eyespot("predict", photos, "-m", meter, "--top", "3")
    assert (done.exit_code, done.stderr) == (
        2,
        "eyespot: A light meter has no option --top. Leave it out.\n",
    )


def test_frames(
    eyespot: Callable[..., Result], meter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    white = np.full((8, 8, 3), 255, np.uint8)
    monkeypatch.setattr("eyespot.cli.live.frames", lambda video, camera: iter([white]))
    done = eyespot("predict", "-m", meter, "--camera")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("frame 1, ")
    assert "50" in done.stdout


def test_evaluate(
    eyespot: Callable[..., Result], meter: Path, photos: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    done = eyespot("evaluate", photos, "-m", meter, "--report", page)
    assert done.exit_code == 0, done.output
    assert "Error   0.0" in done.stdout
    assert page.exists()
    told = json.loads(eyespot("evaluate", photos, "-m", meter, "--json").stdout)
    assert told["count"] == 6


def test_verbs_of_other_tasks_say_so(
    eyespot: Callable[..., Result], meter: Path, photos: Path
) -> None:
    done = eyespot("export", meter)
    assert (done.exit_code, done.stderr) == (
        2,
        "eyespot: A light meter is exported to no format, not to onnx.\n",
    )
    done = eyespot("explain", "filters", meter)
    assert (done.exit_code, "Expected a classifier" in done.stderr) == (2, True)
    done = eyespot("explain", "dataset", photos, "--backbone", meter)
    assert (done.exit_code, "is a light meter" in done.stderr) == (2, True)
    done = eyespot("explain", next(photos.rglob("*.png")), "-m", meter)
    assert (done.exit_code, "nothing to explain" in done.stderr) == (2, True)
    with pytest.raises(UsageError, match="is a light meter"):
        load_classifier(meter)


def test_serve(meter: Path, photos: Path) -> None:
    data = next(photos.rglob("*.png")).read_bytes()
    with asking(meter) as asker:
        files = [("file", ("a.png", data)), ("file", ("b.png", b"broken"))]
        good, bad = asker.post("/v1/models/meter:predict", files=files).json()["predictions"]
        assert (good["name"], good["error"], good["value"] > 0) == ("a.png", None, True)
        assert (bad["value"], bad["error"]["code"]) == (None, "bad_photo")
        assert asker.get("/v1/models/meter").json()["gain"] == pytest.approx(0.5, abs=0.01)
        kind = {"Content-Type": "image/png"}
        for query in ("", "?label=cat"):
            answer = asker.post(f"/v1/models/meter:explain{query}", content=data, headers=kind)
            assert answer.status_code == 400
