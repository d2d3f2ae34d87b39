"""Permissions: what each role is allowed to do, and which role a person has in an onboarding."""

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
def test_each_permission_is_granted_only_to_the_roles_in_the_matrix(permission: Permission) -> None:
    assert ALLOWED[permission] == MATRIX[permission]


@pytest.mark.parametrize("permission", list(Permission))
def test_a_refusal_says_who_is_allowed_or_what_to_do_instead(permission: Permission) -> None:
    assert re.search("engineer|I need help", REFUSALS[permission])
    assert REFUSALS[permission].endswith(".")


def test_an_external_member_of_the_channel_is_a_client_admin() -> None:
    assert role_of() is Role.CLIENT_ADMIN


def test_a_coworker_in_the_channel_has_no_role() -> None:
    assert role_of("U0GUEST", home=True) is Role.NOBODY


def test_our_own_guest_named_as_admin_is_a_client_admin() -> None:
    assert role_of("U0GUEST", home=True, admins=("U0GUEST",)) is Role.CLIENT_ADMIN


def test_a_user_unknown_to_slack_has_no_role_even_if_named_admin() -> None:
    assert role_of(organizations=(), admins=(CLIENT_ADMIN,)) is Role.NOBODY


def test_only_members_of_the_clients_organization_are_client_admins() -> None:
    assert role_of(client_team=CLIENT_TEAM) is Role.CLIENT_ADMIN
    assert role_of(client_team="T0ZENITH") is Role.NOBODY


def test_the_workspaces_of_an_enterprise_are_one_organization() -> None:
    assert role_of(organizations=("E0ACME", "T0WEST"), client_team="E0ACME") is Role.CLIENT_ADMIN


def test_a_named_admin_may_belong_to_any_organization() -> None:
    assert role_of(admins=(CLIENT_ADMIN,), client_team="T0ZENITH") is Role.CLIENT_ADMIN


def test_naming_one_admin_does_not_make_admins_of_others() -> None:
    assert role_of("U0BEN", home=True, admins=(CLIENT_ADMIN,)) is Role.NOBODY
