"""Threads that begin to use OpenVINO at the same moment must not wait for each other for ever."""

import subprocess
import sys

# Eight threads that take turns as often as Python can: without what `import_openvino` prepares,
# four of five such programs never end.
AT_ONCE = """
import sys, threading
from eyespot.features.conversion import import_openvino
openvino = import_openvino()
sys.setswitchinterval(1e-7)
together = threading.Barrier(8)
def use():
    together.wait()
    openvino.Type.u8.to_dtype()
threads = [threading.Thread(target=use) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_threads_may_begin_together() -> None:
    for _ in range(4):
        subprocess.run([sys.executable, "-c", AT_ONCE], check=True, timeout=600)
