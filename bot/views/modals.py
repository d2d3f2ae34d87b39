"""The modals: credentials, help, reveal, cancel. No view is ever pre-filled with a secret."""

from collections.abc import Collection, Iterator, Mapping

from pydantic import SecretStr
from slack_sdk.models.blocks import (
    Block,
    CheckboxesElement,
    InputBlock,
    Option,
    PlainTextInputElement,
    RichTextBlock,
    RichTextElementParts,
    RichTextPreformattedElement,
)
from slack_sdk.models.views import View

from bot.core.mrkdwn import escape, mention, when
from bot.guide.credentials import LONGEST, CredentialField
from bot.onboarding import Onboarding
from bot.views import ids
from bot.views.blocks import bullets, context, section
from bot.views.forms import entry, form, notice, plain_text

LONGEST_QUESTION = 2000


def credentials_modal(
    onboarding: Onboarding, ref: ids.FormRef, warnings: Mapping[str, str] | None = None
) -> View:
    """Return the form for the values that `ref` names; `warnings` are to be confirmed."""
    blocks: list[Block] = [
        section(
            "🔒 Only you see this window. Values are stored encrypted; the thread shows at most "
            "the last four characters. Slack does not hide what you type here, so mind who can "
            "see your screen."
        )
    ]
    required = required_fields(onboarding, ref)
    for name in ref.fields:
        field = onboarding.guide.field(name)
        blocks.append(_credential_input(onboarding, field, optional=name not in required))
        if warnings and name in warnings:
            blocks.append(section(f"⚠️ *{escape(field.label)}:* {escape(warnings[name])}"))
    if warnings:
        blocks.append(_confirm_unusual(onboarding.guide.platform))
    return form("Enter securely", ids.ENTER_CREDENTIALS, ref, blocks, submit="Save")


def fields_at(onboarding: Onboarding, step: int) -> tuple[str, ...]:
    """Return the fields that the form of a step offers: its own, and earlier ones still missing."""
    guide = onboarding.guide
    own = guide.step(step).credentials if step else ()
    missing = (field.id for field in guide.shown_by(step) if field.id in onboarding.missing)
    return tuple(dict.fromkeys((*own, *missing)))


def required_fields(onboarding: Onboarding, ref: ids.FormRef) -> Collection[str]:
    """Return the fields that may not be left empty: the step's own ones that nobody entered yet.

    A form about a single value always needs that value.
    """
    if len(ref.fields) == 1:
        return ref.fields
    own = onboarding.guide.step(ref.step).credentials
    all_shown = ref.step >= onboarding.guide.last_credential_step
    return [
        name for name in ref.fields if name in onboarding.missing and (name in own or all_shown)
    ]


def help_modal(onboarding: Onboarding, ref: ids.FormRef) -> View:
    """Return the guide's own help for a step, and a question to the engineer."""
    guide, step = onboarding.guide, onboarding.guide.step(ref.step)
    blocks: list[Block] = [section(f"*Step {step.number}: {escape(step.title)}*")]
    troubles = [trouble.text for trouble in guide.trouble_at(step.number)]
    others = [one.text for one in guide.troubleshooting if one.text not in troubles]
    if troubles:
        blocks.append(section(f"*This often helps here*\n{bullets(troubles)}"))
    if step.tips:
        blocks.append(section(f"*Tips*\n{bullets(step.tips)}"))
    blocks.append(
        entry(
            "Your question",
            PlainTextInputElement(
                action_id=ids.QUESTION, multiline=True, max_length=LONGEST_QUESTION
            ),
            hint="It goes to your HeavySet engineer, with the step. Please put no password or "
            "secret in it.",
        )
    )
    if others:
        blocks.append(section(f"*More troubleshooting*\n{bullets(others)}"))
    if step.credentials or step.reveals:
        blocks += list(_reference(onboarding))
    blocks.append(context(escape(guide.support)))
    return form("I need help", ids.ASK_FOR_HELP, ref, blocks, submit="Ask")


def reveal_modal(
    onboarding: Onboarding,
    ref: ids.FormRef,
    values: Mapping[str, SecretStr],
    external_id: str | None = None,
) -> View:
    """Return stored values for an engineer, each with where to paste it.

    By its `external_id` the window is found when they have to be hidden.
    """
    blocks: list[Block] = [
        section(
            "👁️ Viewing these is logged and posted to the engineering channel. They'll be hidden in "
            "60 seconds."
        )
    ]
    for name, value in values.items():
        field, stored = onboarding.guide.field(name), onboarding.credentials[name]
        blocks.append(section(f"*{escape(field.label)}*\nPaste into: {escape(field.destination)}"))
        text = RichTextElementParts.Text(text=value.get_secret_value())
        blocks.append(RichTextBlock(elements=[RichTextPreformattedElement(elements=[text])]))
        blocks.append(context(f"Entered by {mention(stored.by.user_id)}, {when(stored.at)}"))
    return View(
        type="modal",
        callback_id=ids.REVEAL_CREDENTIALS,
        external_id=external_id,
        title=plain_text("Stored values"),
        close=plain_text("Close"),
        private_metadata=ref.dump(),
        blocks=blocks,
    )


def cancel_modal(onboarding: Onboarding, ref: ids.FormRef) -> View:
    """Return the form that asks whether, and why, to end an onboarding before its time."""
    name, done = escape(onboarding.client_name), onboarding.finished_steps
    blocks: list[Block] = [
        section(
            f"⛔ This ends the onboarding of *{name}* at {done} of {len(onboarding.steps)} steps, "
            "for good. The thread says so, stored values are destroyed at once, and the history "
            "stays. To let it only rest, use `/servicetitan pause` instead."
        ),
        entry(
            "Why?",
            PlainTextInputElement(
                action_id=ids.REASON, multiline=True, max_length=LONGEST_QUESTION
            ),
            hint="For the history and the engineering channel; the client does not see it.",
        ),
    ]
    return form("Cancel onboarding", ids.CANCEL_ONBOARDING, ref, blocks, submit="End it")


def hidden_modal() -> View:
    """Return what takes the place of the stored values after a while."""
    text = "These are hidden again. Press “Reveal credentials” to see them again."
    return notice("Stored values", [section(text)])


def _reference(onboarding: Onboarding) -> Iterator[Block]:
    yield section(f"*Credential Reference*\n{escape(onboarding.guide.reference_intro)}")
    for field in onboarding.guide.credentials:
        yield context(
            f"*{escape(field.label)}* · Source Location: {escape(field.source)} · "
            f"HeavySet Tech Destination: {escape(field.destination)}"
        )


def _credential_input(
    onboarding: Onboarding, field: CredentialField, *, optional: bool
) -> InputBlock:
    hint = f"{field.source}. It {field.looks_like}."
    stored = onboarding.credentials.get(field.id)
    if stored:
        keep = " Leave empty to keep it." if optional else " A new value replaces it."
        hint = f"Stored now: {stored.mask}.{keep} {hint}"
    element = PlainTextInputElement(action_id=field.id, max_length=LONGEST)
    return entry(field.label, element, hint=hint, optional=optional)


def _confirm_unusual(platform: str) -> InputBlock:
    option = Option(text=plain_text(f"Yes, it is what {platform} shows"), value="confirmed")
    return entry(
        "Save it all the same?",
        CheckboxesElement(action_id=ids.CONFIRM_UNUSUAL, options=[option]),
        optional=True,
    )
