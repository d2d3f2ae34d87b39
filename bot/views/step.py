"""A step of the guide as a message: in full while it is current, one line afterward."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from bot.core.english import count
from bot.core.mrkdwn import code, escape, mention, when
from bot.guide import Owner, Step, Table
from bot.guide.credential_fields import ending
from bot.guide.model import Blank
from bot.guide.pictures import Picture
from bot.onboarding import Onboarding, Status, StepProgress, StepState
from bot.onboarding.transitions import skipped_by
from bot.views import ids
from bot.views.blocks import (
    Block,
    Message,
    actions,
    bullets,
    bullets_of,
    button,
    context,
    fields,
    header,
    image,
    message,
    section,
)
from bot.views.report import to_whom
from bot.views.step_buttons import hand_over_buttons, reopen_button, step_buttons, undo_button

MANY = 4096  # messages of a step that is done: about 200 threads
RESTING = {
    Status.PAUSED: "⏸️ On hold. Nothing to do until HeavySet Tech resumes.",
    Status.CANCELLED: "⛔ HeavySet Tech ended this setup. Nothing more to do here.",
}


def slot(number: int) -> str:
    return f"step:{number}"


def step_message(onboarding: Onboarding, number: int, pictures: Sequence[Picture] = ()) -> Message:
    """Return the message of step `number` in its current state; `pictures` are its figure's."""
    progress = onboarding.step(number)
    step = onboarding.guide.step(number)
    if progress.state is StepState.CURRENT:
        words = message(onboarding.id, slot(number), _in_full(onboarding, step))
        if not pictures:
            return words
        shown = message(onboarding.id, slot(number), _in_full(onboarding, step, pictures))
        return replace(shown, in_words=words)
    return _afterwards(onboarding, step, progress)


def _afterwards(onboarding: Onboarding, step: Step, progress: StepProgress) -> Message:
    """Return one line; a step with credentials also keeps a button to enter them again."""
    title = f"*Step {step.number}: {escape(step.title)}*"
    if progress.state is StepState.WAITING:
        return _line(onboarding.id, step.number, f"⏳ {title} — coming up again later")
    if progress.state is StepState.SKIPPED:
        why = _why_skipped(onboarding, progress)
        return _line(onboarding.id, step.number, f"➖ {title} — skipped{why}")
    who = mention(progress.by.user_id) if progress.by and progress.by.user_id else "done"
    done = f"{who}, {when(progress.at)}" if progress.at else who
    asked = [name for name in step.credentials if onboarding.guide.field(name).step == step.number]
    values = "".join(f"\n🔒 {_value(onboarding, name)}" for name in asked)
    line = f"✅ {title} — {done}{_answer(onboarding, step)}{values}"
    again = ""
    if asked and not onboarding.destroyed_at:
        stored = all(name in onboarding.credentials for name in asked)
        again = "Replace" if stored else "Enter securely"
    if onboarding.status is not Status.ACTIVE:
        return _over(onboarding.id, step.number, line, tuple(asked), again)
    undoable = step.number == onboarding.last_done
    return _done(onboarding.id, step.number, line, tuple(asked), again, undoable)


# Most lines of a thread stay the same when it changes, so they are cached.
@lru_cache(MANY)
def _line(onboarding_id: str, number: int, line: str) -> Message:
    return message(onboarding_id, slot(number), [section(line)])


@lru_cache(MANY)
def _done(
    onboarding_id: str, number: int, line: str, asked: tuple[str, ...], again: str, undoable: bool
) -> Message:
    back = (undo_button if undoable else reopen_button)(onboarding_id, number)
    blocks: list[Block] = [section(line, back)]
    if again:
        ref = ids.StepRef(onboarding_id, number, asked)
        label = f"{again} the value from step {number}"
        enter = button(again, ids.ENTER_CREDENTIALS, ref, label=label)
        blocks = [section(line), actions([enter, back])]
    shown = message(onboarding_id, slot(number), blocks)
    if undoable:
        return shown
    # A different button is worth an edit, but nobody is waiting for it.
    before = _done(onboarding_id, number, line, asked, again, undoable=True)
    return replace(shown, nearly=[before.digest])


@lru_cache(MANY)
def _over(
    onboarding_id: str, number: int, line: str, asked: tuple[str, ...], again: str
) -> Message:
    shown = _done(onboarding_id, number, line, asked, again, undoable=False)
    nearly = [*shown.nearly, shown.digest]
    return replace(_line(onboarding_id, number, line), nearly=nearly)


