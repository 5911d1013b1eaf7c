"""A clock that is wrong: a board without a battery wakes in 1970, a file comes from the future."""

import io
import os
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

import eyespot
from eyespot.features import extract
from eyespot.features.cache import FeatureCache
from eyespot.studio.app import open_projects
from eyespot.studio.archive_writer import write_archive
from eyespot.studio.imports import import_archive
from eyespot.studio.projects import Store
from eyespot.tasks.classification.classifier import Classifier
from eyespot.tasks.task import load
from tests.faults.photos import write_photos
from tests.studio.teaching import files

YEARS = (1970, 2037, 2108, 2200)
"""The first second of Unix; before 2038; after all that a zip file can write down; far away."""
real_time = time.time


@pytest.fixture(params=YEARS)
def wrong_year(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The clock stands in another year, and goes on from there."""
    shift = datetime(request.param, 1, 2, tzinfo=UTC).timestamp() - real_time()
    real_local = time.localtime
    monkeypatch.setattr(time, "time", lambda: real_time() + shift)
    monkeypatch.setattr(
        time, "localtime", lambda at=None: real_local(real_time() + shift if at is None else at)
    )
    return int(request.param)


def teach(photos: Path) -> Classifier:
    classifier: Classifier = eyespot.teach(photos, budget=0).classifier
    return classifier


def test_a_classifier_is_saved_and_read(wrong_year: int, tmp_path: Path) -> None:
    classifier = teach(write_photos(tmp_path / "photos", 2, ("brick", "grass")))
    classifier.save(tmp_path / "m.eyespot")
    assert load(tmp_path / "m.eyespot").classes == ("brick", "grass")
    with zipfile.ZipFile(tmp_path / "m.eyespot") as archive:
        assert archive.testzip() is None


def test_a_project_is_exported_and_imported(wrong_year: int, tmp_path: Path) -> None:
    store = Store(tmp_path / "projects")
    project = store.create("mugs")
    mug = project.add_class("mug")
    project.add_photos(mug, files("gravel", 1))
    file = io.BytesIO()
    assert write_archive(project, file) == 0
    again = import_archive(store, file.getvalue(), "mugs")
    assert len(again.project.snapshot().photos) == 1


def test_a_deleted_project_stays_until_it_was_in_the_trash_for_a_month(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whenever the clock said it was deleted: it was wrong, or is."""
    monkeypatch.setenv("EYESPOT_PROJECTS", str(tmp_path))
    for year in YEARS:
        at = datetime(year, 1, 2, tzinfo=UTC).timestamp()
        with monkeypatch.context() as patch:
            patch.setattr(time, "time", lambda at=at: at)
            store = Store(tmp_path)
            store.delete(store.create(str(year)).id)

    def left(days: float) -> set[str]:
        with monkeypatch.context() as patch:
            patch.setattr(time, "time", lambda: real_time() + days * 86_400)
            store = open_projects().store
            return {about.name for about in store.list(deleted=True)}

    every = {str(year) for year in YEARS}
    assert left(0) == every
    assert left(29) == every
    store = Store(tmp_path)
    (back,) = (about.id for about in store.list(deleted=True) if about.name == "1970")
    store.restore(back)
    store.delete(back)
    assert left(31) == every  # at most a week is added at once: the clock may be wrong now
    assert left(-20_000) == every
    assert left(40_000) == every
    for day in range(-18_000, -17_984, 4):
        assert left(day) == every
    assert left(-17_980) == {"1970"}  # deleted anew
    assert left(-17_975) == set()


def test_the_cache_outlives_a_clock_that_jumps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records of the future and of 1970 are found, and evicting goes on."""
    photos = write_photos(tmp_path / "photos", 3, ("brick", "grass"))
    for year in (2200, 1970, 2037):
        shift = datetime(year, 1, 2, tzinfo=UTC).timestamp() - real_time()
        with monkeypatch.context() as patch:
            patch.setattr(time, "time", lambda shift=shift: real_time() + shift)
            teach(photos)
    with monkeypatch.context() as patch:
        patch.setattr(extract, "_embed", None)  # nothing is computed a second time
        teach(photos)
    cache = FeatureCache(limit_bytes=1)
    assert cache.info().photos == 6
    cache.put_many("another", {})
    assert cache.info().photos < 6
    cache.close()


@pytest.mark.parametrize("year", [1970, 2200])
def test_files_of_any_age_are_read(year: int, own_cache: Path, tmp_path: Path) -> None:
    """Also those of the cache: it goes by content."""
    photos = write_photos(tmp_path / "photos", 3, ("brick", "grass"))
    teach(photos).save(tmp_path / "m.eyespot")
    moment = datetime(year, 1, 2, tzinfo=UTC).timestamp()
    for path in (*photos.rglob("*"), tmp_path / "m.eyespot", own_cache / "features.sqlite3"):
        os.utime(path, (moment, moment))
    cache = FeatureCache()
    assert cache.info().photos == 6
    cache.close()
    load(tmp_path / "m.eyespot").add_photos("brick", photos / "grass")
    assert teach(photos).classes == ("brick", "grass")
