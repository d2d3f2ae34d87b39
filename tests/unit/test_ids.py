"""Button values and form metadata survive a round trip; anything not written by us is refused."""

import pytest

from bot.core.errors import Malformed
from bot.views.ids import FormRef, StepRef
from tests.builders import CHANNEL, CLIENT_ADMIN, ENGINEER, HOME_TEAM, an_onboarding
from tests.unit.rendering import credentials_modal_at

STARTING = FormRef(CHANNEL, ENGINEER, HOME_TEAM)


@pytest.mark.parametrize("ref", [STARTING, FormRef("C1", "U1", "T1", "abc", 18, ("tenant_id",))])
def test_form_metadata_survives_a_round_trip(ref: FormRef) -> None:
    again = FormRef.parse(str(ref))

    assert (again.channel, again.user_id, again.team_id) == (ref.channel, ref.user_id, ref.team_id)
    assert (again.onboarding_id, again.step, tuple(again.fields)) == (
        ref.onboarding_id,
        ref.step,
        tuple(ref.fields),
    )


def test_the_credentials_modal_carries_who_opened_it() -> None:
    view = credentials_modal_at(an_onboarding(at_step=18), 18)

    assert FormRef.parse(view["private_metadata"]).user_id == CLIENT_ADMIN


@pytest.mark.parametrize("value", ["", "{", "[]", "null", '{"channel": "C1"}', '{"other": 1}', "3"])
def test_foreign_form_metadata_is_rejected_as_malformed(value: str) -> None:
    with pytest.raises(Malformed):
        FormRef.parse(value)


@pytest.mark.parametrize(
    "ref", [StepRef("abc", 7), StepRef("abc", 0), StepRef("abc", 18, ("tenant_id", "client_id"))]
)
def test_a_button_value_survives_a_round_trip(ref: StepRef) -> None:
    assert StepRef.parse(str(ref)) == ref


@pytest.mark.parametrize("value", ["", "abc", "abc:", ":7", "abc:seven", "abc:-1", "abc:7²"])
def test_a_foreign_button_value_is_rejected_as_malformed(value: str) -> None:
    with pytest.raises(Malformed):
        StepRef.parse(value)
