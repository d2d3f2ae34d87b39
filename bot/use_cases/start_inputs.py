"""Checks of what is entered to start an onboarding: the client's name, and the engineer."""

from bot.core.errors import Refused
from bot.core.typed_text import one_line
from bot.use_cases.invitees import ADDRESS
from bot.use_cases.services import InvalidInput, Request, Services
from bot.use_cases.typed_secrets import secret_in
from bot.views.ids import CLIENT_NAME, ENGINEER
from bot.views.start import LONGEST_NAME

NO_NAME = "That looks like the {label}, and everyone can see a client's name. Nothing was started."


async def checked_name(services: Services, client_name: str) -> str:
    """Return the client's name on one line; raises InvalidInput."""
    name = one_line(client_name)
    if not name:
        wanted = f"Enter the client's name (up to {LONGEST_NAME} characters)."
        raise InvalidInput({CLIENT_NAME: wanted})
    try:
        await must_be_a_name(services, name)
    except Refused as error:
        raise InvalidInput({CLIENT_NAME: str(error)}) from error
    return name


async def must_be_a_name(services: Services, name: str) -> None:
    """Raise Refused if this cannot be a client's name."""
    if len(name) > LONGEST_NAME:
        raise Refused(f"That name is {len(name)} characters; the limit is {LONGEST_NAME}.")
    if any(mark in name for mark in "<>"):
        raise Refused("A client's name can't contain mentions, links, < or >.")
    if ADDRESS.search(name):
        raise Refused(
            "There's an email address in that name. To invite somebody, run "
            "`/servicetitan start Acme Plumbing invite ann@acme.com`."
        )
    if label := await secret_in(services, name):
        raise Refused(NO_NAME.format(label=label))


async def checked_engineer(services: Services, request: Request, engineer: str) -> str:
    """Return the engineer in charge, by default the person who asks; raises InvalidInput."""
    engineer = engineer or request.person.user_id
    await must_be_engineer(services, engineer)
    return engineer


async def must_be_engineer(services: Services, engineer: str) -> None:
    """Raise InvalidInput for anybody else that a form puts in charge."""
    if not engineer or not await services.directory.is_engineer(engineer):
        text = "That person isn't a HeavySet engineer. Pick someone else."
        raise InvalidInput({ENGINEER: text})
