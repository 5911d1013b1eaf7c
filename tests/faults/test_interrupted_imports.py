"""Ctrl-C while an extension module is imported, which then says that it cannot be imported."""

import os
import signal
import subprocess
import sys
from pathlib import Path


def test_it_is_an_interruption_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "openvino.py").write_text(
        "import os, signal\n"
        "try:\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    import time; time.sleep(30)\n"
        "except KeyboardInterrupt:\n"
        "    raise ImportError('initialization failed') from None\n"
    )
    (tmp_path / "photo.jpg").write_bytes(b"")
    found = subprocess.run(
        [sys.executable, "-m", "eyespot", "predict", str(tmp_path / "photo.jpg")],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert found.returncode == 130, found.stderr
    assert "Traceback" not in found.stderr
