"""Published weights arrive whole or not at all, whatever the server and the disk do."""

import errno
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request

import pytest

from eyespot.errors import WeightsError
from eyespot.models.catalogue import NETWORKS
from eyespot.weights import download as module
from eyespot.weights import http
from eyespot.weights.download import PUBLISHER, download, fetch_published
from eyespot.weights.published import WHOLE, digest_record, published_digest
from tests.models.server import CONTENT, DIGEST, FILE_NAME, Server, serving

HALF = len(CONTENT) // 2


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(Server()) as started:
        monkeypatch.setenv("EYESPOT_WEIGHTS_MIRROR", started.url)
        yield started


def left_in(folder: Path) -> set[str]:
    names = {path.name for path in folder.iterdir()}
    return {name for name in names if not name.endswith((".lock", ".sha256"))}


def test_it_arrives_whole_once_and_tells_how_far_it_is(server: Server, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    for _ in range(2):
        path = fetch_published(FILE_NAME, tmp_path / "new", lambda *step: told.append(step))
    assert path.read_bytes() == CONTENT
    assert left_in(tmp_path / "new") == {FILE_NAME}
    assert server.asked == [(f"/models/{FILE_NAME}", None)]
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert sorted(told) == told


def test_a_server_that_does_not_tell_the_length(server: Server, tmp_path: Path) -> None:
    server.tells_length = False
    told: list[tuple[int, int]] = []
    fetch_published(FILE_NAME, tmp_path, lambda *step: told.append(step))
    assert told[-1] == (len(CONTENT), 0)


def test_a_cut_connection_goes_on_where_it_ended(server: Server, tmp_path: Path) -> None:
    server.cut_after = HALF
    with pytest.raises(WeightsError, match=f"cut .*{HALF:,} of {len(CONTENT):,} bytes.*next try"):
        fetch_published(FILE_NAME, tmp_path)
    assert left_in(tmp_path) == {f"{FILE_NAME}.part"}
    server.cut_after = None
    told: list[tuple[int, int]] = []
    path = fetch_published(FILE_NAME, tmp_path, lambda *step: told.append(step))
    assert path.read_bytes() == CONTENT
    assert [wanted for _, wanted in server.asked] == [None, f"bytes={HALF}-"]
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_a_server_that_cannot_go_on_begins_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / f"{FILE_NAME}.part").write_bytes(CONTENT[:HALF])
    server.ranges = False
    assert fetch_published(FILE_NAME, tmp_path).read_bytes() == CONTENT


def test_what_was_killed_before_its_new_name_is_not_fetched(server: Server, tmp_path: Path) -> None:
    (tmp_path / f"{FILE_NAME}.part").write_bytes(CONTENT)
    assert fetch_published(FILE_NAME, tmp_path).read_bytes() == CONTENT
    assert server.asked == []


def test_more_than_the_server_has_is_thrown_away(server: Server, tmp_path: Path) -> None:
    (tmp_path / f"{FILE_NAME}.part").write_bytes(CONTENT + b"more")
    assert fetch_published(FILE_NAME, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("kept", [b"", b"of another file"])
def test_another_content_is_thrown_away(server: Server, tmp_path: Path, kept: bytes) -> None:
    if kept:
        (tmp_path / f"{FILE_NAME}.part").write_bytes(kept)
    else:
        server.content = CONTENT[::-1]
    with pytest.raises(WeightsError, match=f"not {DIGEST[:8]}.*deleted"):
        fetch_published(FILE_NAME, tmp_path)
    assert left_in(tmp_path) == set()
    server.content = CONTENT
    assert fetch_published(FILE_NAME, tmp_path).read_bytes() == CONTENT


def test_a_stalled_server_is_given_up(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "TIMEOUT", 0.2)
    server.cut_after, server.stall = HALF, True
    with pytest.raises(WeightsError, match=r"cut \(timed out\)"):
        fetch_published(FILE_NAME, tmp_path)
    assert (tmp_path / f"{FILE_NAME}.part").stat().st_size == HALF


def test_a_server_that_never_answers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "TIMEOUT", 0.2)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(WeightsError, match="timed out"):
            download(f"http://127.0.0.1:{port}/x", tmp_path / "x", "0")


