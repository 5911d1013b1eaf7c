"""The guard itself: it must see what the product would otherwise send in secret."""

import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

# A child that swallows the error, as telemetry does.
HIDDEN = """
import multiprocessing, urllib.request
def send():
    try:
        urllib.request.urlopen("http://example.invalid/")
    except Exception:
        pass
if __name__ == "__main__":
    process = multiprocessing.get_context("fork").Process(target=send)
    process.start()
    process.join()
"""


def test_a_lookup_is_refused(network_log: Path) -> None:
    with pytest.raises(OSError, match="reach the network"):
        urllib.request.urlopen("http://example.invalid/")
    assert "example.invalid" in network_log.read_text()
    network_log.write_text("")


def test_an_attempt_hidden_in_a_child_is_seen(network_log: Path) -> None:
    subprocess.run([sys.executable, "-c", HIDDEN], check=True)
    assert "example.invalid" in network_log.read_text()
    network_log.write_text("")


def test_this_machine_may_be_reached(network_log: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()),
    ):
        assert network_log.read_text() == ""
