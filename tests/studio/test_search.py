"""Search: the routes, and games that are played in a browser with the mouse and with the keys."""

import base64
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from fastapi.testclient import TestClient
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

from eyespot.playground.hidden_target import (
    DIFFICULTIES,
    MOST_LOOKS,
    MOST_SEED,
    ROUNDS,
    make_scene,
    model_search,
)
from eyespot.playground.textures import SCALE, SIDE
from eyespot.tasks.search.observer import triangular_grid
from tests.studio.browser import Studio, check_sizes_and_schemes, open_studio

PLACES = triangular_grid()
GAME = {"seed": 7, "texture": "stone", "difficulty": "easy"}
FOG = 0.3
"""Of the page: contrast of the texture far from a look."""


def ask(client: TestClient, **changed: Any) -> dict[str, Any]:
    answer = client.post("/api/search", json={**GAME, "round": 0, **changed})
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def pixels_of(answer: dict[str, Any]) -> NDArray[np.uint8]:
    return np.frombuffer(base64.b64decode(answer["texture"]), np.uint8).reshape(SIDE, SIDE)


def test_the_settings_are_the_librarys(client: TestClient) -> None:
    found = client.get("/api/search").json()
    assert found["difficulties"] == DIFFICULTIES
    assert len(found["places"]) == 84
    np.testing.assert_allclose(found["places"], PLACES, atol=1e-4)
    reach = np.hypot(*PLACES.T).max() + 36 / SCALE  # the whole patch is on the scene
    assert 2 * reach < found["degrees"]


def test_a_round_is_the_librarys(client: TestClient) -> None:
    found = ask(client, round=3)
    scene = make_scene(7, 3, "stone")
    np.testing.assert_allclose(pixels_of(found) / 127.5 - 1, scene.texture.clip(-1, 1), atol=0.004)
    np.testing.assert_allclose(found["patch"], scene.patch, atol=1e-4)
    assert found["place"] == scene.place
    model = model_search(7, 3, scene.place, "easy")
    np.testing.assert_allclose(found["model"]["looks"], model.fixations, atol=1e-4)
    assert (found["model"]["answer"], found["model"]["found"]) == (model.answer, model.found)


def test_a_request_gives_the_same_round_again(client: TestClient) -> None:
    found = ask(client)
    assert ask(client) == found
    hard = ask(client, difficulty="hard")
    assert hard["texture"] == found["texture"]
    assert len(hard["model"]["looks"]) > len(found["model"]["looks"])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"seed": -1}, "body.seed"),
        ({"seed": MOST_SEED + 1}, "body.seed"),
        ({"seed": "seven"}, "body.seed"),
        ({"round": ROUNDS}, "body.round"),
        ({"round": -1}, "body.round"),
        ({"texture": "velvet"}, "Expected the texture to be stone or"),
        ({"difficulty": "x" * 9000}, "Expected the difficulty to be easy or hard"),
        ({"more": 1}, "body.more"),
    ],
)
def test_values_out_of_bounds_are_errors(
    client: TestClient, wrong: dict[str, Any], said: str
) -> None:
    answer = client.post("/api/search", json={**GAME, "round": 0, **wrong})
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert len(answer.json()["error"]) < 200


# --- in a browser ----------------------------------------------------------------------------

browser = pytest.mark.browser


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    with open_studio() as studio:
        yield studio


def link(**changed: Any) -> str:
    return f"/search.html#{urlencode({**GAME, **changed})}"


def click(page: Page, place: int) -> None:
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    x, y = (PLACES[place] * SCALE / SIDE + 0.5) * (box["width"], box["height"])
    page.mouse.click(box["x"] + x, box["y"] + y)


def shown(page: Page) -> NDArray[np.float64]:
    """Grey levels [SIDE, SIDE] of the scene, after the grey between two views."""
    view = page.wait_for_function(
        """() => {
          const canvas = document.querySelector("#canvas");
          const pen = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
          pen.drawImage(canvas, 0, 0);
          const levels = pen.getImageData(0, 0, canvas.width, canvas.height).data;
          const red = [...levels.filter((_, place) => place % 4 === 0)];
          return new Set(red).size > 1 && red;
        }"""
    )
    return np.reshape(view.json_value(), (SIDE, SIDE)).astype(np.float64)


