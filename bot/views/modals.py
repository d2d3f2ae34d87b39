"""The modals: credentials, help, reveal, cancel. No view is ever pre-filled with a secret."""

from collections.abc import Collection, Iterator, Mapping

from pydantic import SecretStr

from bot.core.mrkdwn import escape, mention, when
from bot.guide import Guide, Step
from bot.guide.credential_fields import LONGEST, CredentialField, ending
from bot.onboarding import Onboarding
from bot.views import ids
from bot.views.blocks import Block, bullets, button, context, section
from bot.views.catching_up import offer
from bot.views.forms import View, checkbox, entry, form, notice, text_input

LONGEST_QUESTION = 2000


def credentials_modal(
    onboarding: Onboarding, ref: ids.FormRef, warnings: Mapping[str, str] | None = None
) -> View:
    """Return the form for the credentials that `ref` names; `warnings` ask for confirmation."""
    blocks: list[Block] = [
        section(
            "🔒 Only you can see this window. We store what you enter encrypted; the thread shows "
            "only the last four characters. Slack doesn't hide text as you type, so check who "
            "can see your screen."
        )
    ]
    required = required_fields(onboarding, ref)
    for name in ref.fields:
        field = onboarding.guide.field(name)
        blocks.append(_credential_input(onboarding, field, optional=name not in required))
        if warnings and name in warnings:
            blocks.append(section(f"⚠️ *{escape(field.label)}:* {escape(warnings[name])}"))
    if warnings:
        text = f"Yes, this is exactly what {onboarding.guide.platform} shows"
        blocks.append(checkbox("Save it anyway?", ids.CONFIRM_UNUSUAL, text, "confirmed"))
    return form("Enter securely", ids.ENTER_CREDENTIALS, ref, blocks, submit="Save")


def fields_at(onboarding: Onboarding, step: int) -> tuple[str, ...]:
    """Return the fields in the form of a step: its own, and earlier ones still missing."""
    guide, missing = onboarding.guide, onboarding.missing
    own = guide.step(step).credentials if step else ()
    due = (one.id for one in guide.credentials if one.step <= step and one.id in missing)
    return tuple(dict.fromkeys((*own, *due)))


def required_fields(onboarding: Onboarding, ref: ids.FormRef) -> Collection[str]:
    """Return the fields that are required: the step's own that are still missing.

    A form for a single value always requires it.
    """
    if len(ref.fields) == 1:
        return ref.fields
    own = onboarding.guide.step(ref.step).credentials
    all_shown = ref.step >= onboarding.guide.last_credential_step
    return [
        name for name in ref.fields if name in onboarding.missing and (name in own or all_shown)
    ]


def help_modal(onboarding: Onboarding, ref: ids.FormRef) -> View:
    """Return the guide's help for a step, with a field for a question to the engineer."""
    guide, step = onboarding.guide, onboarding.guide.step(ref.step)
    blocks: list[Block] = [section(f"*Step {step.number}: {escape(step.title)}*")]
    troubles = guide.trouble_at(step.number)
    others = [one.text for one in guide.troubleshooting if one.text not in troubles]
    if troubles:
        blocks.append(section(f"*Not working? Try this first*\n{bullets(troubles)}"))
    if tips := (*step.if_stuck, *step.tips):
        blocks.append(section(f"*Tips*\n{bullets(tips)}"))
    blocks.append(
        entry(
            "What can we help with?",
            text_input(ids.QUESTION, LONGEST_QUESTION, multiline=True),
            hint="This goes to your HeavySet engineer along with the step. Please don't include "
            "passwords or keys.",
        )
    )
    if already := offer(onboarding, step):
        blocks.append(already)
    if others:
        blocks.append(section(f"*More things to try*\n{bullets(others)}"))
    if step.credentials or step.reveals:
        blocks += _reference(onboarding)
    blocks += _from_the_guide(guide, step)
    return form("I need help", ids.ASK_FOR_HELP, ref, blocks, submit="Send")


def reveal_modal(
    onboarding: Onboarding,
    ref: ids.FormRef,
    window: str,
    *,
    shown: str = "",
    value: SecretStr | None = None,
) -> View:
    """Return the stored credentials that `ref` names, masked, for an engineer to paste.

    Only the `value` of the field `shown` is readable. With its external_id, `window`, any worker
    can find the window to hide it again.
    """
    blocks: list[Block] = [
        section(
            "👁️ Press *Show* to see one credential at a time. Viewing is logged and posted to the "
            "engineering channel. What you see will be hidden in 60 seconds."
        )
    ]
    for name in ref.fields:
        blocks += _stored(onboarding, name, value if name == shown else None)
    identity = {"callback_id": ids.REVEAL_CREDENTIALS, "external_id": window}
    return notice("Stored credentials", blocks, ref) | identity


