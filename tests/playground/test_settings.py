from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyespot.errors import UsageError
from eyespot.playground.functions import ACTIVATIONS, FEATURES
from eyespot.playground.points import CLASSIFICATION, REGRESSION
from eyespot.playground.settings import RANGES, Settings
from eyespot.training.schedules import SCHEDULES

NAMES = list(Settings.__dataclass_fields__)


def number(name: str) -> st.SearchStrategy[Any]:
    low, high = RANGES[name]
    if isinstance(getattr(Settings(), name), int):
        return st.integers(int(low), int(high))
    return st.floats(low, high)


@st.composite
def all_settings(draw: st.DrawFn) -> Settings:
    problem = draw(st.sampled_from(["classification", "regression"]))
    is_classes = problem == "classification"
    sets = CLASSIFICATION if is_classes else REGRESSION
    place = st.floats(-6, 6)
    target = st.sampled_from([-1.0, 1.0]) if is_classes else st.floats(-1, 1)
    numbers = {name: draw(number(name)) for name in RANGES}
    return Settings(
        problem=problem,
        data=draw(st.sampled_from([*sets, "own"])),
        features=tuple(draw(st.lists(st.sampled_from(list(FEATURES)), min_size=1, unique=True))),
        hidden=tuple(draw(st.lists(st.integers(1, 8), max_size=6))),
        activation=draw(st.sampled_from(list(ACTIVATIONS))),
        schedule=draw(st.sampled_from(list(SCHEDULES))),
        batch_norm=draw(st.booleans()) and numbers["batch_size"] > 1,
        own=tuple(draw(st.lists(st.tuples(place, place, target), max_size=4))),
        **numbers,
    )


@given(all_settings())
def test_settings_come_back_from_their_address(settings: Settings) -> None:
    texts = settings.to_dict()
    assert all(isinstance(text, str) for text in texts.values())
    assert Settings.from_dict(texts) == settings


def test_the_address_is_short() -> None:
    assert Settings().to_dict() == {}
    settings = Settings(
        learning_rate=0.1, hidden=(), features=("x", "xy"), batch_norm=True, own=((1, -2.5, 1),)
    )
    assert settings.to_dict() == {
        "learning_rate": "0.1",
        "hidden": "",
        "features": "x,xy",
        "batch_norm": "1",
        "own": "1,-2.5,1",
    }


values = st.one_of(
    st.text(),
    st.sampled_from(["nan", "inf", "-1", "1e999", "9" * 5000, "4,,2", "x,x", ";", "1,2", "\0", ""]),
    st.text("0123456789.,;-e"),
    st.none() | st.integers() | st.lists(st.text()),
)


@given(st.dictionaries(st.sampled_from(NAMES) | st.text(), values))
def test_garbage_is_refused_and_never_crashes(texts: dict[str, Any]) -> None:
    try:
        settings = Settings.from_dict(texts)
    except UsageError as error:
        said = str(error)
    else:
        assert Settings.from_dict(settings.to_dict()) == settings
        return
    assert len(said) < 400


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"colour": "red"}, "There is no setting 'colour'. Choose among: problem, data"),
        ({"activation": "swish"}, "activation cannot be 'swish'. Choose among: sigmoid, tanh"),
        ({"data": "plane"}, "data cannot be 'plane'. Choose among: circle, xor, gauss"),
        ({"problem": "regression", "data": "xor"}, "Choose among: plane, gauss, own"),
        ({"features": "x,z"}, "features cannot be 'z'"),
        ({"features": ""}, "at least one feature"),
        ({"features": "x,x"}, "each only once"),
        ({"noise": "0.6"}, "noise must be from 0 to 0.5, not 0.6"),
        ({"learning_rate": "nan"}, "learning_rate must be from 1e-05 to 10, not nan"),
        ({"seed": "1.5"}, "seed cannot be '1.5'. An example: 0"),
        ({"hidden": "1,2,3,4,5,6,7"}, "at most 6 hidden layers, not 7"),
        ({"hidden": "9"}, "1 to 8 units, not 9"),
        ({"hidden": "4;2"}, "hidden cannot be '4;2'. An example: 4,2"),
        ({"batch_norm": "yes"}, "batch_norm cannot be 'yes'. An example: 1"),
        ({"batch_norm": "1", "batch_size": "1"}, "raise batch_size"),
        ({"own": "1,2"}, "own cannot be '1,2'. An example: -1.5,2,1"),
        ({"own": "7,0,1"}, "7,0,1 does not"),
        ({"own": "nan,0,1"}, "nan,0,1 does not"),
        ({"own": "1,0,0.5"}, "The target of a class is -1 or 1, not 0.5"),
        ({"own": ";".join(["0,0,1"] * 501)}, "at most 500 own points, not 501"),
        ({"hidden": "4" + " " * 40_000}, "hidden cannot be '4  "),
    ],
)
def test_what_is_out_of_its_limits_is_refused_in_words(texts: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        Settings.from_dict(texts)
    assert said in str(caught.value)
