"""Slack's Bolt app: acknowledges in time, measures it, and keeps requests out of the log."""

import asyncio
import logging
import os
import time

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.app.request_monitor import RequestMonitor
from bot.core.background import BackgroundTasks
from bot.core.deadline import answering_within
from bot.core.logs import request_id
from bot.core.metrics import Metrics
from bot.slack import Slack

# Bolt copies this logger's level: below WARNING it logs whole requests, credentials included.
quiet = logging.getLogger("slack_bolt")
quiet.setLevel(logging.WARNING)
# Bolt reads SLACK_BOT_TOKEN itself, and then warns that we pass `authorize` as well.
quiet.addFilter(lambda record: "`token`" not in record.getMessage())

# Slack waits three seconds for an acknowledgement. A press is acknowledged after PRESS_SECONDS and
# goes on in the background; everything else has to be decided within ANSWER_SECONDS.
PRESS_SECONDS, ANSWER_SECONDS = 1.5, 1.9


class TimedApp(AsyncApp):
    """A Bolt app that answers in time and measures how long it took, over either transport."""

    metrics: Metrics
    requests: RequestMonitor
    tasks: BackgroundTasks

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        """Handle a request within Slack's three seconds, however slow the rest is."""
        began = time.perf_counter()
        self.requests.accepted(event=req.body.get("type") == "event_callback")
        with request_id():
            if req.body.get("type") == "block_actions":
                response = await self._press(req)
            else:
                # A form or a command tells the person that time ran out; Slack repeats an event.
                with answering_within(ANSWER_SECONDS):
                    response = await super().async_dispatch(req)
        taken = time.perf_counter() - began
        self.metrics.acknowledgements.labels(response.status).observe(taken)
        return response

    async def _press(self, req: AsyncBoltRequest) -> BoltResponse:
        """Handle a press; if it takes long, acknowledge it and let it finish in the background."""
        work = asyncio.create_task(super().async_dispatch(req), name="a press")
        await asyncio.wait({work}, timeout=PRESS_SECONDS)
        if work.done():
            return work.result()
        self.tasks.adopt(work)
        return BoltResponse(status=200, body="")


def bolt_app(
    client: AsyncWebClient,
    slack: Slack,
    *,
    metrics: Metrics,
    requests: RequestMonitor,
    tasks: BackgroundTasks,
) -> AsyncApp:
    """Return the app that the handlers register their listeners with."""

    async def authorize() -> AuthorizeResult:
        # Left alone, Bolt would call auth.test on the first request, and fail the request if Slack
        # does not answer.
        known = slack.cached_identity
        return AuthorizeResult(
            enterprise_id=known.enterprise_id if known else None,
            team_id=known.team_id if known else None,
            bot_user_id=known.user_id if known else None,
            bot_token=client.token,
        )

    # With this and SLACK_CLIENT_SECRET set, Bolt would switch to OAuth for many workspaces.
    os.environ.pop("SLACK_CLIENT_ID", None)
    app = TimedApp(
        name="onboarding",  # else Bolt reads the source of every caller to find one
        client=client,
        authorize=authorize,
        # Our server has verified the signature over the bytes before Bolt sees a request.
        request_verification_enabled=False,
        ssl_check_enabled=False,
        # Bolt would drop the event when someone deletes one of our messages; handlers/messages.py
        # skips the messages that we write ourselves.
        ignoring_self_events_enabled=False,
        # The response is sent when the listener returns: it commits, acknowledges, and leaves the
        # rest to background tasks.
        process_before_response=True,
        logger=quiet,
    )
    app.metrics, app.requests, app.tasks = metrics, requests, tasks
    return app