def _in_full(
    onboarding: Onboarding, step: Step, pictures: Sequence[Picture] = ()
) -> Iterator[Block]:
    phase = onboarding.guide.phase_of(step.number)
    yield header(f"Step {step.number} of {len(onboarding.guide.steps)}: {step.title}")
    where = []
    if step == phase.steps[0]:
        phases = len(onboarding.guide.phases)
        where.append(f"Phase {phase.number} of {phases}: {escape(phase.title)}")
    if onboarding.owner_of(step.number) is Owner.HEAVYSET:
        where.append("HeavySet's turn")
    elif where:
        where.append("Your turn")
    if where:
        yield context(" · ".join(where))
    if step == phase.steps[0] and phase.owner is Owner.HEAVYSET:
        yield section(_thanks(onboarding))
    yield from _task(onboarding, step)
    yield from _hints(step, pictures)
    yield from _state(onboarding, step)
    if onboarding.status in RESTING:
        yield context(RESTING[onboarding.status])
        return
    if step.choice:
        yield section(f"*{escape(step.choice.question)}*")
    yield actions(step_buttons(onboarding, step))
    yield from hand_over_buttons(onboarding, step)


def step_again(onboarding: Onboarding, step: Step) -> Iterator[Block]:
    """Yield what to do in the current step, for a message other than its own."""
    yield section(f"*Step {step.number} of {len(onboarding.guide.steps)}: {escape(step.title)}*")
    yield section(_short(onboarding, step) or escape(step.body))
    yield from _state(onboarding, step)
    if step.choice:
        yield section(f"*{escape(step.choice.question)}*")


def _thanks(onboarding: Onboarding) -> str:
    people = to_whom(onboarding) if onboarding.contacts else escape(onboarding.client_name)
    if onboarding.client_can_fix:
        return f"⏳ *Almost there, {people}.* The last check needs a fix first: see the check."
    until = "verified" if onboarding.guide.is_checked else "set up"
    return (
        f"🤝 *Thank you, {people}! Your part is done.* {mention(onboarding.engineer)} at HeavySet "
        f"Tech will take it from here. We'll post here as soon as everything is {until}."
    )


def _task(onboarding: Onboarding, step: Step) -> Iterator[Block]:
    """Yield what to do: our short line, and the guide's paragraph as small print."""
    if short := _short(onboarding, step):
        yield section(f"*{short}*")
        yield context(escape(step.body))
    else:
        yield section(escape(step.body))
    labels = {onboarding.guide.field(name).label for name in step.credentials}
    if not labels.issuperset(step.items):  # else they are listed with what is stored
        yield section(bullets(step.items))
    for table in step.tables:
        if table.intro:
            yield section(escape(table.intro))
        yield fields((name, _cell(onboarding, table, name, value)) for name, value in table.rows)
    for note in step.notes:
        yield context(f"📝 *Note:* {escape(note)}")


def _short(onboarding: Onboarding, step: Step) -> str:
    email = onboarding.email
    words = code(email) if email else f"ask {mention(onboarding.engineer)} for the address"
    return escape(step.short or "").replace("{email}", words)


def _cell(onboarding: Onboarding, table: Table, name: str, value: str) -> str:
    """Return a value of a table; as code if people paste it, so a tap copies it."""
    blank = dict(table.blanks).get(name)
    if blank is Blank.EMAIL:
        return code(onboarding.email) if onboarding.email else f"Ask {mention(onboarding.engineer)}"
    if blank is Blank.DESCRIPTION and (description := onboarding.guide.blanks.description):
        return code(description)
    return code(value) if name in table.copied else escape(value)


def _hints(step: Step, pictures: Sequence[Picture]) -> Iterator[Block]:
    if pictures:
        yield from map(image, pictures)
    elif step.figure:
        yield context(f"🖼️ *What you'll see:* {escape(step.figure.caption)}")
    for tip in step.tips:
        yield context(f"💡 {escape(tip)}")


def _state(onboarding: Onboarding, step: Step) -> Iterator[Block]:
    if step.credentials:
        lines = bullets_of(_value(onboarding, name) for name in step.credentials)
        yield section(f"🔒 *Stored encrypted*\n{lines}")
    run = onboarding.verification
    if run and run.report is None and onboarding.status not in RESTING:
        platform = escape(onboarding.guide.platform)
        yield section(
            f"⏳ *Checking your {count(len(onboarding.guide.credentials), 'credential')} with "
            f"{platform}…* The result will show up below in a moment."
        )


def _answer(onboarding: Onboarding, step: Step) -> str:
    chosen = step.option(onboarding.account)
    return f" (“{escape(chosen.label)}”)" if chosen else ""


def _why_skipped(onboarding: Onboarding, progress: StepProgress) -> str:
    if cause := skipped_by(onboarding, progress.number):
        step, option = cause
        return f", because you chose “{escape(option.label)}” in step {step.number}"
    by = progress.by
    return f" by {mention(by.user_id)} (HeavySet Tech)" if by and by.user_id else ""


def _value(onboarding: Onboarding, name: str) -> str:
    label = escape(onboarding.guide.field(name).label)
    stored = onboarding.credentials.get(name)
    if onboarding.destroyed_at:
        return f"{label}: deleted {when(onboarding.destroyed_at)}"
    if stored is None:
        return f"{label}: not entered yet"
    line = f"{label} {ending(stored.mask)} — {mention(stored.by.user_id)}, {when(stored.at)}"
    if stored.version > 1 and onboarding.guide.field(name).is_secret:
        return f"{line} (replaces the earlier one)"
    return line
