"""The npm package has the published digest, and only the files of the page are taken from it."""

import base64
import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from eyespot.errors import ExportError, UsageError
from eyespot.export import onnxruntime_web as module
from eyespot.export.onnxruntime_web import FILES, REGISTRY, VERSION, address, runtime_files, unpack
from tests.models.server import Server, serving

TARBALL = f"onnxruntime-web-{VERSION}.tgz"
NEEDED = {ours: f"package/dist/{name}" for ours, name in FILES.items()}
CONTENT = {ours: f"this is {ours}".encode() for ours in FILES}


def tgz(*members: tuple[str, bytes | str]) -> bytes:
    """A package of files, and of links to where a text says."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


PACKAGE = tgz(
    ("package/package.json", b"{}"),
    ("../../evil", b"it is never written"),
    ("/tmp/evil", b"nor is this"),
    *((name, CONTENT[ours]) for ours, name in NEEDED.items()),
    ("package/dist/../../../evil", b"nor this"),
)


def publish(package: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = base64.b64encode(hashlib.sha512(package).digest()).decode()
    monkeypatch.setattr(module, "INTEGRITY", f"sha512-{digest}")


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    publish(PACKAGE, monkeypatch)
    with serving(Server(file_name=TARBALL, content=PACKAGE)) as started:
        monkeypatch.setenv("EYESPOT_NPM_REGISTRY", started.url)
        yield started


def kept(cache: Path) -> set[str]:
    folder = cache / "npm"
    return {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}


def fetch(file: Path | None = None) -> dict[str, bytes]:
    return runtime_files(file, lambda stage, done, total: None)


def test_it_is_fetched_once_and_nothing_but_what_is_needed_is_taken(
    registry: Server, own_cache: Path
) -> None:
    assert address() == f"{registry.url}onnxruntime-web/-/{TARBALL}"
    assert fetch() == fetch() == CONTENT
    assert address() is None
    assert registry.asked == [(f"/models/onnxruntime-web/-/{TARBALL}", None)]
    assert kept(own_cache) == {TARBALL}
    assert not Path("/tmp/evil").exists()


def test_a_package_with_another_digest_is_deleted(registry: Server, own_cache: Path) -> None:
    registry.content = PACKAGE[::-1]
    with pytest.raises(ExportError, match=r"its sha512 begins .* EYESPOT_NPM_REGISTRY"):
        fetch()
    assert kept(own_cache) == set()
    registry.content = PACKAGE
    fetch()
    (own_cache / "npm" / TARBALL).write_bytes(PACKAGE[:-9])  # a disk that forgets
    with pytest.raises(ExportError, match="deleted; try again"):
        fetch()
    assert fetch() == CONTENT


def test_a_package_that_never_ends_is_given_up(
    registry: Server, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KIND", replace(module.KIND, limit=len(PACKAGE) - 1))
    with pytest.raises(ExportError, match="is larger than"):
        fetch()
    assert kept(own_cache) == set()


def test_offline_it_is_said_what_to_do(
    registry: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EYESPOT_NPM_REGISTRY", "http://127.0.0.1:9")
    with pytest.raises(ExportError, match=r"cannot be reached .*name it: --onnxruntime FILE"):
        fetch()
    (tmp_path / "brought.tgz").write_bytes(PACKAGE)
    assert fetch(tmp_path / "brought.tgz") == CONTENT
    assert registry.asked == []


def test_a_file_that_is_another(registry: Server, tmp_path: Path) -> None:
    (tmp_path / "other.tgz").write_bytes(b"another")
    with pytest.raises(ExportError, match=rf"other\.tgz is not .*npm pack onnx.*@{VERSION}"):
        fetch(tmp_path / "other.tgz")
    assert (tmp_path / "other.tgz").exists()
    with pytest.raises(UsageError, match=r"none\.tgz cannot be read"):
        fetch(tmp_path / "none.tgz")
    with pytest.raises(UsageError, match="Is a directory"):
        fetch(tmp_path)


first, second = NEEDED.values()


@pytest.mark.parametrize(
    ("package", "words"),
    [
        (tgz((first, b"1")), f"no file {Path(second).name}"),
        (tgz((first, b"1"), (second, "/etc/passwd")), f"no file {Path(second).name}"),
        (tgz((first, b"1"), (f"package/../{second}", b"2")), f"no file {Path(second).name}"),
        (tgz((first, b"1"), (second, bytes(1001))), "1,001 bytes; at most 1,000"),
        (tgz(("package/other", bytes(1001)), (first, b"1")), "1,001 bytes; at most 1,000"),
        (PACKAGE[:-20], "damaged"),
        (b"no package at all", "damaged"),
    ],
)
def test_an_odd_package(package: bytes, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_UNPACKED", 1000)
    with pytest.raises(ExportError, match=words):
        unpack(package)


def test_npm_knows_where_its_registry_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EYESPOT_NPM_REGISTRY", raising=False)
    npm = tmp_path / "npm"
    npm.write_text('#!/bin/sh\n[ "$*" = "config get registry" ] && echo http://127.0.0.1:9/mirror/')
    npm.chmod(0o755)
    path = os.environ["PATH"]
    for folders, expected in ((f"{tmp_path}:{path}", "http://127.0.0.1:9/mirror"), ("", REGISTRY)):
        module._registry_of_npm.cache_clear()
        monkeypatch.setenv("PATH", folders)
        assert address() == f"{expected}/onnxruntime-web/-/{TARBALL}"
    module._registry_of_npm.cache_clear()
