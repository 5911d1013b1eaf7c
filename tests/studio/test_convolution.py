"""Convolution: the routes, and an image and a kernel that are edited in a browser."""

import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from eyespot.playground.convolution import Window, convolve, pixel, pool
from eyespot.playground.convolution_costs import compare_separable
from eyespot.playground.kernels import KERNELS
from tests.studio.browser import Studio, is_wider_than_window, open_studio

HOME = "http://127.0.0.1:8765"
IMAGE = np.random.default_rng(0).integers(0, 10, size=(7, 6)).astype(float).tolist()
SOBEL = KERNELS["Sobel x"].values.tolist()
CONVOLUTION = {"image": IMAGE, "kind": "convolution", "kernel": SOBEL}
LAYER = {"in_channels": 1, "out_channels": 1, "side": 1, "kernel": 1}
STEPS = {"stride": 2, "padding": 1, "dilation": 2}


def ask(client: TestClient, path: str, question: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"/api/convolution{path}", json=question)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_a_convolution_is_the_librarys(client: TestClient) -> None:
    found = ask(client, "", {**CONVOLUTION, **STEPS})
    assert found["output"] == convolve(IMAGE, SOBEL, **STEPS).tolist()
    assert found["sizes"] == list(Window(3, 3, 2, 1, 2).in_words(7, 6))
    assert found["costs"][0] == "1 filter * 1 map * 3 * 3 = 9 weights"


@pytest.mark.parametrize("kind", ["max", "mean"])
def test_a_pooling_is_the_librarys(client: TestClient, kind: Any) -> None:
    question = {"image": IMAGE, "kind": kind, "size": 3, "stride": 2, "padding": 1}
    found = ask(client, "", question)
    assert found["output"] == pool(IMAGE, kind, 3, stride=2, padding=1).tolist()
    one = ask(client, "/pixel", {**question, "row": 1, "column": 2})
    assert one["value"] == found["output"][1][2]
    assert (one["rows"], one["columns"]) == ([1, 2, 3], [3, 4, 5])
    assert one["products"] is None


def test_a_pixel_is_the_librarys(client: TestClient) -> None:
    found = ask(client, "/pixel", {**CONVOLUTION, **STEPS, "row": 1, "column": 0})
    there = pixel(IMAGE, SOBEL, 1, 0, **STEPS)
    assert there.products is not None
    assert found == {
        "rows": list(there.rows),
        "columns": list(there.columns),
        "inputs": there.inputs.tolist(),
        "products": there.products.tolist(),
        "value": there.value,
        "text": there.text,
    }


def test_costs_are_the_librarys(client: TestClient) -> None:
    found = ask(client, "/costs", {"in_channels": 8, "out_channels": 16, "side": 14, "kernel": 5})
    there = compare_separable(8, 14, 14, 16, Window(5, 5, padding=2))
    assert found["ratio"] == there.ratio
    assert found["weights"]["text"] == there.weights.text
    assert found["standard"]["output"] == [16, 14, 14]


@pytest.mark.parametrize(
    ("path", "question", "said"),
    [
        ("", {**CONVOLUTION, "dilation": 4}, "(9 x 9, dilated from 3 x 3) is larger"),
        ("", {**CONVOLUTION, "kernel": [[1, 2], [3]]}, "The kernel has to be rows of numbers"),
        ("", {"image": IMAGE, "kind": "max", "size": 2, "padding": 2}, "half of the window"),
        ("", {**CONVOLUTION, "image": []}, "has to be"),
        ("/pixel", {**CONVOLUTION, "row": 5, "column": 0}, "The row has to be"),
        ("/costs", {**LAYER, "in_channels": 0}, "The number of"),
        ("/costs", {**LAYER, "side": 9, "kernel": 10**9}, "The kernel's side"),
    ],
)
def test_errors_are_answers(
    client: TestClient, path: str, question: dict[str, Any], said: str
) -> None:
    assert said in ask(client, path, question)["error"]


