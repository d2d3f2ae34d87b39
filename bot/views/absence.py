"""Texts about absent engineers: for themselves, and for the engineering channel."""

from collections.abc import Iterable

from bot.core.english import count
from bot.core.mrkdwn import mention, when
from bot.onboarding.assignment import Absence
from bot.views.blocks import Message, bullets_of, message, section


def away_slot(absence: Absence) -> str:
    return f"away:{absence.engineer}:{absence.since.isoformat()}"


def back_slot(absence: Absence) -> str:
    return f"back:{absence.engineer}:{absence.since.isoformat()}"


def away_message(absence: Absence, colleague: str, clients: int) -> Message:
    """Return the engineering channel's line about who is away, and who covers."""
    has = f"their {count(clients, 'open client')}" if clients else "any new clients of theirs"
    text = (
        f"🏖️ {mention(absence.engineer)} is away until {when(absence.until)}. "
        f"{mention(colleague)} has {has} until then."
    )
    return message("", away_slot(absence), [section(text)])


def back_message(absence: Absence, clients: int, *, left: bool) -> Message:
    """Return the line about an engineer who is back; `left`: who isn't an engineer anymore."""
    engineer, colleague = mention(absence.engineer), mention(absence.colleague)
    text = f"👋 {engineer} is back and has {count(clients, 'open client')}. Thanks, {colleague}!"
    if left:
        text = (
            f"👋 {engineer} was away and isn't a HeavySet engineer anymore, so their clients stay "
            f"with {colleague}."
        )
    return message("", back_slot(absence), [section(text)])


def is_away_text(absence: Absence, clients: int) -> str:
    """Return the text for an engineer about their own absence."""
    has = f"your {count(clients, 'open client')}" if clients else "any new clients of yours"
    return (
        f"You're away until {when(absence.until)}. {mention(absence.colleague)} has {has} until "
        "then. Back sooner? Type `/servicetitan back`."
    )


def nobody_away_text(others: Iterable[Absence]) -> str:
    """Return how to set an absence, and who else is away."""
    text = "You aren't away. For example: `/servicetitan away until Monday @colleague`"
    lines = [
        f"{mention(one.engineer)} until {when(one.until)}, {mention(one.colleague)} covers"
        for one in others
    ]
    return f"{text}\nAway now:\n{bullets_of(lines)}" if lines else text
