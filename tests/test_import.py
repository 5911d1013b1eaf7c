"""`import eyespot` is instant: it loads none of the heavy parts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import eyespot

HEAVY = {
    "numpy",
    "torch",
    "sklearn",
    "scipy",
    "openvino",
    "PIL",
    "pyarrow",
    "rich",
    "typer",
    "jinja2",
}


def test_python_m_runs_nothing_of_the_current_folder(tmp_path: Path) -> None:
    """As far as Python allows: what it imports before eyespot has a say is found there first."""
    for name in ("signal", "threading", "json", "socket", "struct"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a stranger ran')")
    done = subprocess.run(
        [sys.executable, "-m", "eyespot", "--version"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(eyespot.__file__).parents[1])},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, f"eyespot {eyespot.__version__}\n"), done.stderr


def loaded_after(statement: str) -> set[str]:
    """The top-level modules that a fresh Python holds after a statement."""
    code = f"{statement}; import sys, json; print(json.dumps(sorted(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return {name.partition(".")[0] for name in json.loads(out.stdout)}


def test_import_loads_nothing_heavy() -> None:
    assert loaded_after("import eyespot") & HEAVY == set()
    assert "numpy" in loaded_after("import numpy")


@pytest.mark.parametrize("name", eyespot.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(eyespot, name) is not None
    assert name in dir(eyespot)


def test_the_public_names_fit_on_a_screen() -> None:
    assert len(eyespot.__all__) <= 30


def test_rooms_that_are_functions_stay_functions() -> None:
    import eyespot.explain.photo
    import eyespot.export.write

    assert callable(eyespot.explain)
    assert callable(eyespot.export)
    with pytest.raises(eyespot.EyespotError, match="onnx, openvino, torch, web"):
        eyespot.export(None, "paper", "x")  # type: ignore[operator, unused-ignore]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="teech"):
        _ = eyespot.teech  # type: ignore[attr-defined, unused-ignore]


def test_a_full_shared_memory_is_not_told_in_others_words() -> None:
    """joblib, which scikit-learn brings, warns of it as it is imported."""
    full = "import _multiprocessing\ndef full(*_, **__): raise OSError(28, 'No space left')\n"
    code = f"{full}_multiprocessing.SemLock = full\nimport eyespot.heads.estimators, joblib"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert not done.stderr
