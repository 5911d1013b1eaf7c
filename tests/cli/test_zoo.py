"""`eyespot zoo`: the table, one network, the drawing."""

import json
import math
import re
import subprocess
import sys
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner, Result

from eyespot.cli.main import app
from eyespot.cli.zoo_table import COLUMNS, networks_table
from eyespot.errors import UsageError
from eyespot.report import zoo_plot
from eyespot.shown import si
from eyespot.weights.zoo import NETWORKS

REPOSITORY = Path(__file__).resolve().parents[2]
FEW = ("alexnet", "vgg16", "resnet20", "lenet5")


def zoo(*arguments: object) -> Result:
    """The command in this process, where torch is loaded once."""
    return CliRunner().invoke(
        app, ["zoo", *map(str, arguments)], env={"COLUMNS": "80"}, catch_exceptions=False
    )


@pytest.fixture(scope="module")
def everything(
    session_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, list[dict[str, Any]], str]:
    """The table, the JSON and the drawing of all networks."""
    drawing = tmp_path_factory.mktemp("zoo") / "zoo.svg"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(session_cache))
        patch.setenv("EYESPOT_WEIGHTS", str(drawing.parent / "no-weights"))
        facts = zoo("--json", "--plot", drawing)
        table = zoo()
    assert (facts.exit_code, table.exit_code) == (0, 0), facts.stderr + table.stderr
    return table.stdout, json.loads(facts.stdout), drawing.read_text("utf-8")


def cells(line: str) -> list[str]:
    return line.split()


def test_json_says_all_of_every_network(
    everything: tuple[str, list[dict[str, Any]], str],
) -> None:
    rows = {row["name"]: row for row in everything[1]}
    assert list(rows) == list(NETWORKS)
    assert {column.key for column in COLUMNS} == set(rows["vgg16"])
    vgg = rows["vgg16"]
    assert (vgg["year"], vgg["dataset"], vgg["depth"], vgg["input_size"]) == (
        2014, "ImageNet", 16, 224,
    )  # fmt: skip
    assert vgg["parameters"] == 138_357_544
    assert vgg["macs"] == pytest.approx(15.47e9, rel=1e-3)
    assert vgg["authors"] == "Simonyan and Zisserman"
    assert vgg["paper"].startswith("Very Deep")
    assert (vgg["top1_error"], vgg["top5_error"]) == (28.408, 9.618)
    assert vgg["weights"] == "published"
    assert rows["efficientnet_lite0"]["weights"] == "package"
    assert rows["lenet5"]["weights"] is None
    assert all(row["macs"] > 0 and row["memory"] > 0 for row in rows.values())


def test_the_table_fits_80_columns(everything: tuple[str, list[dict[str, Any]], str]) -> None:
    lines = everything[0].splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == cells("Network Year Depth Params Mult-adds Memory Top-1 Top-5")
    by_name = {line.split()[0]: line.split()[1:] for line in lines[: len(NETWORKS) + 1]}
    assert set(NETWORKS) <= set(by_name)
    assert by_name["resnet50"] == cells("2015 50 25.6 M 4.09 G 45.9 MB 23.9 7.14")
    assert "--measure" in everything[0]


def test_a_wider_window_shows_more(everything: tuple[str, list[dict[str, Any]], str]) -> None:
    rows = everything[1]
    widths = (30, 60, 80, 120, 400)
    shown = [networks_table(rows, width)[0].split() for width in widths]
    assert shown[0] == ["Network", "Params"]
    for fewer, more in pairwise(shown):
        assert set(fewer) < set(more)
    for width in widths:
        assert max(map(len, networks_table(rows, width))) <= width
    assert {"Dataset", "Weights", "Paper"} <= set(shown[-1])
    assert "Images/s" not in shown[-1]  # nothing was measured


