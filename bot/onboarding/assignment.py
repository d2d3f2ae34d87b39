"""Transitions of who is in charge: which engineer an onboarding is assigned to."""

from datetime import datetime

from bot.core.errors import Refused
from bot.onboarding.events import Event, EventKind
from bot.onboarding.people import Actor, UserRef
from bot.onboarding.state import Onboarding
from bot.onboarding.transitions import Change, changed, must_be_running


def assign(
    onboarding: Onboarding,
    engineer: str,
    actor: Actor,
    now: datetime,
    email: str = "",
    *,
    others: int = 0,
    quiet: bool = False,
) -> Change:
    """Put another engineer in charge; `email` is theirs, if Slack tells.

    Of several clients that change hands at once, the first is announced with the number of
    `others`, which are `quiet`.
    """
    must_be_running(onboarding)
    if engineer == onboarding.engineer:
        raise Refused("{engineer} already has this one.", engineer=UserRef(engineer))
    detail = {
        "from": onboarding.engineer,
        "to": engineer,
        **({"email": email} if email else {}),
        **({"others": others} if others else {}),
    }
    event = Event(EventKind.ASSIGNED, actor, now, None, detail, quiet=quiet)
    return changed(
        onboarding, onboarding.active_at, [event], engineer=engineer, engineer_email=email
    )
