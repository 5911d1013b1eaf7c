"""The documentation is correct: examples run, commands work, links have targets."""

import json
import re
import runpy
import shlex
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image
from safetensors.torch import save_file

import eyespot
from eyespot.cli.main import app
from eyespot.weights import zoo
from tests.commands import run
from tests.pictures import patches

REPOSITORY = Path(__file__).resolve().parent.parent
PAGES = sorted([REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")])
ALL_PAGES = [*PAGES, REPOSITORY / "CONTRIBUTING.md", REPOSITORY / "CHANGELOG.md"]
EXAMPLES = sorted((REPOSITORY / "docs" / "examples").glob("*.py"))
SNIPPETS = sorted((REPOSITORY / "src/eyespot/export/snippets").glob("*.py"))
"""Programs that `eyespot export` prints; the tests of exporting run them."""
SHOWN_FROM = "# ---\n"
"""Of an example with this line, the documentation shows only what follows it."""

NOT_RUN = {
    "make ": "installs packages, or runs all the tests",
    "uv tool install": "installs eyespot",
    "python docs/examples/": "the examples have a test of their own",
    "eyespot predict --camera": "needs a camera",
    "torchrun ": "its own tests run it; it takes seconds",
    "eyespot export pets.eyespot --int8": "needs many photos; its own test rounds",
    "eyespot export pets.eyespot --to web": "fetches; its own test opens it in a browser",
    "python3 -m http.server": "runs until it is ended; the same test serves the page",
    "eyespot demo": "demo's own test runs it; it takes seconds",
    "eyespot weights resnet18": "fetches",
    "eyespot teach pets/ --backbone timm:": "fetches",
    "eyespot teach cells/": "takes a minute; the tests of detectors teach smaller ones",
    "eyespot predict new-cells/": "needs the detector of the line before",
    "eyespot predict blood/": "needs a detector; tests of images predict with one",
    "eyespot evaluate new-cells/": "needs the detector of the line before",
    "eyespot studio": "runs until it is closed; its own tests open it",
    "eyespot serve": "runs until it is ended; its own tests start it",
    "curl ": "tests of the server run it",
    "python -c": "tests of the server run it",
    "docker ": "needs Docker",
}
"""Beginnings of lines that are shown but not run here, and why."""


FIRST = ("README.md", "docs/start/")
"""Pages that `make test` runs. Of the others it checks the arguments of the commands; `make
test-slow` runs them."""


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language; those inside a list are indented."""
    pattern = rf"^( *)```{language}\n(.*?)^ *```$"
    return [
        re.sub(rf"^{indent}", "", text, flags=re.MULTILINE)
        for indent, text in re.findall(pattern, page.read_text(), re.MULTILINE | re.DOTALL)
    ]


def shown(example: Path) -> str:
    return example.read_text().rpartition(SHOWN_FROM)[2]


def commands(page: Path) -> list[str]:
    return [line for text in blocks(page, "sh") for line in text.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def first_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every path in the documentation: folders of photos, photos, a table, a classifier."""
    world = tmp_path_factory.mktemp("docs")

    def write(folder: str, surface: str, count: int, seed: int) -> None:
        (world / folder).mkdir(parents=True)
        for number, patch in enumerate(patches(surface, count, seed=seed), start=1):
            Image.fromarray(patch).save(world / folder / f"{number}.jpg")

    for label, surface in (("cat", "brick"), ("dog", "grass")):
        write(f"pets/{label}", surface, 8, seed=0)
        write(f"new-photos/{label}", surface, 3, seed=1)
    write("more-photos/capybara", "gravel", 6, seed=2)
    write("capybara", "gravel", 2, seed=3)
    write("holiday", "grass", 3, seed=4)
    for name in ("photo.jpg", "new.jpg"):
        shutil.copy(world / "holiday/1.jpg", world / name)
    rows = [f"pets/{label}/{n}.jpg,{label}\n" for label in ("cat", "dog") for n in range(1, 9)]
    (world / "photos.csv").write_text("path,label\n" + "".join(rows))
    write_imagenet(world)
    write_pets_shards(world)
    weights = zoo.create("squeezenet1_1").state_dict()
    save_file(weights, world / "squeezenet.safetensors")
    detector = zoo.create("tiny_yolo_face").state_dict()
    save_file(detector, world / "face-detector.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(world)
        eyespot.teach("pets").save("pets.eyespot")
    return world


@pytest.fixture
def world(
    first_world: Path,
    session_cache: Path,
    own_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """The current folder of a test: a copy of all these, with their features in the cache."""
    shutil.copytree(first_world, tmp_path, dirs_exist_ok=True)
    for file in session_cache.glob("features*"):
        shutil.copy(file, own_cache)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EYESPOT_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path


def write_imagenet(world: Path) -> None:
    """Images named as those of the validation set, and shards of them."""
    (world / "imagenet").mkdir()
    (world / "shards").mkdir()
    for number, patch in enumerate(patches("gravel", 4), start=1):
        photo = world / f"imagenet/ILSVRC2012_val_{number:08}.JPEG"
        Image.fromarray(patch).save(photo)
        with tarfile.open(world / f"shards/val-{(number - 1) // 2:06}.tar", "a") as shard:
            (world / f"{number}.cls").write_text(str(number))
            shard.add(photo, f"{number}.jpg")
            shard.add(world / f"{number}.cls", f"{number}.cls")


def write_pets_shards(world: Path) -> None:
    """The photos of pets/, the last two of each class for validation."""
    (world / "pets-shards").mkdir()
    for number in range(1, 9):
        for name in ("cat", "dog"):
            split = "val" if number > 6 else "train"
            with tarfile.open(world / f"pets-shards/pets-{split}-{number % 2}.tar", "a") as shard:
                (world / "label").write_text(name)
                shard.add(world / f"pets/{name}/{number}.jpg", f"{name}-{number}.jpg")
                shard.add(world / "label", f"{name}-{number}.cls")


def write_video(path: Path) -> None:
    cv2 = pytest.importorskip("cv2")
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 10, (96, 96))
    for frame in patches("grass", 3):
        writer.write(np.ascontiguousarray(frame[:, :, ::-1]))
    writer.release()


# --- Python -------------------------------------------------------------------------------------


def test_python_in_the_pages_is_that_of_the_examples() -> None:
    in_pages = [(name_of(page), text) for page in PAGES for text in blocks(page, "python")]
    in_files = {shown(example): name_of(example) for example in (*EXAMPLES, *SNIPPETS)}
    assert in_pages
    assert [(page, text) for page, text in in_pages if text not in in_files] == []
    unseen = set(in_files) - {text for _, text in in_pages}
    assert sorted(in_files[text] for text in unseen) == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(
    example: Path, world: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["pets"] if "sys.argv" in example.read_text() else []
    monkeypatch.setattr(sys, "argv", [str(example), *arguments])
    runpy.run_path(str(example), run_name="__main__")
    assert capsys.readouterr().out.strip()


def test_the_readme_has_an_example_of_ten_lines() -> None:
    (example,) = blocks(REPOSITORY / "README.md", "python")
    assert len(example.splitlines()) <= 10


def test_the_python_page_begins_with_the_public_names() -> None:
    reference = (REPOSITORY / "docs/reference/python.md").read_text()
    table = reference.partition("|---|---|\n")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)", table, re.MULTILINE) == eyespot.__all__


def test_every_public_name_has_an_example() -> None:
    examples = "".join(map(shown, EXAMPLES))
    names = {name for name in eyespot.__all__ if name != "__version__" and name[-5:] != "Error"}
    assert {name for name in names if name not in examples} == set()


# --- the command line ---------------------------------------------------------------------------


def run_here(page: Path) -> list[str]:
    """The lines of a page that are not in NOT_RUN."""
    return [line for line in commands(page) if not line.startswith(tuple(NOT_RUN))]


@pytest.mark.parametrize("page", [page for page in PAGES if run_here(page)], ids=name_of)
def test_arguments_of_the_commands_are_accepted(
    page: Path, first_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each page, also of those whose commands only `make test-slow` runs."""
    monkeypatch.chdir(first_world)
    group: Any = typer.main.get_command(app)
    for line in run_here(page):
        words = shlex.split(line.partition(" > ")[0].partition(" < ")[0], comments=True)
        name, *arguments = words[words.index("eyespot") + 1 :]
        with group.make_context("eyespot", [name]) as context:
            group.commands[name].make_context(name, arguments, parent=context)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=() if name_of(page).startswith(FIRST) else pytest.mark.slow)
        for page in PAGES
        if commands(page)
    ],
    ids=name_of,
)
def test_commands_of_a_page_work_one_after_the_other(page: Path, world: Path) -> None:
    for line in commands(page):
        if line.startswith(tuple(NOT_RUN)):
            continue
        assert re.match(r"([A-Z_]+=\S+ )*eyespot ", line), f"neither run nor excused: {line}"
        for video in re.findall(r"--video (\S+)", line):
            write_video(world / video)
        done = run(line)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        for written in re.findall(r"(?:-o|--csv|--parquet|--report|--gallery) (\S+)", line):
            assert (world / written).stat().st_size > 0, line


def test_every_excuse_is_needed() -> None:
    lines = [line for page in PAGES for line in commands(page)]
    assert [start for start in NOT_RUN if not any(x.startswith(start) for x in lines)] == []


def section(page: Path, title: str) -> str:
    """The text of a page from a heading of the second level to the next."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page.read_text(), re.M | re.S)
    assert found, f"{name_of(page)} has no section {title!r}"
    return found[1]


def test_every_command_is_described_with_its_options() -> None:
    page = REPOSITORY / "docs/reference/command-line.md"
    group: Any = typer.main.get_command(app)
    for name, command in group.commands.items():
        text = section(page, f"eyespot {name}")
        options = [p for p in command.params if p.param_type_name == "option"]
        real = {o for p in options for o in p.opts} - {"--help"}
        table = re.findall(r"^\| (`-.*?`) \|", text, re.MULTILINE)
        assert {o for row in table for o in re.findall(r"(?<![\w-])--?[a-z][\w-]*", row)} == real


def described_fields(text: str) -> set[str]:
    """First cells of the table of JSON fields; "a, b" are two."""
    table = text.partition("| field |")[2]
    cells = re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("teach", "eyespot teach pets -o x.eyespot --budget 1 --json"),
        ("predict", "eyespot predict photo.jpg -m pets.eyespot --json"),
        ("evaluate", "eyespot evaluate new-photos -m pets.eyespot --json"),
        (
            "similar",
            "eyespot embed pets -o f.parquet >&2 && "
            "eyespot similar photo.jpg --in f.parquet --json",
        ),
        (
            "faces",
            "eyespot weights tiny_yolo_face face-detector.safetensors >&2 && "
            "eyespot faces photo.jpg --json",
        ),
        ("cache", "eyespot cache --json"),
        ("weights", "eyespot weights --json"),
        ("export", "eyespot export pets.eyespot --to openvino --json"),
        ("graph", "eyespot graph x*2 x=1 --json"),
        ("zoo", "eyespot zoo alexnet --json"),
        ("train", "eyespot train pets --model lenet5 --epochs 1 -o run --json"),
        ("tune", "eyespot tune pets --model lenet5 --epochs 1 --trials 2 -o run --json"),
    ],
)
def test_the_fields_of_the_json_output_are_described(command: str, line: str, world: Path) -> None:
    done = run(line)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    text = section(REPOSITORY / "docs/reference/command-line.md", f"eyespot {command}")
    shared = section(REPOSITORY / "docs/reference/command-line.md", "Metrics")
    described = described_fields(text)
    if command in ("teach", "evaluate"):
        described |= described_fields(shared)
    assert set(found[0] if isinstance(found, list) else found) == described


def test_the_file_format_is_described(world: Path) -> None:
    text = (REPOSITORY / "docs/reference/file-format.md").read_text()
    with zipfile.ZipFile("pets.eyespot") as file:
        assert [name for name in file.namelist() if f"`{name}`" not in text] == []
        manifest = json.loads(file.read("manifest.json"))
    assert [key for key in manifest if f"`{key}`" not in text] == []


# --- links --------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """The names by which a page's headings are linked to."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(), flags=re.M | re.S)
    headings = [heading.lower() for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", ALL_PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith(("https://", "http://")):
            continue  # tests do not reach for the network
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{target} leads nowhere"
        assert there.is_relative_to(REPOSITORY), target
        if anchor:
            assert anchor in anchors(there), f"{target} names no heading"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [REPOSITORY / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        links = re.findall(r"\]\(([^)#\s]+\.md)", page.read_text())
        waiting += [(page.parent / link).resolve() for link in links if "://" not in link]
    assert [name_of(page) for page in PAGES if page not in reached] == []
