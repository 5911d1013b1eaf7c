"""No verb says a word to anybody: no socket leaves the machine, no name is looked up, and nothing
but eyespot's own cache comes into a home that was empty.

The kernel tells of each attempt (strace sees libraries in any language, and children), in a network
of its own that has no routes, so that even what is found here reaches nobody.
"""

import re
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from safetensors.torch import save_file

from eyespot.export.onnxruntime_web import VERSION
from eyespot.telemetry import SWITCHES
from eyespot.weights import zoo
from tests.abuse.commands import changed
from tests.conftest import REPOSITORY
from tests.faults.photos import write_photos

PACKAGE = REPOSITORY / ".venv" / f"onnxruntime-web-{VERSION}.tgz"
ALONE = ("unshare", "-rn", "strace", "-f", "-qq", "--seccomp-bpf")
CALLS = ("-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o")
SILENCERS = ("CI", "TF_BUILD", "JENKINS_URL", "GITHUB_ACTIONS")
"""With these, some makers' telemetry is silent by itself, and this test would pass in vain."""
# Serves, is asked once, and ends as by Ctrl-C.
SERVED = """
import os, signal, sys, threading, urllib.request
from eyespot.cli.main import main
def ask(address):
    try:
        urllib.request.urlopen(address).read()
    finally:
        os.kill(os.getpid(), signal.SIGINT)
def said(text, *rest, write=sys.stdout.write):
    for word in text.split():
        if word.startswith("http://"):
            threading.Thread(target=ask, args=[word]).start()
    return write(text)
sys.stdout.write = said
main()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home, photos, and what some verbs need of others."""
    folder = tmp_path_factory.mktemp("silence")
    (folder / "home").mkdir()
    write_photos(folder / "photos", 4, ("brick", "grass"))
    shutil.copy(next((folder / "photos" / "brick").iterdir()), folder / "one.jpg")
    run(folder, "teach", "photos", "-o", "m.eyespot", "--budget", "0")
    run(folder, "embed", "photos", "-o", "f.parquet")
    save_file(zoo.create("tiny_yolo_face").state_dict(), folder / "faces.safetensors")
    return folder