def revealed_fields(onboarding: Onboarding, step: int) -> tuple[str, ...]:
    """Return the fields in the list of stored credentials, the step's own first."""
    own = onboarding.guide.step(step).reveals
    stored = (one.id for one in onboarding.guide.credentials if one.id in onboarding.credentials)
    return tuple(dict.fromkeys((*own, *stored)))


def _stored(onboarding: Onboarding, name: str, value: SecretStr | None) -> Iterator[Block]:
    field, stored = onboarding.guide.field(name), onboarding.credentials.get(name)
    title, destination = f"*{escape(field.label)}*", f"Paste into: {escape(field.destination)}"
    if stored is None:
        yield section(f"{title}\nNot entered yet")
        return
    if value is None:
        action_id = f"{ids.REVEAL_CREDENTIALS}:{name}"
        show = button("Show", action_id, name, label=f"Show the {field.label}")
        yield section(f"{title}\n{stored.mask}\n{destination}", accessory=show)
    else:
        yield section(f"{title}\n{destination}")
        text = {"type": "text", "text": value.get_secret_value()}
        preformatted = {"type": "rich_text_preformatted", "elements": [text]}
        yield {"type": "rich_text", "elements": [preformatted]}
    yield context(f"Entered by {mention(stored.by.user_id)}, {when(stored.at)}")


def cancel_modal(onboarding: Onboarding, ref: ids.FormRef) -> View:
    """Return the form that asks why to cancel an onboarding."""
    name, done = escape(onboarding.client_name), onboarding.finished_steps
    blocks: list[Block] = [
        section(
            f"⛔ This ends *{name}*'s onboarding for good, at {done} of {len(onboarding.steps)} "
            "steps. The client is told in the thread, stored credentials are deleted right away, "
            "and the history is kept. Just need a break? Use `/servicetitan pause`."
        ),
        entry(
            "Reason",
            text_input(ids.REASON, LONGEST_QUESTION, multiline=True),
            hint="For the history and the engineering channel. The client won't see it.",
        ),
    ]
    return form(
        "Cancel onboarding",
        ids.CANCEL_ONBOARDING,
        ref,
        blocks,
        submit="End onboarding",
        close="Keep it",
    )


def hidden_modal() -> View:
    """Return what replaces a revealed credential after a while."""
    text = "These are hidden again. Press “Reveal credentials” to see them again."
    return notice("Stored credentials", [section(text)])


def _from_the_guide(guide: Guide, step: Step) -> Iterator[Block]:
    """Yield what else the written guide says, which the step's message leaves out."""
    phase = guide.phase_of(step.number)
    yield context(
        f"{escape(guide.title)}: {escape(guide.subtitle)} · Phase {phase.number}: "
        f"{escape(phase.title)} — {escape(phase.subtitle)}"
    )
    yield context(escape(step.paragraph))
    if phase.intro:
        yield context(escape(phase.intro))
    for table in step.tables:
        for name, value in table.rows:
            if name in dict(table.blanks):
                yield context(f"*{escape(name)}:* {escape(value)}")
    if step.figure:
        shows = f". {escape(step.figure.shows)}" if step.figure.shows else ""
        yield context(f"🖼️ Figure {step.figure.number} — {escape(step.figure.caption)}{shows}")
    for paragraph in guide.overview:
        yield context(escape(paragraph))
    yield context(escape(guide.support))
    yield context(
        f"Document Version: {guide.version} · Last Updated: {escape(guide.updated)} · "
        f"Audience: {escape(guide.audience)}"
    )


def _reference(onboarding: Onboarding) -> Iterator[Block]:
    yield section(f"*Credential Reference*\n{escape(onboarding.guide.reference_intro)}")
    for field in onboarding.guide.credentials:
        yield context(
            f"*{escape(field.label)}* · Source Location: {escape(field.source)} · "
            f"HeavySet Tech Destination: {escape(field.destination)}"
        )


def _credential_input(onboarding: Onboarding, field: CredentialField, *, optional: bool) -> Block:
    hint = f"Find it here: {field.source}. It {field.looks_like}."
    stored = onboarding.credentials.get(field.id)
    if stored:
        keep = " Leave blank to keep it." if optional else " A new one replaces it."
        hint = f"On file: {ending(stored.mask)}.{keep} {hint}"
    return entry(field.label, text_input(field.id, LONGEST), hint=hint, optional=optional)
