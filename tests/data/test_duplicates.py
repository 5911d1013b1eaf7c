import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from random import Random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageOps
from skimage import data

from eyespot.data import duplicates
from eyespot.data.decode import decode
from eyespot.data.duplicates import Duplicates, dhash, find_duplicates
from eyespot.data.transforms import Preprocessing, prepare
from eyespot.features.extract import thumbnail
from tests.data.files import encode
from tests.pictures import patches

NAMES = ("astronaut", "chelsea", "coffee", "hubble_deep_field", "immunohistochemistry", "rocket")
SURFACES = ("brick", "grass", "gravel")
SQUARE = Preprocessing(224, (0, 0, 0), (1, 1, 1), "stretch")

CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "halved": lambda image: image.resize((image.width // 2, image.height // 2)),
    "enlarged": lambda image: image.resize((image.width * 3 // 2, image.height * 3 // 2)),
    "saved again": lambda image: Image.fromarray(decode(encode(image, "JPEG", quality=40)).pixels),
    "grey": lambda image: image.convert("L").convert("RGB"),
    "darker": lambda image: image.point(lambda value: value * 0.8),
    "flatter": lambda image: image.point(lambda value: 40 + value * 0.6),
}


@cache
def photos() -> tuple[Image.Image, ...]:
    """Different photos, of things and of surfaces that look much the same everywhere."""
    whole = [Image.fromarray(getattr(data, name)()) for name in NAMES]
    for image in whole:
        image.thumbnail((320, 320))
    parts = [Image.fromarray(part) for name in SURFACES for part in patches(name, 4, side=200)]
    return (*whole, *parts)


@cache
def noted(content: bytes) -> tuple[str, int, bytes]:
    """What is kept of a file: its digest, hash and thumbnail."""
    image = decode(content)
    pixels = prepare(image.pixels, SQUARE)
    small = thumbnail(pixels, image.width / image.height)
    return hashlib.sha256(content).hexdigest(), dhash(pixels), small


def find(
    files: Iterable[Image.Image | bytes], bursts: Sequence[str | None] | None = None
) -> Duplicates:
    contents = [file if isinstance(file, bytes) else encode(file, "PNG") for file in files]
    sha256, hashes, thumbnails = zip(*map(noted, contents), strict=True) if contents else ((),) * 3
    return find_duplicates(sha256, np.array(hashes, dtype=np.uint64), thumbnails, bursts)


def parts(group: Sequence[int | str]) -> set[frozenset[int]]:
    """The sets of indices with equal numbers."""
    return {frozenset(np.flatnonzero(np.equal(group, one)).tolist()) for one in group}


def test_no_photo() -> None:
    found = find([])
    assert (len(found.group), found.exact, found.near) == (0, [], [])


def test_one_photo() -> None:
    found = find(photos()[:1])
    assert (len(found.group), found.exact, found.near) == (1, [], [])


def test_different_photos_are_not_copies() -> None:
    found = find(photos())
    assert (found.exact, found.near) == ([], [])
    assert len(set(found.group.tolist())) == len(photos())


def test_different_photos_with_the_same_hash_are_not_copies() -> None:
    kept = [noted(encode(photo, "PNG")) for photo in photos()]
    same = np.zeros(len(kept), dtype=np.uint64)
    assert find_duplicates([k[0] for k in kept], same, [k[2] for k in kept]).near == []


def test_copied_files_are_exact_but_not_near_copies() -> None:
    found = find([*photos()[:3], photos()[1], photos()[1]])
    assert (found.exact, found.near) == ([[1, 3, 4]], [])
    assert parts(found.group.tolist()) == {frozenset({0}), frozenset({1, 3, 4}), frozenset({2})}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_copies_are_found(change: str) -> None:
    whole = photos()[: len(NAMES)]
    found = find([*whole, *map(CHANGES[change], whole)])
    assert found.exact == []
    assert found.near == [[i, i + len(whole)] for i in range(len(whole))]


def test_all_copies_of_a_photo_are_one_group() -> None:
    found = find(change(photo) for change in CHANGES.values() for photo in photos()[:4])
    assert found.near == [list(range(i, len(found.group), 4)) for i in range(4)]


def test_a_copied_file_counts_among_the_near_copies_as_well() -> None:
    photo = photos()[0]
    found = find([photo, photo, CHANGES["halved"](photo), photos()[1]])
    assert (found.exact, found.near) == ([[0, 1]], [[0, 1, 2]])


def test_a_mirrored_photo_is_another_photo() -> None:
    assert find([photos()[0], ImageOps.mirror(photos()[0])]).near == []


def test_bursts_are_kept_together_but_are_not_duplicates() -> None:
    found = find(photos()[:5], ["a", None, "a", "b", "b"])
    assert parts(found.group.tolist()) == {frozenset({0, 2}), frozenset({1}), frozenset({3, 4})}
    assert (found.exact, found.near) == ([], [])


def test_a_copy_joins_two_bursts() -> None:
    found = find([*photos()[:3], CHANGES["grey"](photos()[0])], ["a", "a", "b", "b"])
    assert parts(found.group.tolist()) == {frozenset({0, 1, 2, 3})}
    assert found.near == [[0, 3]]


def test_no_burst_in_any_row_changes_nothing() -> None:
    assert len(set(find(photos()[:4], [None, "", None, ""]).group.tolist())) == 4


def test_blank_images_are_not_duplicates_of_each_other() -> None:
    found = find(Image.new("RGB", (64, 64), color) for color in ("red", "white", "navy", "#777"))
    assert (found.exact, found.near) == ([], [])


def test_thousands_of_blank_images_are_compared_with_few(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    look = duplicates._look_alike

    def counting(thumbnails: Sequence[bytes], pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
        compared.append(len(pairs))
        return look(thumbnails, pairs)

    monkeypatch.setattr(duplicates, "_look_alike", counting)
    count = 5000
    _, blank, small = noted(encode(Image.new("RGB", (64, 64), "white"), "PNG"))
    hashes = np.full(count, blank, dtype=np.uint64)
    found = find_duplicates([str(i) for i in range(count)], hashes, [small] * count)
    assert compared == [pytest.approx(count * duplicates.CROWD, rel=0.01)]
    assert found.near == []
    assert len(set(found.group.tolist())) == count


def test_thousands_of_copies_of_one_file_are_one_group() -> None:
    sha256, code, small = noted(encode(photos()[0], "PNG"))
    count = 5000
    found = find_duplicates(
        [sha256] * count, np.full(count, code, dtype=np.uint64), [small] * count
    )
    assert found.exact == [list(range(count))]
    assert found.near == []


def test_images_with_almost_the_same_hash_are_compared_with_few() -> None:
    """Candidates stay few however alike the hashes are: here all differ in at most 12 bits."""
    hashes = np.arange(4096, dtype=np.uint64)
    pairs = duplicates._candidates(hashes)
    assert 0 < len(pairs) <= 2 * duplicates.PAIRS_PER_PHOTO * len(hashes)


@given(
    st.lists(st.integers(0, 2**64 - 1), max_size=18),
    st.integers(0, 2**64 - 1),
    st.sets(st.integers(0, 63), min_size=1, max_size=duplicates.NEAR_BITS),
)
@example([], 0, set(range(8)))
@example([], 0, set(range(56, 64)))
def test_close_hashes_are_candidates(others: list[int], code: int, flipped: set[int]) -> None:
    near = code ^ sum(1 << bit for bit in flipped)
    hashes = np.array(list(dict.fromkeys([code, near, *others])), dtype=np.uint64)
    pairs = duplicates._candidates(hashes).tolist()
    assert [0, 1] in pairs
    assert all(a < b for a, b in pairs)
    assert len(set(map(tuple, pairs))) == len(pairs)


@pytest.mark.parametrize("damaged", [b"", b"no JPEG", b"\xff\xd8\xff"])
def test_a_damaged_thumbnail_is_like_nothing(damaged: bytes) -> None:
    _, code, small = noted(encode(photos()[0], "PNG"))
    found = find_duplicates(["a", "b", "c"], np.full(3, code, np.uint64), [small, damaged, damaged])
    assert found.near == []


@cache
def files() -> tuple[tuple[int, bytes], ...]:
    """Files of four photos, each as it is and changed, with the photo's number."""
    changes = [CHANGES[name] for name in ("halved", "grey", "darker")]
    return tuple(
        (number, encode(image, "PNG"))
        for number, photo in enumerate(photos()[:4])
        for image in (photo, *(change(photo) for change in changes))
    )


CHOSEN = st.lists(
    st.tuples(st.integers(0, 15), st.sampled_from([None, None, "a", "b"])), max_size=14
)


@given(CHOSEN)
def test_copies_are_those_of_one_photo(chosen: list[tuple[int, str | None]]) -> None:
    which = [files()[file] for file, _ in chosen]
    found = find([content for _, content in which], [burst for _, burst in chosen])
    same_file = [file for file, _ in chosen]
    same_photo = [number for number, _ in which]
    assert {frozenset(group) for group in found.exact} == {
        group for group in parts(same_file) if len(group) > 1
    }
    assert {frozenset(group) for group in found.near} == {
        group for group in parts(same_photo) if len({same_file[i] for i in group}) > 1
    }


@given(CHOSEN)
def test_groups_are_the_finest_division_that_parts_no_copies_and_no_bursts(
    chosen: list[tuple[int, str | None]],
) -> None:
    found = find([files()[file][1] for file, _ in chosen], [burst for _, burst in chosen])
    expected = {frozenset({i}) for i in range(len(chosen))}
    bursts = [burst or f"no burst {i}" for i, (_, burst) in enumerate(chosen)]
    for rule in (parts([files()[file][0] for file, _ in chosen]), parts(bursts)):
        for together in rule:
            touched = {group for group in expected if group & together}
            expected = (expected - touched) | {frozenset().union(*touched)}
    assert parts(found.group.tolist()) == expected


@given(CHOSEN, st.randoms(use_true_random=False))
def test_the_order_of_the_photos_does_not_matter(
    chosen: list[tuple[int, str | None]], random: Random
) -> None:
    order = random.sample(range(len(chosen)), len(chosen))
    contents = [files()[file][1] for file, _ in chosen]
    bursts = [burst for _, burst in chosen]
    before = find(contents, bursts)
    after = find([contents[i] for i in order], [bursts[i] for i in order])
    assert {frozenset(order[i] for i in group) for group in parts(after.group.tolist())} == parts(
        before.group.tolist()
    )
    for name in ("exact", "near"):
        moved = {frozenset(order[i] for i in group) for group in getattr(after, name)}
        assert moved == set(map(frozenset, getattr(before, name)))
