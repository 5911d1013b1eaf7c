"""`eyespot export` reports wrong use before it begins."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from eyespot.cli.main import app


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--to", "web3"], 2, "--to is one of onnx, openvino, torch, web"),
        (["--to", "torch", "--int8"], 2, "--int8 needs --to onnx"),
        (["--int8"], 2, "a folder per class"),
        (["--calibrate", "photos"], 2, "--int8"),
        (["-o", "pets.xml"], 2, "ends in .onnx, not pets.xml"),
        (["-o", "folder.onnx"], 2, "is a folder"),
        (["--onnxruntime", "ort.tgz"], 2, "--onnxruntime needs --to web"),
        (["--to", "web", "-o", "folder.onnx/file"], 2, "is a file. Name a folder"),
        (["--to", "web"], 1, "Expected the file pets.eyespot"),
        ([], 1, "Expected the file pets.eyespot"),
        (["."], 2, "is a folder. Name a classifier's file"),
    ],
)
def test_bad_use(
    options: list[str], code: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder.onnx").mkdir()
    Path("folder.onnx/file").touch()
    model = [] if options == ["."] else ["pets.eyespot"]
    done = CliRunner().invoke(app, ["export", *model, *options])
    assert done.exit_code == code
    assert words in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["folder.onnx"]


def test_a_classifier_is_not_written_over(tmp_path: Path) -> None:
    classifier = tmp_path / "pets.onnx"
    classifier.write_text("a classifier with an odd name")
    done = CliRunner().invoke(app, ["export", str(classifier)])
    assert done.exit_code == 2
    assert "would overwrite" in done.output
