"""The button for the test booking, which asks first: it shows in the client's ServiceTitan."""

from slack_sdk.models.blocks import ButtonElement, ConfirmObject, PlainTextObject

from bot.onboarding import Onboarding
from bot.views import ids
from bot.views.blocks import button


def booking_button(onboarding: Onboarding, ref: str) -> ButtonElement:
    """Return the button that verifies with a test booking."""
    platform = onboarding.guide.platform
    confirm = ConfirmObject(
        title=PlainTextObject(text=f"Make a booking in {platform}?", emoji=False),
        text=PlainTextObject(
            text=f"“TEST - please dismiss” appears in {onboarding.client_name}'s {platform}, for "
            "a week from now. A dispatcher sees it and may act on it: tell the client first. I "
            "dismiss it again, or say where to; the history and booking reports keep it.",
            emoji=False,
        ),
        confirm=PlainTextObject(text="Verify and book"),
        deny=PlainTextObject(text="Not now"),
    )
    label = "Verify with a test booking (engineers only)"
    text = "Verify + test booking (HeavySet)"
    return button(text, ids.TEST_BOOKING, ref, confirm=confirm, label=label)
