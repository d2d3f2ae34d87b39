"""Finds the client that a command names."""

from collections.abc import Sequence

from bot.core.errors import Refused
from bot.core.mrkdwn import channel_link, escape
from bot.onboarding import Onboarding
from bot.onboarding.secret_scan import looks_like
from bot.use_cases.services import Services
from bot.use_cases.slash_command import Named
from bot.views.blocks import bullets_of
from storage import onboardings
from storage.to_rows import client_key


async def client_of(
    services: Services, channel: str, words: str, *, finished: bool = False
) -> Onboarding:
    """Return the onboarding that `words` name, or the one that runs in `channel`.

    `finished` includes those that have ended. Raises Refused unless exactly one is meant.
    """
    named, guides = Named.of(words), services.guides
    name, channel = named.name, named.channel or channel
    must_be_no_secret(services, name)
    async with services.database.begin(write=False) as session:
        if name:
            found = await onboardings.named(
                session, guides, name, channel=channel, finished=finished
            )
            if not found and not named.channel:
                found = await onboardings.named(session, guides, name, finished=finished)
        else:
            found = await onboardings.running_in(session, guides, channel)
            if not found and finished:
                last = await onboardings.newest_in(session, guides, channel)
                found = [last] if last else []
    return _the_only(found, name, finished=finished)


def must_be_no_secret(services: Services, words: str) -> None:
    """Raise Refused for what looks like a secret: an answer would repeat what was typed."""
    guide = services.guides.newest
    if shaped := looks_like(words, guide.credentials):
        label = guide.field(shaped[0]).label
        raise Refused(f"That looks like the {label}, not a client.")


def _the_only(found: Sequence[Onboarding], name: str, *, finished: bool) -> Onboarding:
    if not found and name:
        raise Refused(f"No client matches “{escape(name)}”.")
    if not found:
        raise Refused(
            "No active onboarding in this channel. Run this in the client's channel, or add the "
            "client's name."
        )
    if len(found) == 1:
        return found[0]
    if finished and len({client_key(one.client_name) for one in found}) == 1:
        return found[0]  # the same client's earlier ones: the newest is meant
    clients = bullets_of(
        f"{escape(one.client_name)} in {channel_link(one.channel)}" for one in found
    )
    raise Refused(f"Which one? Please be more specific:\n{clients}")
