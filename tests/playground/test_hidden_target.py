"""Games of hidden targets: made from their seed alone, and fair in their places."""

import numpy as np
import pytest

from eyespot.errors import UsageError
from eyespot.playground.hidden_target import (
    DIFFICULTIES,
    MOST_LOOKS,
    RINGS,
    ROUNDS,
    make_scene,
    model_search,
)
from eyespot.playground.textures import STRENGTH, contrast_for
from eyespot.tasks.search.observer import triangular_grid


def test_a_scene_follows_from_its_seed() -> None:
    one, same = make_scene(3, 1, "stone"), make_scene(3, 1, "stone")
    np.testing.assert_array_equal(one.texture, same.texture)
    np.testing.assert_array_equal(one.patch, same.patch)
    assert one.place == same.place
    other = make_scene(4, 1, "stone")
    assert np.abs(one.texture - other.texture).max() > 0.1
    assert np.abs(one.patch - other.patch).max() > 0.1


def test_the_texture_does_not_move_the_target() -> None:
    one, other = make_scene(3, 1, "stone"), make_scene(3, 1, "wood")
    assert one.place == other.place
    assert np.abs(one.texture - other.texture).max() > 0.1


@pytest.mark.parametrize("seed", [0, 1, 999_999])
def test_each_ring_hides_two_targets_of_a_game(seed: int) -> None:
    places = triangular_grid()
    order = np.argsort(np.hypot(*places.T), kind="stable")
    ranks = {place: rank * RINGS // len(places) for rank, place in enumerate(order)}
    scenes = [make_scene(seed, round, "stone") for round in range(ROUNDS)]
    assert sorted(ranks[scene.place] for scene in scenes) == sorted([*range(RINGS)] * 2)
    shapes = [scene.patch / np.abs(scene.patch).max() for scene in scenes]
    for shape in shapes:
        np.testing.assert_allclose(shape, shapes[0], atol=1e-12)


def test_a_target_has_the_same_detectability_in_each_texture() -> None:
    for texture in ("sand", "clouds"):
        scene = make_scene(0, 0, texture)
        assert contrast_for(scene.patch, scene.texture, STRENGTH) == pytest.approx(1)


def test_the_model_follows_from_the_seed_and_needs_longer_where_it_sees_less() -> None:
    means = {}
    for difficulty in DIFFICULTIES:
        looks = []
        for round in range(ROUNDS):
            place = make_scene(5, round, "stone").place
            one, same = (model_search(5, round, place, difficulty) for _ in range(2))
            np.testing.assert_array_equal(one.fixations, same.fixations)
            assert 1 <= len(one.fixations) <= MOST_LOOKS
            np.testing.assert_array_equal(one.fixations[0], [0, 0])
            looks.append(len(one.fixations))
        means[difficulty] = np.mean(looks)
    assert means["hard"] > 1.5 * means["easy"]


def test_unknown_names_are_errors() -> None:
    with pytest.raises(UsageError, match=r"texture to be stone or sand or .*, found 'velvet'"):
        make_scene(0, 0, "velvet")
    with pytest.raises(UsageError, match=r"difficulty to be easy or hard, found 'no'"):
        model_search(0, 0, 0, "no")