def test_sorting() -> None:
    by_size = json.loads(zoo(*FEW, "--sort", "parameters", "--json").stdout)
    assert [row["name"] for row in by_size] == ["lenet5", "resnet20", "alexnet", "vgg16"]
    by_error = json.loads(zoo(*FEW, "--sort", "top1_error", "--json").stdout)
    assert [row["name"] for row in by_error] == ["resnet20", "vgg16", "alexnet", "lenet5"]
    done = zoo("--sort", "size")
    assert done.exit_code == 2
    assert "'size'" in done.stderr
    assert "parameters, macs" in done.stderr


def test_one_network_layer_by_layer() -> None:
    done = zoo("resnet50")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    rows = [cells(line) for line in lines]
    assert cells("conv1 Conv 7x7/2 64x112x112 9,536 118 M 7 px") in rows
    # The sum of its blocks, with their normalisation.
    assert cells("conv2 256x56x56 215,808 668 M 35 px") in rows
    assert cells("2.conv2 Conv 3x3 512x7x7 2,360,320 116 M 427 px") in rows
    assert cells("linear Dense 1000 2,049,000 2.05 M all") in rows
    assert "25,557,032 parameters, 4.09 G multiply-adds, 45.9 MB for one" in done.stdout
    assert "top-1 23.9%, top-5 7.14%" in " ".join(cells(done.stdout))


def test_one_network_as_json() -> None:
    found = json.loads(zoo("googlenet", "--json").stdout)
    assert found["name"] == "googlenet"
    layers = found["layers"]
    assert sum(layer["macs"] for layer in layers) == found["macs"]
    assert layers[0]["name"] == "stages.conv1.conv"
    assert (layers[0]["shape"], layers[0]["receptive_field"]) == ([64, 112, 112], 7)


@pytest.mark.parametrize(
    "name",
    [
        "googlenet",
        "mnist_linear",
        pytest.param("efficientnet_lite2", marks=pytest.mark.slow),
        pytest.param("resnet110", marks=pytest.mark.slow),
    ],
)
def test_any_network_fits_80_columns(name: str) -> None:
    done = zoo(name)
    assert done.exit_code == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= 80
    # GoogLeNet's heads along the way do not run when it predicts.
    assert ("only for training" in " ".join(done.stdout.split())) == (name == "googlenet")


def test_measuring() -> None:
    done = zoo("--measure", "mnist_hidden")
    assert done.exit_code == 0, done.stderr
    heading, row = done.stdout.splitlines()[:2]
    assert heading.split()[-1] == "Images/s"
    assert float(row.split()[-1].replace(",", "")) > 1
    found = json.loads(zoo("mnist_hidden", "--json").stdout)
    assert found["images_per_second"] > 1
    assert found["latency"] > 0
    assert found["engine"]
    assert found["engine"] in zoo("mnist_hidden").stdout


def test_an_unknown_network_is_told() -> None:
    done = zoo("alexnett")
    assert done.exit_code == 2
    assert "did you mean 'alexnet'?" in done.stderr


