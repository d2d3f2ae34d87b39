"""The button for the test booking, which asks for confirmation first."""

from slack_sdk.models.blocks import ButtonElement, ConfirmObject, PlainTextObject

from bot.onboarding import Onboarding
from bot.views import ids
from bot.views.blocks import button


def booking_button(onboarding: Onboarding, ref: str) -> ButtonElement:
    platform = onboarding.guide.platform
    confirm = ConfirmObject(
        title=PlainTextObject(text="Create a test booking?", emoji=False),
        text=PlainTextObject(
            text=(
                f"“TEST - please dismiss” will show up in {onboarding.client_name}'s {platform} "
                "for a week from now. A dispatcher may act on it, so tell the client first. I'll "
                "dismiss it, or tell you where to. It stays in history and booking reports."
            ),
            emoji=False,
        ),
        confirm=PlainTextObject(text="Create booking"),
        deny=PlainTextObject(text="Not now"),
    )
    label = "Verify with a test booking (engineers only)"
    text = "Verify + test booking"
    return button(text, ids.TEST_BOOKING, ref, confirm=confirm, label=label)
