"""A verification's result in the thread: it passed, or the one thing to do now."""

import re
from collections.abc import Iterator

from bot.core.english import all_of, listed
from bot.core.mrkdwn import escape, mention, when
from bot.onboarding import Onboarding, Status, Verification
from bot.onboarding.after_go_live import is_live
from bot.onboarding.verification_report import Check, Outcome, Report
from bot.views import ids
from bot.views.blocks import (
    Block,
    Element,
    Message,
    actions,
    bullets,
    button,
    confirmation,
    context,
    message,
    section,
)

SIGNS = {
    Outcome.PASSED: "✅ OK",
    Outcome.FAILED: "❌ needs a fix",
    Outcome.UNKNOWN: "❔ couldn't tell",
    Outcome.NOT_CHECKED: "▫️ not checked yet",
}


MOST_MENTIONED = 3
# The check that an engineer may confirm if the platform doesn't say.
WRITES = "writes"


def slot(number: int) -> str:
    return f"verification:{number}"


def verification_message(onboarding: Onboarding, run: Verification, report: Report) -> Message:
    """Return the message of a run; if a newer run replaced it, it says so and has no buttons."""
    newest = run == next(one for one in reversed(onboarding.verifications) if not one.recheck)
    blocks = list(_newest(onboarding, run, report)) if newest else [_replaced(run, report)]
    payload = {"outcome": report.outcome.value, "fields": list(report.fields)}
    return message(onboarding.id, slot(run.number), blocks, **payload)


def check_line(check: Check, words: str) -> str:
    """Return one check as a line: its outcome, what was checked, and details."""
    return f"{SIGNS[check.outcome]} · *{escape(check.title)}*: {escape(words)}"


def _replaced(run: Verification, report: Report) -> Block:
    by = run.requested_by.user_id
    who = f" for {mention(by)}" if by else ""
    name = f"{SIGNS[report.outcome]} · Check {run.number}{who}, {when(report.started_at)}."
    failed = report.failed
    why = (f"*{escape(one.title)}*: {escape(finding(one.for_client))}" for one in failed)
    return section("\n".join([f"{name} See the newer check below.", *why]))


def finding(text: str) -> str:
    """Return what was found, without what to do about it: the newer check says that."""
    return re.split(r"\s(?=Please |First )", text, maxsplit=1)[0]


def _newest(onboarding: Onboarding, run: Verification, report: Report) -> Iterator[Block]:
    if report.outcome is Outcome.PASSED:
        yield from _passed(onboarding, run, report)
    elif report.failed:
        yield from _failed(onboarding, run, report)
    else:
        yield from _unknown(run, report)
    yield context(f"Check {run.number} · {when(report.started_at)}")


def _passed(onboarding: Onboarding, run: Verification, report: Report) -> Iterator[Block]:
    passed = [check.title for check in report.checks if check.outcome is Outcome.PASSED]
    if _is_after_go_live(onboarding, run):
        start, ending = "✅ *It works!*", ". Nothing else to do."
    elif onboarding.status is Status.COMPLETED:
        to = f"{to_whom(onboarding)}, " if onboarding.contacts else ""
        start, ending = (
            f"🎉 {to}*{'you' if to else 'You'}'re connected!*",
            ", and setup is complete. Thank you!",
        )
    else:
        start, ending = "✅ *It works!*", ". Nothing else to enter."
    platform = escape(onboarding.guide.platform)
    values = all_of(len(onboarding.guide.credentials), "credential")
    yield section(f"{start} {platform} accepted {values}{ending}")
    yield context(f"Checked: {escape(listed(passed))}")
    for check in report.checks:
        if check.outcome is Outcome.PASSED and check.cause:  # it has its own text
            yield section(check_line(check, check.for_client))
    yield from _open(onboarding, report)


