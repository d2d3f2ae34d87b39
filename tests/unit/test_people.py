"""Who may do what: every role with every deed, and what somebody is to an onboarding."""

import pytest

from bot.core.errors import NotAllowed
from bot.onboarding.people import REFUSALS, Deed, Role, client_role, require
from tests.builders import CLIENT_ADMIN, CLIENT_TEAM

MATRIX = {
    Deed.CLIENT_STEP: {Role.CLIENT_ADMIN, Role.ENGINEER},
    Deed.HEAVYSET_STEP: {Role.ENGINEER},
    Deed.MANAGE: {Role.ENGINEER},
    Deed.REVEAL: {Role.ENGINEER},
    Deed.GUESS: set(),
}
YES = [(role, deed) for deed in Deed for role in Role if role in MATRIX[deed]]
NO = [(role, deed) for deed in Deed for role in Role if role not in MATRIX[deed]]


def role_of(
    user_id: str = CLIENT_ADMIN,
    *,
    home: bool = False,
    organizations: tuple[str, ...] = (CLIENT_TEAM,),
    admins: tuple[str, ...] = (),
    client_team: str | None = None,
) -> Role:
    return client_role(
        user_id,
        home=home,
        organizations=organizations,
        client_admins=admins,
        client_team=client_team,
    )


@pytest.mark.parametrize(("role", "deed"), YES)
def test_who_may_is_not_kept_from_it(role: Role, deed: Deed) -> None:
    require(role, deed)


@pytest.mark.parametrize(("role", "deed"), NO)
def test_who_may_not_is_told_why(role: Role, deed: Deed) -> None:
    with pytest.raises(NotAllowed) as refused:
        require(role, deed)

    assert str(refused.value) == REFUSALS[deed]


@pytest.mark.parametrize("deed", list(Deed))
def test_a_refusal_says_who_may_or_what_to_do(deed: Deed) -> None:
    assert "engineer" in REFUSALS[deed]
    assert REFUSALS[deed].endswith(".")


def test_an_external_member_of_the_channel_is_a_client_admin() -> None:
    assert role_of() is Role.CLIENT_ADMIN


def test_a_colleague_in_the_channel_is_nobody() -> None:
    assert role_of("U0GUEST", home=True) is Role.NOBODY


def test_a_guest_of_ours_who_was_named_is_a_client_admin() -> None:
    assert role_of("U0GUEST", home=True, admins=("U0GUEST",)) is Role.CLIENT_ADMIN


def test_whom_slack_does_not_know_is_nobody_even_by_name() -> None:
    assert role_of(organizations=(), admins=(CLIENT_ADMIN,)) is Role.NOBODY


def test_an_onboarding_belongs_to_one_organization() -> None:
    assert role_of(client_team=CLIENT_TEAM) is Role.CLIENT_ADMIN
    assert role_of(client_team="T0ZENITH") is Role.NOBODY


def test_the_workspaces_of_an_enterprise_are_one_organization() -> None:
    assert role_of(organizations=("E0ACME", "T0WEST"), client_team="E0ACME") is Role.CLIENT_ADMIN


def test_who_was_named_may_act_whatever_their_organization() -> None:
    assert role_of(admins=(CLIENT_ADMIN,), client_team="T0ZENITH") is Role.CLIENT_ADMIN


def test_naming_one_admin_does_not_make_admins_of_others() -> None:
    assert role_of("U0BEN", home=True, admins=(CLIENT_ADMIN,)) is Role.NOBODY
