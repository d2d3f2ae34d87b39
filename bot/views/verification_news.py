"""What the engineering channel is told about a verification's result."""

from collections.abc import Iterator, Sequence

from bot.core.english import listed
from bot.core.mrkdwn import escape, mention, when
from bot.onboarding import Event, Onboarding, Verification
from bot.onboarding.after_go_live import told_of
from bot.onboarding.verification_report import Check, Outcome, Report
from bot.views import ids
from bot.views.blocks import Block, actions, button, confirmation, context, section, sections
from bot.views.report import check_line


def verification_news(onboarding: Onboarding, event: Event) -> Iterator[Block]:
    """Yield the result; engineers may tell a live client what broke."""
    run = onboarding.verifications[event.detail["number"] - 1]
    report: Report | None = run.report
    name, number = escape(onboarding.client_name), run.number
    if event.detail.get("recheck") and report:
        yield from _rechecked(onboarding, run, report)
        return
    match Outcome(event.detail["outcome"]):
        case Outcome.PASSED:
            yield section(f"✅ *{name}*: check {number} passed.")
        case Outcome.FAILED:
            yield section(f"❌ *{name}*: check {number} failed{_failures(run)}.")
        case _:
            yield section(f"⏳ *{name}*: check {number} couldn't finish.")
    if report:
        # One with a cause has its own text.
        told = [one for one in report.checks if one.outcome is not Outcome.PASSED or one.cause]
        yield from _details(report, told)


def _details(report: Report, checks: Sequence[Check]) -> Iterator[Block]:
    yield from sections(check_line(one, one.for_engineer) for one in checks)
    yield context(f"{escape(report.environment)} · {report.duration_ms} ms")


def _rechecked(onboarding: Onboarding, run: Verification, report: Report) -> Iterator[Block]:
    """Yield that a live client's connection broke, with a way to tell them, or that it's back."""
    name = escape(onboarding.client_name)
    if report.outcome is Outcome.PASSED:
        yield section(f"✅ *{name}*: the connection works again.")
        return
    engineer = mention(onboarding.engineer)
    yield section(
        f"❌ {engineer}, the live connection of *{name}* stopped working{_failures(run)}."
    )
    yield from _details(report, run.failed)
    if told := told_of(onboarding, run):
        yield context(f"✅ {mention(told.by.user_id)} told the client, {when(told.at)}.")
        return
    yield context("The client doesn't know yet.")
    confirm = confirmation(
        f"Tell {onboarding.client_name}?",
        f"They'll read in their thread: “{' '.join(one.for_client for one in run.failed)}”",
        yes="Tell them",
        no="Not now",
    )
    ref = ids.StepRef(onboarding.id, run.number)
    label = f"Tell {onboarding.client_name} what to fix"
    yield actions([button("Tell the client", ids.TELL_CLIENT, ref, confirm=confirm, label=label)])


def _failures(run: Verification) -> str:
    return f": {escape(listed(one.title for one in run.failed))}" if run.failed else ""
