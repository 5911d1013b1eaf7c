"""The same photo gives the network the same pixels, whichever way it comes."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from eyespot.data.decode import decode
from eyespot.data.given import named_photos
from eyespot.data.photos import ImageSource
from eyespot.data.transforms import Preprocessing, needed_short_side, prepare
from eyespot.explain.photo import explain_photo
from eyespot.features.backbone import LOGITS, Backbone
from eyespot.features.extract import embed
from eyespot.heads.scorers import LogitsScorer
from eyespot.serve.batcher import Batcher
from eyespot.serve.decoders import Decoders
from eyespot.studio.trainer import Trained
from eyespot.tasks.classification.classifier import Classifier, Recipe
from tests.data.files import encode
from tests.data.profiles import DISPLAY_P3, rgb_profile

SIZE = 32
MODES = ("1", "L", "P", "LA", "PA", "RGB", "RGBA", "I;16", "I", "F")


class Recorder:
    """An engine that keeps what it is given, and finds nothing in it."""

    name, workers, batch = "recorder", 1, 4

    def __init__(self) -> None:
        self.layout = {LOGITS: slice(0, 2)}
        self.seen: list[NDArray[np.uint8]] = []

    def run(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.seen += list(pictures.copy())
        return np.zeros((len(pictures), 2), np.float32)

    def take(self) -> NDArray[np.uint8]:
        first = self.seen[0]
        self.seen = []
        return first


def classifier_that_records(fit: Any) -> tuple[Classifier, Recorder]:
    engine = Recorder()
    square = Preprocessing(SIZE, (0.0,) * 3, (1.0,) * 3, fit)
    backbone = Backbone("resnet20", "0" * 64, square, (LOGITS,))
    recipe = Recipe("imagenet", (LOGITS,), 0.0)
    scorer = LogitsScorer(2)
    return Classifier(("a", "b"), backbone, recipe, scorer, _engine=engine), engine


def made(mode: str, width: int, height: int, seed: int) -> Image.Image:
    """Noise in a mode of Pillow's."""
    rng = np.random.default_rng(seed)
    if mode in ("I;16", "I", "F"):
        numbers = rng.integers(0, 60_000, (height, width))
        dtype = {"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]
        return Image.fromarray(numbers.astype(dtype))
    image = Image.fromarray(rng.integers(0, 256, (height, width, 4), dtype=np.uint8))
    if mode == "RGBA":
        return image
    if mode == "PA":
        return image.convert("RGB").convert("P").convert("PA")
    return image.convert("LA" if mode == "LA" else "RGB").convert(mode)


def every_path(photo: Any, classifier: Classifier, engine: Recorder) -> list[NDArray[np.uint8]]:
    """What the network gets of a photo from each of the library's verbs."""
    found = []
    classifier.predict(photo)
    found.append(engine.take())
    assert not next(classifier.predict_batch([photo])).error
    found.append(engine.take())
    (named,) = named_photos([photo])
    embed([named], classifier.backbone, engine)
    found.append(engine.take())
    data = named.read()
    Trained(0, classifier, photos=(1,), embeddings=np.ones((1, 2), np.float32)).predict(data)
    found.append(engine.take())
    found.append(classifier.prepare(data))
    square = classifier.backbone.preprocessing  # as exports, reports and explanations do
    found.append(prepare(decode(data, short_side=needed_short_side(square)).pixels, square))
    return found


def assert_alike(found: list[NDArray[np.uint8]]) -> None:
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


sides = st.integers(1, 3000) | st.integers(1, 140) | st.sampled_from([31, 32, 64, 65, 128, 300])


@settings(max_examples=60)
@given(
    mode=st.sampled_from(MODES),
    width=sides,
    height=sides,
    fit=st.sampled_from(["crop", "stretch"]),
    orientation=st.integers(1, 8),
)
def test_files_images_and_arrays_of_every_size(
    mode: str, width: int, height: int, fit: str, orientation: int
) -> None:
    height = min(height, max(1, 400_000 // width))
    classifier, engine = classifier_that_records(fit)
    image = made(mode, width, height, 1)
    kind = "TIFF" if mode in ("I", "F", "PA") else "PNG"
    exif = Image.Exif()
    exif[0x0112] = orientation
    more: dict[str, Any] = {"exif": exif} if kind == "PNG" else {}
    if mode in ("RGB", "RGBA"):
        more["icc_profile"] = rgb_profile(DISPLAY_P3)
    if mode == "PA":
        image = image.convert("RGBA")
    data = encode(image, kind, compress_level=1, **more)
    read = Image.open(io.BytesIO(data))
    read.load()
    found = [
        view
        for photo in (data, Image.open(io.BytesIO(data)), read, decode(data).pixels)
        for view in every_path(photo, classifier, engine)
    ]
    assert_alike(found)


@settings(max_examples=30)
@given(
    width=sides,
    height=sides,
    mode=st.sampled_from(["L", "RGB", "CMYK"]),
    progressive=st.booleans(),
    fit=st.sampled_from(["crop", "stretch"]),
)
def test_jpegs_of_every_size(
    width: int, height: int, mode: str, progressive: bool, fit: str
) -> None:
    height = min(height, max(1, 400_000 // width))
    classifier, engine = classifier_that_records(fit)
    image = made("RGB", width, height, 2).convert(mode)
    data = encode(image, "JPEG", progressive=progressive, icc_profile=rgb_profile(DISPLAY_P3))
    unread = Image.open(io.BytesIO(data))
    found = every_path(data, classifier, engine) + every_path(unread, classifier, engine)
    assert_alike(found)
    array, read = decode(data).pixels, Image.open(io.BytesIO(data))
    read.load()
    assert_alike([*every_path(array, classifier, engine), *every_path(read, classifier, engine)])


def test_a_jpeg_and_its_array_are_close() -> None:
    # A file is decoded at a fraction of its size, which an array cannot be: it is averaged.
    classifier, engine = classifier_that_records("stretch")
    smooth = made("RGB", 9, 6, 3).resize((600, 400), Image.Resampling.BICUBIC)
    data = encode(smooth, "JPEG", quality=95)
    file = every_path(data, classifier, engine)[0].astype(int)
    array = every_path(np.array(smooth), classifier, engine)[0]
    assert np.abs(file - array).mean() < 2


def test_alone_and_in_any_place_of_a_batch() -> None:
    classifier, engine = classifier_that_records("crop")
    files = [encode(made("RGB", 40 + n, 300 - n, n), "PNG") for n in range(40)]
    list(classifier.predict_batch(files))
    process_group, engine.seen = engine.seen, []
    for data, pixels in zip(files, process_group, strict=True):
        classifier.predict(data)
        np.testing.assert_array_equal(engine.take(), pixels)


def test_the_server_gives_the_same_pixels(decoders: Decoders) -> None:
    classifier, engine = classifier_that_records("crop")
    files = [encode(made("RGB", 40 + 9 * n, 300, n), "JPEG") for n in range(8)]
    alone = []
    for data in files:
        classifier.predict(data)
        alone.append(engine.take())
    batcher = Batcher(classifier, decoders)
    try:
        for data, pixels in zip(files, alone, strict=True):
            (answer,) = batcher.submit([("a photo", data)], 1)
            answer.result()
            np.testing.assert_array_equal(engine.take(), pixels)
    finally:
        batcher.close()


def test_a_range_does_not_depend_on_the_size_that_is_asked_for() -> None:
    # A few bright pixels say how white is stored, also where they are averaged away.
    values = np.full((400, 400), 100, np.uint16)
    values[::50, ::50] = 4095
    file = encode(Image.fromarray(values), "TIFF")
    for data in (file, values):
        assert decode(data, short_side=50).pixels.mean() < 10
        assert decode(data).pixels.mean() < 10


def test_hidden_colours_do_not_show() -> None:
    values = np.zeros((400, 400, 4), np.uint8)
    values[:, ::2] = (200, 0, 0, 255)  # every other column is transparent black
    for data in (values, Image.fromarray(values), encode(Image.fromarray(values), "PNG")):
        found = decode(data, short_side=50).pixels
        assert np.abs(found[5, 5].astype(int) - (228, 128, 128)).max() <= 1


def test_shared_case_of_halves(shared_cases: Path) -> None:
    assert (shared_cases / "predict-against-predict-many").is_dir()
    classifier, engine = classifier_that_records("stretch")
    for width, height in ((300, 300), (300, 400), (400, 500), (224, 224), (448, 640), (300, 200)):
        pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
        assert_alike(every_path(pixels, classifier, engine))


def test_an_unread_pillow_image_can_still_be_read() -> None:
    data = encode(made("RGB", 90, 60, 0), "JPEG")
    image = Image.open(io.BytesIO(data))
    assert ImageSource(image).read() == data
    assert ImageSource(image).read() == data
    image.load()
    assert not isinstance(ImageSource(image).read(), bytes)


def test_explanations_look_at_the_same_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    from eyespot.explain import photo as explaining

    classifier, engine = classifier_that_records("stretch")
    data = encode(made("RGB", 1300, 1400, 0), "JPEG")
    classifier.predict(data)
    expected = engine.take()

    class Enough(Exception):
        pass

    def slide(_: Classifier, prepared: NDArray[np.uint8]) -> None:
        np.testing.assert_array_equal(prepared, expected)
        raise Enough

    monkeypatch.setattr(explaining, "slide", slide)
    with pytest.raises(Enough):
        explain_photo(classifier, data)