@pytest.mark.parametrize("names", [[], ["resnet50"]])
def test_the_table_needs_no_torch(names: list[str]) -> None:
    code = (
        f"import sys; from eyespot.cli.zoo import zoo; zoo({names});"
        "assert not {'torch', 'openvino', 'sklearn', 'rich'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_page_shows_what_the_command_prints() -> None:
    page = (REPOSITORY / "docs/course/zoo.md").read_text("utf-8")
    shown = re.findall(
        r"^(eyespot zoo [^\n]*)\n```\n\n```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL
    )
    assert len(shown) == 2
    for line, text in shown:
        assert zoo(*line.split()[2:]).stdout == text


# --- the drawing --------------------------------------------------------------------------------


def test_the_drawing_has_every_network_with_an_error(
    everything: tuple[str, list[dict[str, Any]], str],
) -> None:
    _, rows, drawing = everything
    root = ElementTree.fromstring(drawing)
    space = "{http://www.w3.org/2000/svg}"
    titles = [title.text for title in root.iter(f"{space}title")]
    assert titles[0] == "ImageNet accuracy by multiply-adds"
    expected = {r["name"] for r in rows if r["dataset"] == "ImageNet" and r["top1_error"]}
    assert {str(title).partition(":")[0] for title in titles[1:]} == expected
    assert root.get("role") == "img"
    assert root.find(f"{space}desc") is not None
    assert "prefers-color-scheme: dark" in drawing
    assert not re.search(r"(href|src|url\()", drawing)
    circles = {
        str(title.text).partition(":")[0]: circle
        for circle in root.iter(f"{space}circle")
        if (title := circle.find(f"{space}title")) is not None
    }
    # To the right: more multiply-adds. Upwards: more often right. Area: parameters.
    small, large = circles["mobilenet_v2"], circles["vgg16_bn"]
    assert float(small.get("cx", "")) < float(large.get("cx", ""))
    assert float(small.get("cy", "")) > float(large.get("cy", ""))
    ratio = (float(large.get("r", "")) / float(small.get("r", ""))) ** 2
    assert ratio == pytest.approx(138.4 / 3.5, rel=0.1)
    assert "crops" in str(circles["resnet50_2015"].get("class"))
    assert "crops" not in str(circles["resnet50"].get("class"))


@pytest.mark.parametrize("layout", zoo_plot.FONTS)
def test_names_do_not_overlap(
    layout: str, everything: tuple[str, list[dict[str, Any]], str]
) -> None:
    root = ElementTree.fromstring(everything[2])
    space = "{http://www.w3.org/2000/svg}"
    font = zoo_plot.FONTS[layout]
    boxes = {}
    for group in root.iter(f"{space}g"):
        if group.get("class") == layout:
            for text in group.iter(f"{space}text"):
                kind, *side = str(text.get("class")).split()
                if kind == "name":
                    width = zoo_plot.LETTER * font * len(str(text.text))
                    left = float(text.get("x", "")) - width * {"end": 1.0, "middle": 0.5}.get(
                        "".join(side), 0.0
                    )
                    foot = float(text.get("y", ""))
                    box = zoo_plot.Box(left, foot - 0.8 * font, left + width, foot)
                    boxes[str(text.text)] = box
    assert len(boxes) > 15
    assert {"alexnet", "vgg16", "resnet50", "googlenet", "mobilenet_v2"} <= set(boxes)
    clashes = [(a, b) for a, b in combinations(boxes, 2) if boxes[a].meets(boxes[b])]
    assert clashes == []
    assert all(box.left > 0 and box.right < zoo_plot.WIDTH for box in boxes.values())


def test_nothing_to_draw(tmp_path: Path) -> None:
    done = zoo("lenet5", "--plot", tmp_path / "zoo.svg")
    assert done.exit_code == 2
    assert "nothing to draw" in done.stderr
    assert not list(tmp_path.iterdir())
    done = zoo("--plot", tmp_path)
    assert done.exit_code == 2
    assert "is a folder" in done.stderr
    done = zoo("--plot", tmp_path / "zoo.png")
    assert done.exit_code == 2
    assert "ends in .svg" in done.stderr
    with pytest.raises(UsageError):
        zoo_plot.draw([])


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (7, "7"), (999, "999"), (1000, "1.00 k"), (7850, "7.85 k"), (61.1e6, "61.1 M"),
     (999_949, "1.00 M"), (138_357_544, "138 M"), (9.999e6, "10.0 M"), (15.5e12, "15500 G")],
)  # fmt: skip
def test_numbers_of_three_digits(number: float, text: str) -> None:
    assert si(number) == text
    assert si(number, "B").endswith("B")
    shown = (
        float(text.split()[0]) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}["".join(text.split()[1:])]
    )
    assert math.isclose(shown, number, rel_tol=0.006)
