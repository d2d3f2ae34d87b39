"""Someone's relation to HeavySet and to a client, from what Slack says about them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from bot.core.errors import OnboardingError, Unavailable
from bot.onboarding import Onboarding
from bot.onboarding.people import Person, Role
from bot.slack.people import Identity, User

# How many of the client's people are looked up to find their organization.
MOST_CONTACTS = 5
# How many people's memberships are cached, so that each press doesn't determine them again.
MOST_REMEMBERED = 1000


class Undecided(OnboardingError):
    """The client's organization can only be determined by looking up `people`."""

    def __init__(self, people: Sequence[str]) -> None:
        super().__init__("the client's organization is not known")
        self.people = people


@dataclass(frozen=True, slots=True)
class ExternalMembers:
    """People from other organizations in a channel; not `all` of them if there are many."""

    people: Mapping[str, User]
    all: bool

    def without(self, user_ids: Collection[str]) -> "ExternalMembers":
        kept = {user_id: user for user_id, user in self.people.items() if user_id not in user_ids}
        return replace(self, people=kept)

    @property
    def organizations(self) -> frozenset[str]:
        return frozenset(user.organization for user in self.people.values())

    @property
    def timezone(self) -> str | None:
        """The time zone of most of them, as far as Slack says."""
        zones = Counter(user.timezone for user in self.people.values() if user.timezone)
        return zones.most_common(1)[0][0] if zones else None


@dataclass(frozen=True, slots=True)
class Membership:
    """Where a person belongs.

    `person` has the team that Slack gives, if the request had none. `organizations` are the ids of
    theirs, the most specific first; without any, they may do nothing. Unless `certain`, they come
    only from the request. `contacts` is the organization of the client's people, once it has been
    looked up.
    """

    person: Person
    home: bool = False
    engineer: bool = False
    organizations: tuple[str, ...] = ()
    certain: bool = True
    contacts: str | None = None

    def role_in(self, onboarding: Onboarding) -> Role:
        """Return their role in `onboarding`, for a request from its channel.

        Until the client's organization is known, the first external person to act defines it.
        HeavySet's guests are client admins only by name, because their team is HeavySet's. Raises
        Undecided if the client's people have to be looked up first, and Unavailable if it depends
        on something that Slack didn't say.
        """
        if self.engineer:
            return Role.ENGINEER
        if not self.organizations:
            return Role.NOBODY
        if self.person.user_id in onboarding.client_admins:
            return Role.CLIENT_ADMIN
        if self.home:
            return Role.NOBODY
        client_team = onboarding.client_team or self.contacts
        if client_team is None and onboarding.client_people:
            raise Undecided(onboarding.client_people[:MOST_CONTACTS])
        if client_team is None or client_team in self.organizations:
            return Role.CLIENT_ADMIN
        if not self.certain:
            raise Unavailable("Slack does not say which organization somebody is in")
        return Role.NOBODY

    def joined_to(self, onboarding: Onboarding) -> Onboarding:
        """Return `onboarding` with their organization as the client's, if they act for the client.

        If they are named contacts but from a different organization, nothing changes.
        """
        team = onboarding.client_team or self.contacts
        if self.home or not self.organizations or (team and team not in self.organizations):
            return onboarding
        # A workspace's id is replaced by that of its Enterprise Grid organization, never back.
        theirs = self.organizations[0] if self.certain or not team else team
        return replace(onboarding, client_team=theirs)


@lru_cache(MOST_REMEMBERED)
def user_of_request(person: Person, identity: Identity) -> User | None:
    """Return what a signed request alone says about an external person; None if not enough.

    It never makes an engineer. On Enterprise Grid it is too little: another workspace may be ours.
    """
    if not person.team_id or person.team_id in identity.home or identity.enterprise_id:
        return None
    return User(person.team_id, flag="is_restricted")


@lru_cache(MOST_REMEMBERED)
def membership_of(person: Person, user: User, identity: Identity, *, certain: bool) -> Membership:
    """Return where someone belongs, from what Slack says about them, except whether an engineer."""
    ids = (user.organization, user.team_id, person.team_id) if user.is_person else ()
    return Membership(
        Person(person.user_id, person.team_id or user.team_id),
        home=user.is_home(identity),
        organizations=tuple(dict.fromkeys(one for one in ids if one)),
        certain=certain,
    )