def run(folder: Path, *line: str, alone: tuple[str, ...] = ()) -> None:
    """Run `eyespot` as somebody who has never used any of it, and set none of its switches."""
    ours = dict.fromkeys(("EYESPOT_CACHE", "EYESPOT_WEIGHTS", "EYESPOT_PROJECTS"))
    theirs = dict.fromkeys((*SWITCHES, *SILENCERS, "EYESPOT_TEST_NETWORK_LOG"))
    xdg = dict.fromkeys(("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"))
    home = {"HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"}
    serves = line[0] in ("serve", "studio")
    done = subprocess.run(
        [*alone, sys.executable, *(("-c", SERVED) if serves else ("-m", "eyespot")), *line],
        env=changed({**ours, **theirs, **xdg, **home}),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in ((0, 130) if serves else (0,)), done.stderr


def outside(trace: str) -> list[str]:
    """The calls that would leave this machine, or ask somebody for a name."""
    found = []
    for call in trace.splitlines():
        inet = re.search(r"sa_family=AF_INET6?,.*?port=htons\((\d+)\)", call)
        here = re.search(r'inet_addr\("127\.|"::1"', call)
        if (inet and (not here or inet[1] in ("53", "853"))) or "resolve" in call:
            found.append(call)
    return found


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """What starts a process that is watched; skips where the system has no such thing."""
    log = tmp_path_factory.mktemp("trace") / "log"
    line = (*ALONE, *CALLS, str(log))
    code = "import socket\ntry: socket.getaddrinfo('example.invalid', 80)\nexcept OSError: pass"
    try:
        clean = changed(dict.fromkeys(("EYESPOT_TEST_NETWORK_LOG",)))
        subprocess.run([*line, sys.executable, "-c", code], env=clean, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("the kernel lends no network without routes, or lets nobody watch (strace)")
    assert outside(log.read_text()), "a name that is looked up is not seen"
    return line


VERBS: dict[str, tuple[str, ...]] = {
    "teach": ("photos", "-o", "again.eyespot", "--budget", "0"),
    "predict": ("one.jpg",),
    "evaluate": ("photos", "-m", "m.eyespot"),
    "demo": (),
    "embed": ("photos", "-o", "again.parquet"),
    "similar": ("one.jpg", "--in", "f.parquet"),
    "faces": ("one.jpg",),
    "cache": (),
    "zoo": (),
    "weights": (),
    "train": ("photos", "--model", "lenet5", "--epochs", "1", "-o", "net"),
    "tune": ("photos", "--model", "lenet5", "--epochs", "1", "--trials", "1", "-o", "search"),
    "export": (
        "m.eyespot",
        "--to",
        "onnx",
        "--int8",
        "--max-loss",
        "1",
        "--calibrate",
        "photos",
        "-o",
        "m.onnx",
    ),
    "studio": ("--no-browser",),
    "serve": ("m.eyespot", "--port", "0"),
    "graph": ("(1 + 2) * 3",),
    "explain": ("one.jpg", "-m", "m.eyespot", "-o", "why.png"),
    "zoo resnet18": ("resnet18",),
    "export openvino": ("m.eyespot", "--to", "openvino", "-o", "m.xml"),
    "export torch": ("m.eyespot", "--to", "torch", "-o", "m.pt2"),
    "export web": ("m.eyespot", "--to", "web", "--onnxruntime", str(PACKAGE), "-o", "web"),
    "explain filters": ("filters", "efficientnet_lite0", "-o", "filters.png"),
    "explain activations": ("activations", "efficientnet_lite0", "one.jpg", "-o", "maps.png"),
    "explain dataset": ("dataset", "photos", "-o", "dataset.html"),
}
"""Each verb once, and its further ways."""


def test_no_verb_is_missing() -> None:
    from eyespot.cli.main import app

    names = {command.callback.__name__ for command in app.registered_commands if command.callback}
    names |= {str(group.name) for group in app.registered_groups}
    assert names <= {name.partition(" ")[0] for name in VERBS}


# Nothing of it is at hand when a process begins; that a person has decided otherwise counts.
LOADED = """
import os, sys
import eyespot
assert os.environ["ORT_DISABLE_TELEMETRY"] == sys.argv[1]
import onnxruntime
try:
    import openvino_telemetry
except ImportError:
    pass
else:
    raise SystemExit("openvino_telemetry can be imported")
"""


def test_telemetry_is_off_before_anything_is_imported(tmp_path: Path) -> None:
    """Importing onnxruntime is enough for it to write down a number of the machine."""
    pytest.importorskip("onnxruntime", reason="comes with eyespot[export]")
    unset = {**dict.fromkeys((*SWITCHES, *SILENCERS, "XDG_CACHE_HOME")), "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", LOADED, "1"], env=changed(unset), check=True)
    assert list(tmp_path.iterdir()) == []
    decided = changed({**unset, "ORT_DISABLE_TELEMETRY": "0"})
    subprocess.run([sys.executable, "-c", LOADED, "0"], env=decided, check=True)


def test_the_programs_that_are_shown_turn_it_off_as_well() -> None:
    for program in files("eyespot.export.snippets").iterdir():
        lines = program.read_text("utf-8").splitlines() if program.name.endswith(".py") else []
        for name, switch in (
            ("onnxruntime", 'os.environ["ORT_DISABLE_TELEMETRY"] = "1"'),
            ("openvino", 'sys.modules["openvino_telemetry"] = None'),
        ):
            if f"import {name}" in lines:
                before = lines[: lines.index(f"import {name}")]
                assert any(line.startswith(switch) for line in before), program.name


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
def test_nobody_is_told(verb: str, folder: Path, alone: tuple[str, ...], tmp_path: Path) -> None:
    if verb == "export web" and not PACKAGE.exists():
        pytest.skip("onnxruntime-web is not here: make .venv/node")
    if verb == "faces":
        run(folder, "weights", "tiny_yolo_face", "faces.safetensors")
    log = tmp_path / "log"
    run(folder, verb.partition(" ")[0], *VERBS[verb], alone=(*alone[:-1], str(log)))
    assert outside(log.read_text()) == []
    home = folder / "home"
    places = {path.relative_to(home) for path in home.rglob("*") if path.is_file()}
    own = {path for path in places if path.parts[:2] == (".cache", "eyespot")}
    if verb in ("faces", "studio"):
        own |= {path for path in places if path.parts[:3] == (".local", "share", "eyespot")}
    assert places == own
    shutil.rmtree(home / ".local", ignore_errors=True)  # of those two
