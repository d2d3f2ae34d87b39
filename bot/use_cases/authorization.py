"""Who may do what: the requester's role, and refusals recorded in the history."""

import logging

from bot.core.english import listed
from bot.core.errors import NotAllowed, NotFound, OnboardingError, Refused, Unavailable
from bot.core.mrkdwn import mention
from bot.guide import Owner
from bot.onboarding import Event, EventKind, Onboarding
from bot.onboarding.people import Actor, Person, Role
from bot.onboarding.permissions import ALLOWED, REFUSALS, Permission
from bot.onboarding.throttling import REFUSALS_KEPT
from bot.slack.membership import Membership
from bot.use_cases.services import Request, Services
from bot.views.ids import FormRef
from storage import event_log, history

log = logging.getLogger(__name__)

TO_ACT_FOR = {
    Owner.CLIENT: Permission.CLIENT_STEP,
    Owner.HEAVYSET: Permission.HEAVYSET_STEP,
}
MOST_NAMED = 3  # contacts to name to someone who may not act


class Denied(OnboardingError):
    """Somebody lacks `permission`; `refusal` is what they are told."""

    def __init__(self, permission: Permission, refusal: Refused) -> None:
        super().__init__(str(refusal))
        self.permission, self.refusal = permission, refusal


def actor_in(
    onboarding: Onboarding, channel: str, member: Membership, permission: Permission
) -> Actor:
    """Return the person in their role, if they have `permission` in a request from `channel`.

    Raises Denied; Undecided and Unavailable as `Membership.role_in`.
    """
    if channel != onboarding.channel:
        raise Denied(permission, NotFound("That button belongs to another channel."))
    role = member.role_in(onboarding)
    if role in ALLOWED[permission]:
        return Actor(member.person.user_id, member.person.team_id, role)
    text = REFUSALS[permission]
    if permission is Permission.CLIENT_STEP:
        contacts = [mention(one) for one in onboarding.client_people[:MOST_NAMED]]
        people = listed([*contacts, mention(onboarding.engineer)], "or")
        text = f"{text} Please ask {people}."
    elif permission is Permission.REOPEN:
        text = f"{text} Please ask {mention(onboarding.engineer)}."
    raise Denied(permission, NotAllowed(text))


def permission_for_step(onboarding: Onboarding, number: int) -> Permission:
    """Return the permission needed to do a step; raises NotFound. Each phase is one side's work."""
    return TO_ACT_FOR[onboarding.guide.phase_of(onboarding.step(number).number).owner]


async def record_denial(services: Services, person: Person, onboarding_id: str, it: Denied) -> None:
    """Write a refusal in the history, unless the same was refused within the hour."""
    actor = Actor(person.user_id, person.team_id, Role.NOBODY)
    detail = {"deed": it.permission.value, "reason": type(it.refusal).__name__}
    event = Event(EventKind.REFUSED, actor, services.clock(), None, detail)
    if await services.read(event_log.has_refusal, onboarding_id, event, REFUSALS_KEPT.within):
        return
    async with services.database.begin() as session:
        await history.record(session, onboarding_id, event)


async def must_have_opened(services: Services, request: Request, ref: FormRef) -> None:
    """Raise Refused unless the submitter of a form opened it and is still in its channel."""
    person = request.person
    if not await opened(services, person, ref):
        log.warning("someone else's form was submitted", extra={"user": person.user_id})
        raise Refused("Someone else opened this form. Please open your own.")
    if ref.channel and not await services.directory.is_still_in(ref.channel, person):
        log.warning("a submitter has left the channel", extra={"user": person.user_id})
        raise Refused("You're no longer in this channel, so nothing was changed.")


async def opened(services: Services, person: Person, ref: FormRef) -> bool:
    """Whether `person` opened a window.

    On Enterprise Grid, a command has the workspace's team, and a form the person's own
    (bolt-js#1875): the same id at home, or in the same organization, is the same person.
    """
    if person.user_id != ref.user_id:
        return False
    if person.team_id == ref.team_id:
        return True
    member = await services.directory.membership(person)
    if member.home or ref.team_id in ("", *member.organizations):
        return True
    if not member.certain:
        raise Unavailable("Slack does not say which organization somebody is in")
    return False
