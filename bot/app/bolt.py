"""Slack's Bolt app: acknowledges in time, measures it, and keeps requests out of the log."""

import asyncio
import logging
import os
import time
from typing import Any

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
# Bolt reads SLACK_BOT_TOKEN itself, then warns that we also pass `authorize`.
quiet.addFilter(lambda record: "`token`" not in record.getMessage())

# Slack waits three seconds for an acknowledgement. A button press that takes over PRESS_SECONDS is
# acknowledged and finishes in the background; everything else must be done within ANSWER_SECONDS.
PRESS_SECONDS, ANSWER_SECONDS = 1.5, 1.9
BOLT_LISTS = ("authorizations", "response_urls")  # of objects
# The keys that Bolt reads from every payload (slack_bolt/request/internals.py), and their types.
BOLT_KEYS = {
    "team": (dict, str),
    "enterprise": (dict, str),
    **dict.fromkeys(BOLT_LISTS, (list,)),
    "is_enterprise_install": (bool, str),
    "message": (dict,),
    "previous_message": (dict,),
    "container": (dict,),
    "view": (dict,),
}


class TimedApp(AsyncApp):
    """A Bolt app that answers in time and measures how long it took, over either transport."""

    def __init__(
        self,
        client: AsyncWebClient,
        slack: Slack,
        *,
        metrics: Metrics,
        requests: RequestMonitor,
        tasks: BackgroundTasks,
    ) -> None:
        self.metrics, self.requests = metrics, requests
        self._slack, self._tasks = slack, tasks

        async def authorize() -> AuthorizeResult:
            # By default, Bolt calls auth.test on the first request, and fails that request if Slack
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
        super().__init__(
            name="onboarding",  # else Bolt reads the source of every caller to find one
            client=client,
            authorize=authorize,
            # Our server verifies the signature over the raw bytes before Bolt sees a request.
            request_verification_enabled=False,
            ssl_check_enabled=False,
            # By default, Bolt drops the event when someone deletes one of our messages.
            ignoring_self_events_enabled=False,
            # The response is sent when the listener returns: it commits, acknowledges, and leaves
            # the rest to background tasks.
            process_before_response=True,
            logger=quiet,
        )

    async def answer(self, payload: dict[str, Any]) -> BoltResponse:
        """Handle a payload within Slack's three seconds, however slow everything else is."""
        began, kind = time.perf_counter(), payload.get("type")
        self.requests.accepted(event=kind == "event_callback")
        if kind == "event_callback" and self._is_about_our_message(payload):
            return BoltResponse(status=200, body="")
        _clean(payload)
        # In this mode, Bolt accepts a payload that is already parsed. Headers are not signed.
        request = AsyncBoltRequest(body=payload, mode="socket_mode")
        with request_id():
            if kind == "block_actions":
                work = asyncio.create_task(self.async_dispatch(request), name="a press")
                await asyncio.wait({work}, timeout=PRESS_SECONDS)
                if work.done():
                    response = work.result()
                else:  # acknowledge it now, and let it finish in the background
                    self._tasks.adopt(work)
                    response = BoltResponse(status=200, body="")
            else:
                # If time runs out, a form or command shows an error; Slack repeats an event.
                with answering_within(ANSWER_SECONDS):
                    response = await self.async_dispatch(request)
        taken = time.perf_counter() - began
        self.metrics.acknowledgements.labels(response.status).observe(taken)
        return response

    def _is_about_our_message(self, payload: dict[str, Any]) -> bool:
        """Whether an event is about a message that we posted or edited; a press causes several."""
        event, known = payload.get("event"), self._slack.cached_identity
        if known is None or not isinstance(event, dict) or event.get("type") != "message":
            return False
        subtype = event.get("subtype")
        message = event.get("message") if subtype == "message_changed" else event
        if subtype == "message_deleted" or not isinstance(message, dict):
            return False
        return message.get("user") == known.user_id and message.get("subtype") != "tombstone"


def _clean(payload: dict[str, Any]) -> None:
    """Drop undocumented values, such as null, of keys that Bolt reads: Bolt would fail on them."""
    for part in (payload, payload.get("event")):
        if isinstance(part, dict):
            for key, types in BOLT_KEYS.items():
                if not isinstance(part.get(key), types):
                    part.pop(key, None)
            for key in BOLT_LISTS:
                if not all(isinstance(item, dict) for item in part.get(key, ())):
                    del part[key]
