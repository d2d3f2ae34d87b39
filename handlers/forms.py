"""How a submitted form is acknowledged: it closes, or stays open and says why."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from slack_bolt.async_app import AsyncAck
from slack_sdk.models.views import View

from bot.core.errors import Malformed, Repeated, Unavailable
from bot.use_cases import InvalidInput, NeedsConfirmation
from bot.views.blocks import fallback
from handlers.explain import explain
from handlers.payloads import Submission

log = logging.getLogger(__name__)


@dataclass
class Closing:
    """What happens to an accepted form: it closes, unless a `view` replaces it."""

    view: View | None = None


@asynccontextmanager
async def at_the_form(ack: AsyncAck, submission: Submission) -> AsyncIterator[Closing]:
    """Acknowledge a submission after the block: close the form, or keep it open and say why.

    The acknowledgement comes last, so a form never closes before its values are stored.
    """
    closing = Closing()
    try:
        yield closing
    except Malformed:
        raise
    except Repeated:
        await ack()
    except InvalidInput as error:
        # Slack accepts errors only for inputs that the form has.
        errors = {
            block if submission.has_input(block) else submission.first_input: text
            for block, text in error.errors.items()
        }
        await ack(response_action="errors", errors=errors)
    except NeedsConfirmation as error:
        await ack(response_action="update", view=error.view)
    except Unavailable as error:
        log.warning("a form could not be kept", extra={"reason": str(error)})
        text = "Not saved yet: something isn't responding. Please try again in a moment."
        await ack(response_action="errors", errors={submission.first_input: text})
    except Exception as error:
        text = fallback([{"type": "section", "text": {"type": "mrkdwn", "text": explain(error)}}])
        await ack(response_action="errors", errors={submission.first_input: text})
    else:
        if closing.view:
            await ack(response_action="update", view=closing.view)
        else:
            await ack()
