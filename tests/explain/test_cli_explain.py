"""`eyespot explain` as a person uses it."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from eyespot.cli.main import app
from eyespot.data.decode import decode
from eyespot.explain.activations import activations, draw_activations, network_input
from eyespot.weights.store import Pretrained, store_file
from eyespot.weights.write import write_weights
from eyespot.weights.zoo import create, find
from tests.pictures import patches

PAGE = Path(__file__).resolve().parents[2] / "docs/guides/explain.md"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    Image.fromarray(patches("gravel", 1)[0]).save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def explain(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["explain", *arguments])


def test_filters_go_where_they_should(folder: Path) -> None:
    done = explain("filters", "efficientnet_lite0")
    assert done.exit_code == 0, done.output
    with Image.open(folder / "filters.png") as image:
        assert done.stdout == f"filters.png: {image.width} x {image.height} pixels\n"


def test_random_filters_are_the_same_every_time(folder: Path) -> None:
    for name in ("a.png", "b.png"):
        assert explain("filters", "lenet5", "--random", "-o", name).exit_code == 0
    assert (folder / "a.png").read_bytes() == (folder / "b.png").read_bytes()


def test_activations_of_the_first_stage_and_of_another(folder: Path) -> None:
    ask = ("activations", "lenet5", "photo.png", "--random")
    assert explain(*ask).exit_code == 0
    assert explain(*ask, "-o", "c1.png", "--stage", "c1").exit_code == 0
    assert explain(*ask, "-o", "c5.png", "--stage", "c5").exit_code == 0
    first = (folder / "maps.png").read_bytes()
    assert first == (folder / "c1.png").read_bytes() != (folder / "c5.png").read_bytes()


def test_the_photo_is_prepared_as_the_weights_expect(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EYESPOT_WEIGHTS", str(folder / "weights"))
    network, about = create("lenet5"), find("lenet5")
    theirs = replace(about.preprocessing, mean=(200.0,) * 3, std=(1.0,) * 3)
    known = Pretrained(Path("theirs.pth"), "store", theirs, (), "0" * 64)
    path = store_file(about.name)
    write_weights(path, about, network.state_dict(), known, "theirs.pth")
    assert explain("activations", "lenet5", "photo.png", "--stage", "c3").exit_code == 0
    picture = network_input(network, decode((folder / "photo.png").read_bytes()).pixels, theirs)
    maps = activations(network, picture, theirs)["c3"]
    expected = np.asarray(draw_activations(maps, picture, "lenet5: c3"))
    with Image.open(folder / "maps.png") as image:
        np.testing.assert_array_equal(np.asarray(image), expected)


def test_all_stages_get_a_file_each(folder: Path) -> None:
    done = explain("activations", "efficientnet_lite0", "photo.png", "--stage", "all")
    assert done.exit_code == 0, done.output
    names = sorted(path.name for path in (folder / "maps").iterdir())
    assert names[:3] == ["01-stem.png", "02-stage1.hidden.png", "03-stage1.png"]
    assert names[-1] == "16-top.png"
    assert "Wrote 16 stages to maps" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("filters", "alexnet_20"), 2, "did you mean 'alexnet_2012'"),
        (("filters", "alexnet_2012"), 1, "weights"),
        (("filters", "lenet5", "--random", "-o", "x.jpg"), 2, r"ends in \.png"),
        (("activations", "lenet5", "photo.png", "--random", "--stage", "conv"), 2, "c1, s2"),
        (
            ("activations", "lenet5", "photo.png", "--random", "-o", "photo.png"),
            2,
            "would overwrite photo",
        ),
        (("activations", "lenet5", "nothing.jpg", "--random"), 1, r"nothing\.jpg cannot be used"),
        (("activations", "lenet5", ".", "--random"), 1, "cannot be used"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: tuple[str, ...], code: int, message: str, folder: Path
) -> None:
    before = (folder / "photo.png").read_bytes()
    done = explain(*arguments)
    assert done.exit_code == code
    assert re.search(message, done.stderr)
    assert (folder / "photo.png").read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["photo.png"]


def test_every_option_is_described() -> None:
    group: Any = typer.main.get_command(app)
    text = PAGE.read_text()
    for name in ("photo", "filters", "activations"):
        part = re.search(rf"^## eyespot explain {name}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
        assert part, name
        parameters = group.commands["explain"].commands[name].params
        real = {o for p in parameters if p.param_type_name == "option" for o in p.opts}
        table = re.findall(r"^\| (`-.*?`) \|", part[1], re.MULTILINE)
        assert {o for row in table for o in re.findall(r"(?<![\w-])--?[a-z]\w*", row)} == real
