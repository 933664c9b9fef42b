"""Identity numbers: the standard's own arithmetic, every slip of a finger caught, nobody old refused."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.people.citizen_id import BadCitizenId, age_on, check_digit, masked, read_citizen_id

TODAY = dt.date(2026, 11, 22)
#: The example printed in GB 11643-1999.
PRINTED = "11010519491231002X"

births = st.dates(dt.date(1900, 1, 1), TODAY)
bodies = st.builds(
    lambda region, birth, serial: f"{region:06}{birth:%Y%m%d}{serial:03}",
    st.integers(100000, 999999),
    births,
    st.integers(0, 999),
)
numbers = bodies.map(lambda body: body + check_digit(body))


def fault_of(number: str, on: dt.date = TODAY) -> str:
    with pytest.raises(BadCitizenId) as caught:
        read_citizen_id(number, on)
    return caught.value.fault


def test_the_number_printed_in_the_standard_passes() -> None:
    read = read_citizen_id(PRINTED, TODAY)
    assert (read.number, read.birth_date, read.sex) == (PRINTED, dt.date(1949, 12, 31), "female")


@given(numbers)
def test_a_right_number_passes_and_says_birth_and_sex(number: str) -> None:
    read = read_citizen_id(number, TODAY)
    assert read.birth_date.strftime("%Y%m%d") == number[6:14]
    assert read.sex == ("male" if int(number[16]) % 2 else "female")


@given(bodies)
def test_the_last_place_is_mod_11_2_of_iso_7064(body: str) -> None:
    number = body + check_digit(body)
    values = [10 if c == "X" else int(c) for c in number]
    assert sum(value * 2**place for place, value in enumerate(reversed(values))) % 11 == 1


@given(numbers, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_one_wrong_place_is_always_caught(number: str, place: int, wrong: str) -> None:
    if number[place] != wrong:
        changed = number[:place] + wrong + number[place + 1 :]
        assert fault_of(changed) in ("characters", "date", "future", "check")


@given(numbers, st.integers(0, 16))
def test_two_swapped_neighbours_are_always_caught(number: str, place: int) -> None:
    if number[place] != number[place + 1]:
        swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
        assert fault_of(swapped) in ("characters", "date", "future", "check")


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_never_worse(text: str) -> None:
    with contextlib.suppress(BadCitizenId):
        assert len(read_citizen_id(text, TODAY).number) == 18


@pytest.mark.parametrize(
    ("given_number", "fault"),
    [
        ("", "length"),
        (PRINTED[:-1], "length"),
        ("110105491231002", "length"),  # the fifteen places of the first generation
        ("01010519491231002X", "characters"),
        ("1101051949123100XX", "characters"),
        ("110105194913310026", "date"),
        ("110105194902290029", "date"),
        ("110105189912310027", "date"),
        ("110105209912310020", "future"),
        ("110105194912310021", "check"),
    ],
)
def test_each_fault_has_its_name(given_number: str, fault: str) -> None:
    assert fault_of(given_number) == fault


def test_full_width_digits_spaces_and_a_small_x_are_fine() -> None:
    typed = " １１０１０５ 19491231 002x "
    assert read_citizen_id(typed, TODAY).number == PRINTED


def test_county_codes_of_long_ago_and_residence_permits_pass() -> None:
    for region in ("330901", "810000", "820000", "830000"):
        body = f"{region}19400101001"
        assert read_citizen_id(body + check_digit(body), TODAY).birth_date.year == 1940


def test_nobody_is_born_after_the_visit() -> None:
    assert fault_of(PRINTED, on=dt.date(1949, 12, 30)) == "future"
    assert read_citizen_id(PRINTED, on=dt.date(1949, 12, 31))


def test_what_is_shown_hides_the_birth_date() -> None:
    assert masked("330901194105021234") == "330901********1234"


@pytest.mark.parametrize(("day", "age"), [("2026-05-01", 84), ("2026-05-02", 85), ("2026-11-22", 85)])
def test_age_counts_whole_years(day: str, age: int) -> None:
    assert age_on(dt.date(1941, 5, 2), dt.date.fromisoformat(day)) == age