def test_invalid_requests_are_rejected(client: TestClient) -> None:
    for wrong in ({"kind": "convolution"}, {**CONVOLUTION, "kind": "median"}, {"image": "x"}):
        assert client.post("/api/convolution", json=wrong).status_code == 400


# --- in a browser ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    with open_studio() as studio:
        yield studio


def link(**state: str | int) -> str:
    return f"/convolution.html#{urlencode(state)}"


def cells(page: Page, map: str) -> list[list[float]]:
    """The numbers of a map, row by row."""
    texts: list[list[str]] = page.evaluate(
        "id => [...document.querySelectorAll(`#${id} [role=row]`)]"
        ".map((row) => [...row.children].map((cell) => cell.textContent))",
        map,
    )
    return [[float(text.replace("−", "-")) for text in row] for row in texts]


@pytest.mark.browser
def test_the_page_shows_the_output(studio: Studio) -> None:
    with studio.page("/convolution.html") as page:
        expect(page.locator("#output-size")).to_have_text("10 × 10")
        image = cells(page, "input")
        assert cells(page, "output") == convolve(image, SOBEL).tolist()
        page.locator("#stride").select_option("2")
        page.locator("#padding").select_option("1")
        expect(page.locator("#output-size")).to_have_text("6 × 6")
        assert cells(page, "output") == convolve(image, SOBEL, stride=2, padding=1).tolist()
        assert len(cells(page, "input")) == 14  # with its padding
        expect(page.locator("#sizes")).to_contain_text("= floor(11 / 2) + 1 = 6")
        page.locator("#kind").select_option("max pooling")
        page.locator("#padding").select_option("0")
        expect(page.locator("#kernel")).to_be_hidden()
        expect(page.locator("#input .padding")).to_have_count(0)
        expect(page.locator("#output-size")).to_have_text("6 × 6")
        expect(page.locator("#costs")).to_contain_text("no weights")
        assert cells(page, "output") == pool(image, "max", 2).tolist()


@pytest.mark.browser
def test_a_pixel_shows_its_window(studio: Studio) -> None:
    with studio.page(link(image="spot", kernel="1,2,3;4,5,6;7,8,9", dilation=2)) as page:
        page.hover("#output [data-row='1'][data-column='5']")
        expect(page.locator("#sum")).to_contain_text("+ 9 × 7 + 0 × 8 + 0 × 9 = 63")
        seen = page.locator("#input .seen")
        expect(seen).to_have_count(9)
        places = seen.evaluate_all(
            "all => all.map((one) => `${one.dataset.row},${one.dataset.column}`)"
        )
        assert places == [f"{row},{column}" for row in (1, 3, 5) for column in (5, 7, 9)]
        page.locator("#output [tabindex='0']").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
        expect(page.locator("#output .chosen")).to_have_attribute("data-column", "1")


@pytest.mark.browser
def test_painting_with_mouse_and_keys(studio: Studio) -> None:
    with studio.page(link(image="empty", kernel="identity")) as page:
        page.locator("#input [data-row='5'][data-column='6']").click()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("4")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Enter")
        expect(page.locator("#output [data-row='3'][data-column='4']")).to_have_text("9")
        result = cells(page, "output")
        assert result[4][4:6] == [4, 9]
        assert sum(map(sum, result)) == 22
        expect(page.locator("#images")).to_have_value("own")
        page.locator("#input [data-row='5'][data-column='6']").click()  # erases it
        expect(page.locator("#output [data-row='4'][data-column='5']")).to_have_text("0")


