"""A seal fits one event, after one end, with one key."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, strategies as st

from storage.audit.seals import BEGINNING, Entry, MissingKey, Seals
from storage.keys import key_id

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
SEALS = Seals([KEY])
AT = datetime(2026, 11, 23, 9, 30, 0, 120, tzinfo=UTC)
ENTRY = Entry("a1", 1, "step_done", "U0ANN", "T0ACME", "client_admin", 3, {"b": [1], "a": "ü"}, AT)
OTHERWISE: dict[str, Any] = {
    "onboarding_id": "a2",
    "position": 2,
    "kind": "step_undone",
    "actor_user": "U0BEN",
    "actor_team": "T0OTHER",
    "actor_role": "engineer",
    "step": None,
    "detail": {"b": [1]},
    "at": AT + timedelta(microseconds=1),
}
details = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def key_of(seal: str) -> str:
    return seal.partition(":")[0].partition(".")[0]


def test_a_seal_fits_what_it_was_made_for() -> None:
    assert SEALS.fits(SEALS.seal(ENTRY, BEGINNING), ENTRY, BEGINNING)


def test_everything_of_an_event_can_be_altered_in_a_test() -> None:
    assert set(OTHERWISE) == set(Entry._fields)


@pytest.mark.parametrize("name", OTHERWISE)
def test_whatever_of_an_event_is_altered_its_seal_no_longer_fits(name: str) -> None:
    altered = ENTRY._replace(**{name: OTHERWISE[name]})

    assert not SEALS.fits(SEALS.seal(ENTRY, BEGINNING), altered, BEGINNING)


def test_after_another_end_it_does_not_fit_either() -> None:
    seal = SEALS.seal(ENTRY, BEGINNING)

    assert not SEALS.fits(seal, ENTRY, SEALS.end("a1", 1, seal))


def test_an_end_tells_how_many_events_of_whom_there_are() -> None:
    seal = SEALS.seal(ENTRY, BEGINNING)

    assert len({SEALS.end(*one, seal) for one in (("a1", 1), ("a1", 2), ("a2", 1))}) == 3


def test_a_seal_is_no_end() -> None:
    """Who knows the seals, which stand in the rows, knows no former end."""
    seal = SEALS.seal(ENTRY, BEGINNING)

    assert SEALS.end("a1", 1, seal) != seal


@given(details)
def test_the_order_of_the_keys_in_a_detail_does_not_matter(detail: Any) -> None:
    one, other = {"x": detail, "y": 1}, {"y": 1, "x": detail}
    seal = SEALS.seal(ENTRY._replace(detail=one), BEGINNING)

    assert SEALS.fits(seal, ENTRY._replace(detail=other), BEGINNING)


def test_the_same_moment_in_another_zone_is_the_same() -> None:
    there = ENTRY._replace(at=AT.astimezone(timezone(timedelta(hours=-6))))

    assert SEALS.fits(SEALS.seal(ENTRY, BEGINNING), there, BEGINNING)


def test_the_first_key_seals_and_all_check() -> None:
    seal = SEALS.seal(ENTRY, BEGINNING)
    both = Seals([OTHER_KEY, KEY])

    assert key_of(seal) == key_id(KEY)
    assert both.fits(seal, ENTRY, BEGINNING)
    assert key_of(both.seal(ENTRY, BEGINNING)) == key_id(OTHER_KEY)


def test_a_key_that_is_missing_is_named() -> None:
    with pytest.raises(MissingKey, match=key_id(KEY)):
        Seals([OTHER_KEY]).fits(SEALS.seal(ENTRY, BEGINNING), ENTRY, BEGINNING)


def test_another_key_under_the_same_name_makes_another_seal() -> None:
    forged = Seals([OTHER_KEY]).seal(ENTRY, BEGINNING).replace(key_id(OTHER_KEY), key_id(KEY))

    assert not SEALS.fits(forged, ENTRY, BEGINNING)


@pytest.mark.parametrize("seal", ["", "ü", f"{key_id(KEY)}:", f"{key_id(KEY)}:ü"])
def test_what_is_no_seal_does_not_fit(seal: str) -> None:
    try:
        assert not SEALS.fits(seal, ENTRY, BEGINNING)
    except MissingKey:
        assert key_of(seal) != key_id(KEY)
