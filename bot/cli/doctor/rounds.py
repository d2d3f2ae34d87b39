"""What a round of `check all` shows, over the made-up clients of the stories."""

from collections.abc import Iterator, Sequence

from slack_sdk.models.views import View

from bot.onboarding import Onboarding
from bot.onboarding.after_go_live import failing, is_live
from bot.views.blocks import Message
from bot.views.check_all import (
    ask_modal,
    asked_view,
    asking_view,
    progress_message,
    result_message,
)
from bot.views.ids import FormRef


def rounds(
    onboardings: Sequence[Onboarding], ref: FormRef, workspace_url: str
) -> Iterator[tuple[str, Message | View]]:
    """Yield its messages and windows with their names."""
    live = [one for one in onboardings if is_live(one)]
    broken = [(one, run) for one in live if (run := failing(one))]
    found = [*((one, one.last_verdict) for one in live), *((one, None) for one in live[:1])]
    by, began = ref.user_id, live[0].started_at if live else None
    yield "check all: progress", progress_message("r1", by, 3, 40)
    if began:
        yield "check all: result", result_message("r1", by, began, found, workspace_url)
    if broken:
        yield "ask them", ask_modal(ref, broken * 30, [one for one, _ in broken])
    yield "ask them: at work", asking_view()
    yield "ask them: done", asked_view(["Asked 3 clients."])
