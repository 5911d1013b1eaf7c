"""Tampered classifier files: a reason or sound answers, and nothing written or run."""

import json
import logging
import math
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import eyespot.tasks.classification.predictor
from eyespot.cli.main import app
from eyespot.features.engines import open_engine
from eyespot.tasks.classification.teach import teach
from tests.abuse.tampered import (
    Members,
    flipped_members,
    manifest_tricks,
    members,
    mutated_members,
    tensor_tricks,
    zip_tricks,
)
from tests.pictures import patches

logger = logging.getLogger(__name__)
Cases = Iterator[tuple[str, bytes]]


@pytest.fixture(scope="module", params=["logistic", "knn"])
def whole(
    request: pytest.FixtureRequest,
    converted_networks: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Members]:
    """The members of a right file; the network is opened once for all that use it."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "networks").symlink_to(converted_networks, target_is_directory=True)
    photos = [*patches("brick", 6), *patches("grass", 6)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(folder))
        lesson = teach(photos, ["brick"] * 6 + ["grass"] * 6, method=request.param, budget=0)
        lesson.classifier.save(folder / "whole.eyespot")
        engine = open_engine(lesson.classifier.backbone)
        patch.setattr(
            eyespot.tasks.classification.predictor, "open_engine", lambda backbone: engine
        )
        yield members(folder / "whole.eyespot")


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Cases], None]:
    """Predict with each file, and teach more onto it."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    Image.fromarray(patches("brick", 1)[0]).save(tmp_path / "photo.png")

    def check(cases: Cases) -> None:
        accepted = refused = 0
        for what, data in cases:
            path = tmp_path / "m.eyespot"
            path.write_bytes(data)
            done = CliRunner().invoke(
                app, ["predict", str(tmp_path / "photo.png"), "-m", str(path), "--json"]
            )
            assert done.exception is None or isinstance(done.exception, SystemExit), (
                what,
                done.exception,
            )
            assert done.exit_code in (0, 1, 2), what
            assert not list(home.iterdir()), what
            if done.exit_code:
                refused += 1
                assert done.stderr.startswith("eyespot: "), (what, done.stderr)
                continue
            accepted += 1
            (answer,) = json.loads(done.stdout)
            shares = [top["probability"] for top in answer["top"]]
            assert shares, what
            assert all(math.isfinite(share) for share in shares), (what, shares)
            assert abs(sum(shares) - 1) < 1e-3 or len(shares) == 5, (what, shares)
        logger.info("%d refused with a reason, %d answered soundly", refused, accepted)
        assert {entry.name for entry in tmp_path.iterdir()} == {"home", "photo.png", "m.eyespot"}

    return check


def all_of_them(whole: Members, flips: int) -> Cases:
    return chain(
        mutated_members(whole),
        flipped_members(whole, flips),
        zip_tricks(whole),
        tensor_tricks(whole, "head.safetensors"),
        manifest_tricks(whole),
    )


def test_some_of_them(whole: Members, check: Callable[[Cases], None]) -> None:
    cases = [case for case in all_of_them(whole, 20) if "photos" not in case[0]]
    chosen = np.random.default_rng(0).permutation(len(cases))[:30]
    check(cases[number] for number in chosen)


@pytest.mark.slow
def test_every_member_changed_in_every_way(whole: Members, check: Callable[[Cases], None]) -> None:
    check(all_of_them(whole, 1000))


@pytest.mark.slow
def test_the_taught_photos_are_not_trusted_either(
    whole: Members, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are read when a class is added: a reason, or a classifier that answers soundly."""
    Image.fromarray(patches("gravel", 1)[0]).save(tmp_path / "gravel.png")
    added = Image.open(tmp_path / "gravel.png")
    accepted = refused = 0
    for what, data in tensor_tricks(whole, "photos.safetensors"):
        path = tmp_path / "m.eyespot"
        path.write_bytes(data)
        try:
            classifier = eyespot.load(path)
            classifier.add_class("gravel", [added])
            shares = [share for _, share in classifier.predict(added).top]
        except eyespot.errors.EyespotError:
            refused += 1
            continue
        accepted += 1
        assert np.isfinite(shares).all(), what
        assert abs(sum(shares) - 1) < 1e-3, what
    logger.info("%d refused with a reason, %d answered soundly", refused, accepted)