@pytest.mark.browser
def test_a_custom_kernel(studio: Studio) -> None:
    with studio.page(link(image="spot", kernel="identity")) as page:
        page.get_by_label("Weight in row 1, column 3").fill("-2")
        expect(page.locator("#kernels")).to_have_value("own")
        expect(page.locator("#output .dark", has_text="−18")).to_have_count(1)
        page.locator("#size").select_option("5 × 5")
        expect(page.get_by_label("Weight in row 2, column 4")).to_have_value("-2")
        page.wait_for_url("**size=5&kernel=0%2C0%2C0%2C0%2C0%3B0%2C0%2C0%2C-2*")
        page.locator("#kernels").select_option("box blur")
        expect(page.locator("#output-size")).to_have_text("10 × 10")
        expect(page.get_by_label("Weight in row 1, column 1")).to_have_value("0.111")
        expect(page.locator("#output [data-row='4'][data-column='4']")).to_have_text("1")


@pytest.mark.browser
def test_a_window_that_does_not_fit_is_an_error(studio: Studio) -> None:
    with studio.page(link(size=3, dilation=4), width=360) as page:
        page.locator("#size").select_option("7 × 7")
        expect(page.locator("#fault")).to_contain_text("(12 x 12)")
        assert not is_wider_than_window(page)
        page.locator("#dilation").select_option("1")
        expect(page.locator("#fault")).to_be_hidden()
        expect(page.locator("#output-size")).to_have_text("6 × 6")


@pytest.mark.browser
def test_sliding_over_the_image(studio: Studio) -> None:
    with studio.page(link(image="spot", stride=4)) as page:
        page.get_by_role("button", name="Slide over the image").click()
        expect(page.locator("#output .done").nth(4)).to_be_visible()
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("#output.walking")).to_have_count(0)


@pytest.mark.browser
def test_a_photo(studio: Studio) -> None:
    out = io.BytesIO()
    half = np.zeros((60, 120, 3), np.uint8)
    half[:, 60:] = 255
    Image.fromarray(half).save(out, "PNG")
    with studio.page("/convolution.html") as page:
        photo = FilePayload(name="half.png", mimeType="image/png", buffer=out.getvalue())
        page.set_input_files("#photo", [photo])
        expect(page.locator("#input-size")).to_have_text("14 × 28")
        expect(page.locator("#output-size")).to_have_text("12 × 26")
        assert cells(page, "input") == [[0.0] * 14 + [9.0] * 14] * 14
        page.wait_for_url("**image=0*")
        address = page.url
        text = FilePayload(name="half.png", mimeType="image/png", buffer=b"not a photo")
        page.set_input_files("#photo", [text])
        expect(page.get_by_role("alert")).to_contain_text("cannot decode this photo")
    with studio.page("/" + address.split("/", 3)[3]) as page:
        expect(page.locator("#output-size")).to_have_text("12 × 26")


@pytest.mark.browser
def test_standard_against_separable(studio: Studio) -> None:
    with studio.page(link(in_channels=512, out_channels=512, side=14)) as page:
        ratio = page.locator("#cost-ratio")
        expect(ratio).to_contain_text("1/512 + 1/9 = 0.1131")
        expect(page.locator("#cost-bars")).to_contain_text("4,608 depthwise + 262,144 pointwise")
        page.get_by_label("Output channels").fill("0")
        expect(page.get_by_role("alert")).to_contain_text("The number of")
        page.get_by_label("Output channels").fill("1")
        expect(ratio).to_contain_text("saves nothing")


@pytest.mark.browser
def test_a_broken_link_is_an_error(studio: Studio) -> None:
    with studio.page("/convolution.html") as page:
        for state, said in (
            ({"image": "12.3"}, "image cannot be read"),
            ({"kernel": "1,2;3,4"}, "kernel cannot be read"),
            ({"stride": "0"}, "stride cannot be 0"),
            ({"in_channels": "many"}, "in_channels is not a number"),
            ({"what": "x"}, "what is unknown"),
        ):
            page.evaluate("link => { location.hash = link }", urlencode(state))
            expect(page.locator("#problem")).to_contain_text(f"This link is broken: {said}")
            expect(page.locator("#output-size")).to_have_text("10 × 10")
