"""What people see when something is refused, unavailable or broken.

Nothing here logs what was received: a body may contain a secret.
"""

import logging
import uuid

from bot.core.errors import OnboardingError, Refused, Unavailable, UnreadableRow
from bot.slack import SlackRefused
from bot.views.reply_texts import refusal_text

log = logging.getLogger(__name__)


def explain(error: Exception) -> str:
    """Return the text about `error` for a person, and log the rest."""
    match error:
        case Refused():
            return refusal_text(error)
        case SlackRefused() if "trigger" in error.code:  # it was older than three seconds, or used
            return "Slack took too long to open the window. Please try again."
        case UnreadableRow():  # already logged
            return (
                "I can't open this setup right now: something in our records needs fixing. Nothing "
                "is lost. Please tell your HeavySet engineer."
            )
        case Unavailable():
            log.warning("a request could not be answered", extra={"reason": str(error)})
            return "Sorry, I couldn't do that just now. Please try again."
        case OnboardingError():
            log.error("a request failed", extra={"reason": str(error)})
        case _:
            log.error("unexpected error", exc_info=error)
    reference = uuid.uuid4().hex[:8]
    log.error("a person was shown an error code", extra={"reference": reference})
    return (
        "Something went wrong on our end. Please give your HeavySet engineer this code: "
        f"{reference}."
    )
