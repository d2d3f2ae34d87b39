"""Finds the client that a command names."""

import re
from collections.abc import Sequence

from bot.core.errors import Refused
from bot.core.mrkdwn import channel_link, escape
from bot.onboarding import Onboarding
from bot.onboarding.secret_scan import shaped
from bot.use_cases.services import Services
from bot.use_cases.slash_command import Named
from bot.views.blocks import bullets_of
from bot.views.reply_texts import refusal_text
from storage import onboardings
from storage.to_rows import client_key

# What separates the names in a list of clients.
BETWEEN = re.compile(r"\s*[,;]+\s*(?:(?:and|&)\s+)?|\s+(?:and|&|\+)\s+", re.IGNORECASE)
MOST_LISTED, LONGEST_NAME = 30, 4


async def client_of(
    services: Services, channel: str, words: str, *, finished: bool = False
) -> Onboarding:
    """Return the onboarding that `words` name, or the one that is running in `channel`.

    `finished` includes those that have ended. Raises Refused unless exactly one matches.
    """
    named = Named.of(words)
    name, channel = named.name, named.channel or channel
    must_be_no_secret(services, name)
    if name:
        found = await services.read(onboardings.named, name, channel=channel, finished=finished)
        if not found and not named.channel:
            found = await services.read(onboardings.named, name, finished=finished)
    else:
        found = await services.read(onboardings.running_in, channel)
        if not found and finished:
            last = await services.read(onboardings.newest_in, channel)
            found = [last] if last else []
    return _the_only(found, name, finished=finished)


async def clients_of(
    services: Services, channel: str, words: str
) -> tuple[Sequence[Onboarding], Sequence[str]]:
    """Return the running onboardings that `words` list, and why other names match none.

    A name may contain commas and “and”, so the longest part that is a name is used.
    """
    try:
        return [await client_of(services, channel, words)], []
    except Refused as refusal:
        parts = _parts(words)[:MOST_LISTED]
        if len(parts) < 2:
            raise
        whole = refusal
    found: dict[str, Onboarding] = {}
    unknown: list[str] = []
    while parts:
        for length in range(min(len(parts), LONGEST_NAME), 0, -1):
            name = words[parts[0][0] : parts[length - 1][1]]
            try:
                client = await client_of(services, channel, name)
            except Refused as refusal:
                whole = refusal
                continue
            found[client.id] = client
            parts = parts[length:]
            break
        else:
            unknown.append(_why(whole, words[slice(*parts[0])]))
            parts = parts[1:]
    return list(found.values()), unknown


def _parts(words: str) -> list[tuple[int, int]]:
    """Return where the parts of a list begin and end."""
    between = [found.span() for found in BETWEEN.finditer(words)]
    starts, ends = [0, *(end for _, end in between)], [*(start for start, _ in between), len(words)]
    return [(start, end) for start, end in zip(starts, ends, strict=True) if start < end]


def _why(refusal: Refused, name: str) -> str:
    """Return in one line why `name` isn't a client."""
    text = refusal_text(refusal)
    return f"“{escape(name)}” could be several clients." if "\n" in text else text


def must_be_no_secret(services: Services, words: str) -> None:
    """Raise Refused for text that looks like a secret: the reply would repeat it."""
    fields = services.database.guides.fields
    if found := shaped(words, fields):
        label = next(field.label for field in fields if field.id in found)
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