def expected(seed: int, difficulty: str, place: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """The view of round 1 from a place in degrees, or the revealed scene."""
    scene = make_scene(seed, 0, "stone")
    contrast = np.rint(127.5 * (1 + scene.texture)).clip(0, 255) / 127.5 - 1
    slope = 0.0 if place is None else DIFFICULTIES[difficulty]
    look = np.zeros(2) if place is None else place
    target, width = PLACES[scene.place], len(scene.patch)
    left, top = (int(np.floor(SIDE / 2 + at * SCALE - width / 2 + 0.5)) for at in target)
    weight = np.exp(-slope * np.hypot(*(target - look)))
    contrast[top : top + width, left : left + width] += weight * scene.patch
    down, across = (np.arange(SIDE) - SIDE / 2) / SCALE - look[[1, 0], None]
    eccentricity = np.hypot(down[:, None], across[None])
    contrast *= FOG + (1 - FOG) * np.exp(-slope * eccentricity)
    return np.asarray((127.5 * (1 + contrast)).clip(0, 255))


@browser
def test_a_round_with_the_mouse(studio: Studio) -> None:
    scene = make_scene(7, 0, "stone")
    model = model_search(7, 0, scene.place, "easy")
    with studio.page(link()) as page:
        said = page.locator("#said")
        expect(page.locator("#round")).to_have_text("Round 1 of 10")
        page.get_by_role("button", name="Start").click()
        expect(said).to_have_text("1 look.")
        np.testing.assert_allclose(shown(page), expected(7, "easy", np.zeros(2)), atol=1.01)
        elsewhere = (scene.place + 40) % len(PLACES)
        click(page, elsewhere)
        expect(said).to_have_text("Not here. 2 looks.")
        np.testing.assert_allclose(shown(page), expected(7, "easy", PLACES[elsewhere]), atol=1.01)
        click(page, scene.place)
        expect(said).to_contain_text("Found after 2 looks. The model needed")
        np.testing.assert_allclose(shown(page), expected(7, "easy", None), atol=1.01)
        numbers = page.locator("#marks .path.you text")
        expect(numbers).to_have_text(["1", "2"])
        expect(page.locator("#marks .path.model text")).to_have_count(len(model.fixations))
        expect(page.locator("#your-looks")).to_have_text("2")
        expect(page.locator("#model-looks")).to_have_text(str(len(model.fixations)))
        cells = page.locator("#rows tr").first.locator("td")
        eccentricity = f"{np.hypot(*PLACES[scene.place]):.1f}°"
        expect(cells).to_have_text([eccentricity, "2", str(len(model.fixations))])
        page.get_by_role("button", name="You").click()
        expect(numbers.first).to_be_hidden()
        expect(page.locator("#marks .path.model text").first).to_be_visible()


def walk(page: Page, place: int) -> None:
    """With the arrow keys to a place, as the announcements say."""
    heights = sorted({round(y, 4) for _, y in PLACES})
    row = heights.index(round(PLACES[place][1], 4)) + 1
    line = sorted(x for x, y in PLACES if round(y, 4) == heights[row - 1])
    column = line.index(PLACES[place][0]) + 1
    cursor = page.locator("#cursor")
    for key, word, goal in (("Arrow{}", "Row", row), ("Arrow{}", "place", column)):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowLeft")
        for _ in range(20):
            words = str(cursor.text_content()).replace(",", "").split()
            here = int(words[words.index(word) + 1])
            if here == goal:
                break
            less, more = ("Up", "Down") if word == "Row" else ("Left", "Right")
            page.keyboard.press(key.format(more if here < goal else less))
    expect(cursor).to_have_text(f"Row {row}, place {column} of {len(line)}")


@browser
def test_rounds_with_the_keys_alone(studio: Studio) -> None:
    with studio.page(link()) as page:
        page.get_by_role("button", name="Start").focus()
        page.keyboard.press("Enter")
        stage = page.get_by_role("application")
        expect(stage).to_be_focused()
        expect(page.locator("#marks .cursor")).to_be_visible()
        page.keyboard.press("End")
        page.keyboard.press("Enter")
        expect(page.locator("#said")).to_have_text("Not here. 2 looks.")
        walk(page, make_scene(7, 0, "stone").place)
        page.keyboard.press(" ")
        expect(page.locator("#said")).to_contain_text("Found after 2 looks.")
        expect(page.get_by_role("button", name="Next round")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#round")).to_have_text("Round 2 of 10")
        expect(stage).to_be_focused()
        walk(page, make_scene(7, 1, "stone").place)
        page.keyboard.press("Enter")
        expect(page.locator("#said")).to_contain_text("Found after 1 look.")


@browser
def test_an_address_gives_the_same_scene(studio: Studio) -> None:
    views = []
    for address in (link(), link(), link(seed=8)):
        with studio.page(address) as page:
            page.get_by_role("button", name="Start").click()
            views.append(shown(page))
    np.testing.assert_array_equal(views[0], views[1])
    assert np.abs(views[0] - views[2]).mean() > 5
    with studio.page("/search.html") as page:
        page.get_by_label("Texture").select_option("wood")
        page.get_by_label("Difficulty").select_option("hard")
        page.get_by_label("Seed").fill("12")
        page.get_by_label("Seed").press("Enter")
        page.wait_for_url("**#seed=12&texture=wood&difficulty=hard")
        page.get_by_role("button", name="New game").first.click()
        page.wait_for_url(lambda url: "seed=12&" not in url and url.endswith("difficulty=hard"))


@browser
def test_ten_rounds_on_a_phone(studio: Studio) -> None:
    looks = []
    with studio.page(link(), width=360) as page:
        for number in range(ROUNDS):
            place = make_scene(7, number, "stone").place
            page.locator("#next").click()
            expect(page.locator("#round")).to_have_text(f"Round {number + 1} of 10")
            expect(page.locator("#give-up")).to_be_visible()
            page.locator("#canvas").scroll_into_view_if_needed()
            for step in range(1, number + 1):
                click(page, (place + step) % len(PLACES))
                expect(page.locator("#said")).to_have_text(f"Not here. {step + 1} looks.")
            if number == 9:
                page.get_by_role("button", name="Give up").click()
            else:
                click(page, place)
                looks.append(number + 1)
            expect(page.locator("#next")).to_be_visible()
        page.get_by_role("button", name="Show results").click()
        expect(page.locator("#summary")).to_be_focused()
        mean = f"{np.mean(looks):.1f}"
        expect(page.locator("#verdict")).to_contain_text(
            f"You found 9 of 10 targets, in {mean} looks on average; the model "
        )
        expect(page.locator("#means td").first).to_have_text(mean)
        expect(page.locator("#chart circle")).to_have_count(ROUNDS)
        expect(page.locator("#chart circle.hollow")).to_have_count(1)
        expect(page.locator("#rows td").nth(3 * 9 + 1)).to_have_text("10, not found")
        page.get_by_role("link", name="Play the same ten rounds again").click()
        expect(page.locator("#round")).to_have_text("Round 1 of 10")
        assert page.url.endswith(link().partition("#")[2])


@browser
@pytest.mark.parametrize("rounds", [0, 1, ROUNDS])
def test_each_state_is_accessible_in_each_size(studio: Studio, rounds: int) -> None:
    """The target, a scene with its paths, the results."""
    with studio.page(link(difficulty="hard")) as page:
        for _ in range(rounds):
            page.locator("#next").click()
            page.get_by_role("button", name="Give up").click()
        if rounds == ROUNDS:
            page.get_by_role("button", name="Show results").click()
        check_sizes_and_schemes(studio, page, narrow=360)


@browser
def test_a_round_ends_after_fifty_looks(studio: Studio) -> None:
    place = make_scene(7, 0, "stone").place
    with studio.page(link()) as page:
        page.get_by_role("button", name="Start").click()
        for _ in range(MOST_LOOKS):
            click(page, (place + 1) % len(PLACES))
        expect(page.locator("#said")).to_contain_text("Not found after 50 looks.")
        expect(page.locator("#your-state")).to_have_text("not found")


@browser
def test_a_broken_link_is_an_error(studio: Studio) -> None:
    with studio.page("/search.html") as page:
        for state, said in (
            ({"seed": "1000000"}, "seed is not a number from 0 to 999,999"),
            ({"seed": "-1"}, "seed is not a number"),
            ({"texture": "velvet"}, "texture cannot be velvet"),
            ({"difficulty": "no"}, "difficulty cannot be no"),
            ({"what": "x"}, "what is unknown"),
        ):
            page.evaluate("link => { location.hash = link }", urlencode(state))
            expect(page.locator("#problem")).to_contain_text(f"This link is broken: {said}")
            expect(page.get_by_role("button", name="Start")).to_be_enabled()


@browser
def test_a_studio_that_is_gone_is_an_error_until_it_answers(studio: Studio) -> None:
    with studio.page(link()) as page:
        page.route("**/api/search", lambda route: route.abort())
        page.get_by_role("button", name="New game").first.click()
        expect(page.locator("#problem")).to_contain_text("Is it still running?")
        page.unroute("**/api/search")
        page.get_by_role("button", name="Start").click()
        expect(page.locator("#problem")).to_be_hidden()
        expect(page.locator("#said")).to_contain_text("Find the target")
        page.get_by_role("button", name="Start").click()
        expect(page.locator("#said")).to_have_text("1 look.")
        page.get_by_role("button", name="Give up").click()
        page.route("**/api/search", lambda route: route.abort())
        page.get_by_role("button", name="Next round").click()
        expect(page.locator("#problem")).to_contain_text("Is it still running?")
        page.unroute("**/api/search")
        page.get_by_role("button", name="Next round").click()
        expect(page.locator("#round")).to_have_text("Round 2 of 10")
        studio.complaints.clear()  # of requests without an answer