def _open(onboarding: Onboarding, report: Report) -> Iterator[Block]:
    """Yield what a passed report leaves open; an engineer may confirm the write permissions."""
    signed = onboarding.writes_confirmed
    for check in report.checks:
        if check.outcome is not Outcome.UNKNOWN:
            continue
        if check.id == WRITES and signed:
            who, at = mention(signed.by.user_id), when(signed.at)
            yield context(f"✅ *{escape(check.title)}*: checked by {who}, {at}")
            continue
        yield context(check_line(check, check.for_client))
        if check.id == WRITES:
            yield actions([_tick_off(onboarding, check)])


def _tick_off(onboarding: Onboarding, check: Check) -> Element:
    title = f"Mark “{check.title}” as checked?"
    confirm = confirmation(title, check.for_engineer, yes="Yes, I checked", no="Not yet")
    ref = ids.StepRef(onboarding.id, 0)
    label = f"Mark {check.title} as checked (engineers only)"
    text = "Mark as checked (HeavySet)"
    return button(text, ids.CONFIRM_WRITES, ref, confirm=confirm, label=label)


def to_whom(onboarding: Onboarding) -> str:
    """Return mentions of the client's people."""
    return listed(map(mention, onboarding.contacts[:MOST_MENTIONED]))


def _failed(onboarding: Onboarding, run: Verification, report: Report) -> Iterator[Block]:
    platform = escape(onboarding.guide.platform)
    failed = [one for one in onboarding.verifications if one.failed]
    to = f"{to_whom(onboarding)}, " if failed == [run] and onboarding.contacts else ""
    if _is_after_go_live(onboarding, run):
        yield section(f"❌ *Your connection needs a fix.* {platform} doesn't accept everything.")
    else:
        yield section(f"❌ *Almost there.* {to}{platform} didn't accept everything yet.")
    yield from what_to_do(onboarding, report)


def what_to_do(onboarding: Onboarding, report: Report) -> Iterator[Block]:
    """Yield what failed, how to fix it, and the buttons for that, while it can be fixed here."""
    for check in report.failed:
        yield section(check_line(check, check.for_client))
    if report.steps:
        steps = map(onboarding.guide.step, report.steps)
        yield section(
            f"*Please revisit:*\n{bullets(f'Step {one.number}: {one.title}' for one in steps)}"
        )
    buttons = []
    if not report.fields:
        yield section("When that's done, press *Check again*.")
    else:
        labels = listed(onboarding.guide.field(name).label for name in report.fields)
        first = min(onboarding.guide.field(name).step for name in report.fields)
        ref = ids.StepRef(onboarding.id, first, report.fields)
        text = "Re-enter" if len(report.fields) > 1 else f"Re-enter {labels}"
        label = f"Re-enter {labels}"
        buttons.append(button(text, ids.ENTER_CREDENTIALS, ref, style="primary", label=label))
        yield section(f"*Please re-enter:* {escape(labels)}. We'll check again automatically.")
    if onboarding.status is not Status.ACTIVE and not is_live(onboarding):
        return
    ref = ids.StepRef(onboarding.id, report.steps[0] if report.steps else 1)
    again = button("Check again", ids.RUN_VERIFICATION, ids.StepRef(onboarding.id, 0))
    yield actions([*buttons, again, button("I need help", ids.STEP_HELP, ref)])


def _is_after_go_live(onboarding: Onboarding, run: Verification) -> bool:
    finished_at = onboarding.finished_at
    return finished_at is not None and run.requested_at > finished_at


def _unknown(run: Verification, report: Report) -> Iterator[Block]:
    later = (
        f" I'll try again {when(run.retry_at)}; nothing for you to do."
        if run.retry_at
        else " A HeavySet engineer will take a look."
    )
    yield section(
        f"⏳ *We couldn't finish the check.* Nothing is wrong with what you entered.{later}"
    )
    for check in report.checks:
        if check.outcome is Outcome.UNKNOWN and check.required:
            yield section(check_line(check, check.for_client))
