"""A seal is valid for one event, after one end of the history, under one key."""

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
ALTERED: dict[str, Any] = {
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


def test_a_seal_verifies_the_event_it_was_made_for() -> None:
    assert SEALS.fits(SEALS.seal(ENTRY, BEGINNING), ENTRY, BEGINNING)


def test_the_tampering_cases_cover_every_field_of_an_event() -> None:
    assert set(ALTERED) == set(Entry._fields)


@pytest.mark.parametrize("name", ALTERED)
def test_altering_any_field_of_an_event_invalidates_its_seal(name: str) -> None:
    altered = ENTRY._replace(**{name: ALTERED[name]})

    assert not SEALS.fits(SEALS.seal(ENTRY, BEGINNING), altered, BEGINNING)


def test_a_seal_does_not_verify_after_a_different_end() -> None:
    seal = SEALS.seal(ENTRY, BEGINNING)

    assert not SEALS.fits(seal, ENTRY, SEALS.end("a1", 1, seal))


def test_an_end_depends_on_the_onboarding_and_its_number_of_events() -> None:
    seal = SEALS.seal(ENTRY, BEGINNING)

    assert len({SEALS.end(*position, seal) for position in (("a1", 1), ("a1", 2), ("a2", 1))}) == 3


def test_the_end_after_an_event_differs_from_its_seal() -> None:
    """The seals are stored in the rows; knowing them must not reveal an earlier end."""
    seal = SEALS.seal(ENTRY, BEGINNING)

    assert SEALS.end("a1", 1, seal) != seal


@given(details)
def test_the_order_of_the_keys_in_a_detail_does_not_matter(detail: Any) -> None:
    first, second = {"x": detail, "y": 1}, {"y": 1, "x": detail}
    seal = SEALS.seal(ENTRY._replace(detail=first), BEGINNING)

    assert SEALS.fits(seal, ENTRY._replace(detail=second), BEGINNING)


def test_a_seal_does_not_depend_on_the_time_zone_of_the_event() -> None:
    in_other_zone = ENTRY._replace(at=AT.astimezone(timezone(timedelta(hours=-6))))

    assert SEALS.fits(SEALS.seal(ENTRY, BEGINNING), in_other_zone, BEGINNING)


def test_the_first_key_seals_and_every_key_verifies() -> None:
    seal = SEALS.seal(ENTRY, BEGINNING)
    both = Seals([OTHER_KEY, KEY])

    assert key_of(seal) == key_id(KEY)
    assert both.fits(seal, ENTRY, BEGINNING)
    assert key_of(both.seal(ENTRY, BEGINNING)) == key_id(OTHER_KEY)


def test_a_missing_key_is_named_in_the_error() -> None:
    with pytest.raises(MissingKey, match=key_id(KEY)):
        Seals([OTHER_KEY]).fits(SEALS.seal(ENTRY, BEGINNING), ENTRY, BEGINNING)


def test_a_seal_forged_with_another_key_under_the_same_id_is_invalid() -> None:
    forged = Seals([OTHER_KEY]).seal(ENTRY, BEGINNING).replace(key_id(OTHER_KEY), key_id(KEY))

    assert not SEALS.fits(forged, ENTRY, BEGINNING)


@pytest.mark.parametrize("seal", ["", "ü", f"{key_id(KEY)}:", f"{key_id(KEY)}:ü"])
def test_a_malformed_seal_does_not_verify(seal: str) -> None:
    try:
        assert not SEALS.fits(seal, ENTRY, BEGINNING)
    except MissingKey:
        assert key_of(seal) != key_id(KEY)
