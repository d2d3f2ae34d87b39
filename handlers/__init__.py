"""Requests from Slack: thin listeners, a file per feature, one use case per listener."""

from slack_bolt.async_app import AsyncApp

from bot.core.background import BackgroundTasks
from bot.slack import Slack
from bot.use_cases import UseCases
from handlers import (
    after_go_live,
    channel,
    client_questions,
    commands,
    credentials,
    engineer_replies,
    home,
    messages,
    start,
    steps,
    unknown,
)
from handlers.listeners import Listeners
from handlers.replies import Replies


def register(app: AsyncApp, use_cases: UseCases, slack: Slack, tasks: BackgroundTasks) -> None:
    """Register every listener; `unknown` is last because it catches everything else.

    Bolt tries one listener after another, so the most frequent requests come first.
    """
    replies = Replies(slack, tasks)
    listeners = Listeners(app, replies)
    features = (
        steps,
        credentials,
        messages,
        client_questions,
        commands,
        engineer_replies,
        start,
        after_go_live,
        channel,
        home,
    )
    for feature in features:
        feature.register(listeners, use_cases)
    unknown.register(app, replies)