def test_a_full_disk_keeps_nothing_half(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_open = Path.open

    class Full:
        """A file on a disk that has no room beyond the half."""

        def __init__(self, file: Any) -> None:
            self.file = file

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

        def __enter__(self) -> "Full":
            return self

        def __exit__(self, *raised: object) -> None:
            self.file.close()

        def write(self, content: bytes) -> int:
            if self.file.tell() + len(content) > HALF:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return int(self.file.write(content))

    def opened(path: Path, mode: str = "r", *args: Any, **options: Any) -> Any:
        file = real_open(path, mode, *args, **options)
        return Full(file) if path.suffix == ".part" else file

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(WeightsError, match=r"disk is full.*EYESPOT_WEIGHTS"):
        fetch_published(FILE_NAME, tmp_path)
    assert left_in(tmp_path) == set()


@pytest.mark.parametrize("tells_length", [True, False])
def test_a_file_without_end_is_refused(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tells_length: bool
) -> None:
    monkeypatch.setattr(module, "LIMIT", HALF)
    server.tells_length = tells_length
    with pytest.raises(WeightsError, match="larger than"):
        fetch_published(FILE_NAME, tmp_path)
    assert left_in(tmp_path) == set()


def test_a_file_that_is_not_there(server: Server, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"404.*EYESPOT_WEIGHTS_MIRROR"):
        download(f"{server.url}other.pth", tmp_path / "other.pth", "0")
    assert left_in(tmp_path) == set()


def test_without_a_network_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("EYESPOT_WEIGHTS_MIRROR", f"http://127.0.0.1:{port}")
    with pytest.raises(WeightsError, match=r"cannot be reached.*EYESPOT_WEIGHTS_MIRROR.*import"):
        fetch_published(FILE_NAME, tmp_path)


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/x", "/etc/hostname"])
def test_only_http_is_spoken(
    server: Server, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EYESPOT_WEIGHTS_MIRROR", url)
    with pytest.raises(WeightsError, match="http"):
        fetch_published(FILE_NAME, tmp_path)
    server.redirect = url
    with pytest.raises(WeightsError):
        download(f"{server.url}{FILE_NAME}", tmp_path / FILE_NAME, DIGEST[:8])
    assert not (tmp_path / FILE_NAME).exists()


def test_a_folder_that_cannot_be_made(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WeightsError, match="EYESPOT_WEIGHTS"):
        fetch_published(FILE_NAME, tmp_path / "file")


def test_two_processes_at_once_download_once(server: Server, tmp_path: Path) -> None:
    server.hold = threading.Event()
    code = (
        "import sys; from pathlib import Path; "
        "from eyespot.weights.download import fetch_published; "
        "print('ready', flush=True); "
        "print(fetch_published(sys.argv[1], Path(sys.argv[2])).stat().st_size)"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code, FILE_NAME, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    while not server.asked:
        time.sleep(0.01)
    time.sleep(0.3)  # in which the other would ask as well, if nothing kept it from it
    server.hold.set()
    sizes = [process.communicate(timeout=600)[0].strip() for process in both]
    assert sizes == [str(len(CONTENT))] * 2
    assert len(server.asked) == 1


def test_the_publisher_is_asked_where_no_mirror_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EYESPOT_WEIGHTS_MIRROR", raising=False)
    asked: list[str] = []
    monkeypatch.setattr(module, "download", lambda url, *rest: asked.append(url))
    fetch_published(FILE_NAME, tmp_path)
    assert asked == [PUBLISHER + FILE_NAME]


# --- what a server may answer -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        ((206, "Partial"), {"Content-Range": f"bytes {'9' * 5000}-"}, "not the published one"),
        ((206, "Partial"), {"Content-Range": "bytes x-"}, "not the published one"),
        ((200, "OK"), {"Content-Encoding": "gzip"}, r"another encoding \('gzip'\)"),
        ((200, "OK"), {"Content-Type": "text/html"}, "not the published one"),
        ((404, "\x1b]0;owned\x07"), {}, "the server says 404"),
        ((500, "x" * 10_000), {}, "the server says 500 x{200}\\."),
        ((999, ""), {}, "the server says 999"),
    ],
)
def test_an_odd_answer_is_told_in_a_sentence(
    server: Server,
    tmp_path: Path,
    status: tuple[int, str],
    headers: dict[str, str],
    said: str,
) -> None:
    server.status, server.headers, server.content = status, headers, b"<html>"
    with pytest.raises(WeightsError, match=said) as told:
        fetch_published(FILE_NAME, tmp_path)
    assert "\n" not in str(told.value)
    assert left_in(tmp_path) == set()


@pytest.mark.parametrize(
    "place",
    ["http://[::1", f"http://{'a' * 70}.example/", "http://a b/", "file:///etc/passwd", "/x"],
)
def test_a_redirection_to_nowhere_is_told_in_a_sentence(
    server: Server, tmp_path: Path, place: str
) -> None:
    server.redirect = place
    with pytest.raises(WeightsError) as told:
        fetch_published(FILE_NAME, tmp_path)
    assert "\n" not in str(told.value)
    assert left_in(tmp_path) == set()


def test_a_redirection_in_a_circle_is_told_in_a_sentence(server: Server, tmp_path: Path) -> None:
    server.redirect = f"{server.url}{FILE_NAME}"
    with pytest.raises(WeightsError, match="infinite loop") as told:
        fetch_published(FILE_NAME, tmp_path)
    assert "\n" not in str(told.value)


def test_a_mirror_that_is_no_address_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EYESPOT_WEIGHTS_MIRROR", "http://[::1")
    with pytest.raises(WeightsError, match="http or https only"):
        fetch_published(FILE_NAME, tmp_path)


def test_no_server_sends_from_https_to_http() -> None:
    follow = http._Redirections().redirect_request
    asked = Request("https://mirror.example/network.pth")
    for place in ("http://mirror.example/network.pth", "HTTP://x/", "ftp://x/"):
        with pytest.raises(URLError, match="from https to http"):
            follow(asked, None, 302, "Found", {}, place)
    assert follow(asked, None, 302, "Found", {}, "https://other.example/network.pth")
    plain = Request("http://mirror.example/network.pth")
    assert follow(plain, None, 302, "Found", {}, "http://other.example/network.pth")


def test_a_server_that_drips_counts_as_gone(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 10**9, 60))
    monkeypatch.setattr(http, "monotonic", lambda: next(clock))
    monkeypatch.setattr(http, "LEAST_SPEED", 10**9)
    with pytest.raises(WeightsError, match=r"cut \(only [\d,]+ bytes came in 60 s"):
        fetch_published(FILE_NAME, tmp_path)
    assert left_in(tmp_path) == {f"{FILE_NAME}.part"}


# --- the whole digest ----------------------------------------------------------------------------


def test_whole_digests_are_of_the_files_they_stand_for() -> None:
    published = {network.published for network in NETWORKS.values() if network.published}
    assert set(WHOLE) < published
    for name, digest in WHOLE.items():
        assert re.fullmatch("[0-9a-f]{64}", digest), name
        assert name.endswith(f"-{digest[:8]}.pth")


def test_a_file_with_the_right_eight_digits_alone_is_refused(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(WHOLE, FILE_NAME, DIGEST[:8] + 56 * "0")
    with pytest.raises(WeightsError, match="not the published one"):
        fetch_published(FILE_NAME, tmp_path)
    assert left_in(tmp_path) == set()


def test_what_came_first_is_what_counts_from_then_on(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = fetch_published(FILE_NAME, tmp_path)
    assert published_digest(path) == DIGEST
    assert "Only the first 8 digits" in caplog.text
    path.unlink()
    digest_record(path).write_text(DIGEST[:8] + 56 * "0")
    with pytest.raises(WeightsError, match="not the published one"):
        fetch_published(FILE_NAME, tmp_path)
    digest_record(path).write_text("\ufffd")  # damaged: as if it were not there
    assert published_digest(path) == DIGEST[:8]
