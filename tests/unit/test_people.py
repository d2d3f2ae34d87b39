"""Who may do what: every role with every permission, and what somebody is to an onboarding."""

import re
from dataclasses import replace

import pytest

from bot.onboarding.people import Person, Role
from bot.onboarding.permissions import ALLOWED, REFUSALS, Permission
from bot.slack.membership import Membership
from tests.builders import CLIENT_ADMIN, CLIENT_TEAM, an_onboarding

MATRIX = {
    Permission.CLIENT_STEP: {Role.CLIENT_ADMIN, Role.ENGINEER},
    Permission.HEAVYSET_STEP: {Role.ENGINEER},
    Permission.MANAGE: {Role.ENGINEER},
    Permission.REVEAL: {Role.ENGINEER},
    Permission.REOPEN: {Role.ENGINEER},
    Permission.GUESS: set(),
}


def role_of(
    user_id: str = CLIENT_ADMIN,
    *,
    home: bool = False,
    organizations: tuple[str, ...] = (CLIENT_TEAM,),
    admins: tuple[str, ...] = (),
    client_team: str | None = None,
) -> Role:
    onboarding = replace(an_onboarding(), client_admins=admins, client_team=client_team)
    member = Membership(Person(user_id, ""), home=home, organizations=organizations)
    return member.role_in(onboarding)


@pytest.mark.parametrize("permission", list(Permission))
def test_a_permission_is_that_of_these_roles_alone(permission: Permission) -> None:
    assert ALLOWED[permission] == MATRIX[permission]


@pytest.mark.parametrize("permission", list(Permission))
def test_a_refusal_says_who_may_or_what_to_do(permission: Permission) -> None:
    assert re.search("engineer|I need help", REFUSALS[permission])
    assert REFUSALS[permission].endswith(".")


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
