"""Checks the input that starts an onboarding: the client's name, and the engineer."""

import difflib

from bot.core.errors import Refused
from bot.core.mrkdwn import escape
from bot.core.typed_text import folded, one_line
from bot.guide import Guide
from bot.use_cases.invitees import ADDRESS
from bot.use_cases.lookup import must_be_no_secret
from bot.use_cases.services import InvalidInput, Request, Services
from bot.use_cases.typed_secrets import secret_in
from bot.views.ids import CLIENT_NAME, ENGINEER, GUIDE
from bot.views.start import LONGEST_NAME


async def checked_name(services: Services, client_name: str) -> str:
    """Return the client's name on one line; raises InvalidInput."""
    name = one_line(client_name)
    if not name:
        wanted = f"Enter the client's name (up to {LONGEST_NAME} characters)."
        raise InvalidInput({CLIENT_NAME: wanted})
    await must_be_a_name(services, name)
    return name


async def must_be_a_name(services: Services, name: str) -> None:
    """Raise InvalidInput if this cannot be a client's name."""
    if len(name) > LONGEST_NAME:
        problem = f"That name is {len(name)} characters; the limit is {LONGEST_NAME}."
    elif any(mark in name for mark in "<>"):
        problem = "A client's name can't contain mentions, links, < or >."
    elif ADDRESS.search(name):
        problem = (
            "There's an email address in that name. To invite somebody, run "
            "`/servicetitan start Acme Plumbing invite ann@acme.com`."
        )
    elif label := await secret_in(services, name):
        problem = (
            f"That looks like the {label}, and everyone can see a client's name. Nothing was "
            "started."
        )
    else:
        return
    raise InvalidInput({CLIENT_NAME: problem})


def guide_named(services: Services, guide_id: str) -> Guide:
    """Return the guide with this id, by default the first; raises Refused if none is offered."""
    store = services.database.guides
    guides = {guide.id: guide for guide in store.offered}
    if not guide_id:
        return store.default
    typed = folded(guide_id).replace("-", "_")
    if guide := guides.get(typed):
        return guide
    must_be_no_secret(services, guide_id)
    nearest = difflib.get_close_matches(typed, guides, n=1)
    hint = f" Did you mean `{nearest[0]}`?" if nearest else ""
    if any(guide.id == typed for guide in store.all):
        hint = " To offer it, the operator has to set SERVICETITAN_APPLICATION_KEY."
    known = "\n".join(f"• `{guide.id}`: {escape(guide.title)}" for guide in guides.values())
    raise Refused(f"I don't know the guide “{escape(guide_id)}”.{hint}\n{known}")


def checked_guide(services: Services, guide_id: str) -> Guide:
    """Return the guide chosen in a form; raises InvalidInput."""
    try:
        return guide_named(services, guide_id)
    except Refused:
        raise InvalidInput({GUIDE: "This guide isn't offered anymore. Pick another one."}) from None


async def checked_engineer(services: Services, request: Request, engineer: str) -> str:
    """Return the engineer in charge, by default the person who asks; raises InvalidInput."""
    engineer = engineer or request.person.user_id
    await must_be_engineer(services, engineer)
    return engineer


async def must_be_engineer(services: Services, engineer: str) -> None:
    """Raise InvalidInput if a form puts someone in charge who isn't an engineer."""
    if not engineer or not await services.directory.is_engineer(engineer):
        text = "That person isn't a HeavySet engineer. Pick someone else."
        raise InvalidInput({ENGINEER: text})
