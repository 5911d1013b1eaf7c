"""Values, counts and lists as messages show them."""

import errno

import pytest

from eyespot.shown import counted, listed, reason_of, sentence


@pytest.mark.parametrize(
    ("names", "text"),
    [("", ""), ("a", "a"), ("ab", "a and b"), ("abc", "a, b and c"), ("abcd", "a, b and 2 more")],
)
def test_a_list_of_names(names: str, text: str) -> None:
    assert listed(names, most=2) == text


def test_a_count_has_separators_and_a_plural() -> None:
    assert [counted(n, "photo") for n in (0, 1, 1387)] == ["0 photos", "1 photo", "1,387 photos"]


def test_a_system_error_shows_neither_number_nor_path() -> None:
    assert reason_of(OSError(errno.ENOENT, "No such file", "a\x1b.jpg")) == "No such file"
    assert reason_of(ValueError("null byte")) == "null byte"
    assert sentence(reason_of(ValueError("null byte."))) == "null byte."
