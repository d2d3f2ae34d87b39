"""What all listeners have in common: they take a payload that was read, and return what to show.

Nothing here logs what was received: a body may contain a secret.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.core.errors import Malformed, OnboardingError, Repeated, Unavailable, UnreadableRow
from bot.views.blocks import section
from bot.views.forms import View
from handlers.error_replies import explain
from handlers.forms import Submission, response_to
from handlers.payloads import ButtonPress, Shortcut
from handlers.replies import Outcome, Replies

log = logging.getLogger(__name__)

Pressed = TypeVar("Pressed", bound=ButtonPress)
Received = TypeVar("Received")
Shown = TypeVar("Shown")

Read = Callable[[Mapping[str, Any]], Received]
Listener = Callable[[Received], Awaitable[Shown]]
Register = Callable[[Listener[Received, Shown]], None]


class Listeners:
    """Registers listeners with Bolt, and handles their errors.

    Only Malformed reaches Bolt, and Unavailable from an event.
    """

    def __init__(self, app: AsyncApp, replies: Replies) -> None:
        self.app, self.replies = app, replies

    def press(self, kind: type[Pressed], *ids: str) -> Register[Pressed, Outcome]:
        """Register for buttons, or for shortcuts; an id that ends with a colon is a prefix.

        A press is acknowledged when the listener has returned. The person sees its outcome, or why
        it failed.
        """
        bolt = self.app.message_shortcut if kind is Shortcut else self.app.action
        # One pattern, because Bolt tries one listener after another.
        pattern = "|".join(f"{one}.*" if one.endswith(":") else one for one in ids)

        def register(listener: Listener[Pressed, Outcome]) -> None:
            async def respond(ack: AsyncAck, body: dict[str, Any]) -> None:
                press = kind.of(body)
                try:
                    outcome = await listener(press)
                    if isinstance(outcome, str) and press.container.is_ephemeral:
                        outcome = [section(outcome)]  # it replaces the private message
                    if outcome is not None:
                        self.replies.show(press, outcome)
                except Malformed:
                    raise
                except Repeated:
                    log.info("a repeated request", extra={"request": press.request.request_key})
                except Exception as error:
                    self.replies.show(press, explain(error))
                await ack()

            bolt(re.compile(rf"^({pattern})$"))(respond)

        return register

    def form(self, callback_id: str) -> Register[Submission, View | None]:
        """Register for a form. It closes, or is replaced by the view that the listener returns.

        If the listener fails, the form stays open and says why. The acknowledgement is sent last,
        so a form never closes before its values are stored.
        """

        def register(listener: Listener[Submission, View | None]) -> None:
            @self.app.view(callback_id)
            async def submit(ack: AsyncAck, body: dict[str, Any]) -> None:
                await ack(**await response_to(Submission.of(body), listener))

        return register

    def event(self, read: Read[Received], *names: str) -> Register[Received, None]:
        """Register for events; nobody is waiting for the outcome.

        Bolt acknowledges an event when its listener has returned; after Unavailable, Slack sends it
        again.
        """

        def register(listener: Listener[Received, None]) -> None:
            async def handle(body: dict[str, Any]) -> None:
                try:
                    await listener(read(body))
                except (Malformed, Unavailable):
                    raise
                except Repeated:
                    log.info("a repeated event")
                except UnreadableRow:  # already logged
                    return
                except OnboardingError as error:
                    log.warning("an event was not handled", extra={"reason": str(error)})
                except Exception:
                    log.exception("an event failed")

            for name in names:
                self.app.event(name)(handle)

        return register
