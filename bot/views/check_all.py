"""The rounds of `check all`: the message with their progress and outcome, and *Ask them*."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.core.english import count, listed
from bot.core.mrkdwn import escape, link, mention, permalink, when
from bot.onboarding import Onboarding, Verification
from bot.onboarding.after_go_live import told_of
from bot.onboarding.verification_report import Outcome
from bot.views import ids
from bot.views.blocks import Block, Message, button, context, listing, message, section
from bot.views.forms import View, form, notice
from bot.views.ids import FormRef
from bot.views.report import finding

# How many clients one reason lists, how many all reasons list, and how many reasons are shown: a
# message holds 50 blocks.
MOST_NAMED, MOST_LINES, MOST_REASONS = 25, 60, 10
LONGEST_NAMES = 1500
# What a cause means for several clients at once; other causes use the names of their checks.
CAUSES = {
    "scopes_missing": "Permissions missing: most likely they haven't accepted the new app version",
}
OPEN = (Outcome.UNKNOWN, Outcome.NOT_CHECKED)
# What was found, by client: the run that belongs to a round, or None.
Found = Sequence[tuple[Onboarding, Verification | None]]
# Clients that fail for the same reason: its key, then each with its run.
Failing = tuple[str, list[tuple[Onboarding, Verification]]]


def slot(round_id: str) -> str:
    return f"check_all:{round_id}"


def key(run: Verification) -> str:
    """Return what a failed run has in common with others: the names of its causes."""
    return "+".join(run.report.causes) if run.report else ""


def progress_message(round_id: str, by: str, checked: int, clients: int) -> Message:
    text = f"🔎 {mention(by)} is checking all live clients. Checked {checked} of {clients}…"
    return message("", slot(round_id), [section(text)])


def result_message(
    round_id: str, by: str, started_at: datetime, found: Found, workspace_url: str
) -> Message:
    """Return who passes, who doesn't, and why, with *Ask them* for each reason."""
    blocks = _result(round_id, by, found, workspace_url)
    small = f"Started {when(started_at)} · Again: `/servicetitan check all`"
    return message("", slot(round_id), [*blocks, context(small)])


def _result(round_id: str, by: str, found: Found, workspace_url: str) -> Iterator[Block]:
    outcomes = [(one, run.outcome if run else None) for one, run in found]
    passed = sum(outcome is Outcome.PASSED for _, outcome in outcomes)
    yield section(
        f"🔎 *{passed} of {count(len(found), 'live client')} passed*, checked for {mention(by)}."
    )
    yield from _reasons(round_id, _failed(found), workspace_url)
    if unknown := [one for one, outcome in outcomes if outcome in OPEN]:
        platform = escape(unknown[0].guide.platform)
        yield section(
            f"❔ *Couldn't tell* ({len(unknown)}): {names_of(unknown)}. {platform} didn't give a "
            "clear answer, so nothing is known to be wrong. I'll try again."
        )
    if skipped := [one for one, outcome in outcomes if outcome is None]:
        yield section(f"▫️ *Not checked* ({len(skipped)}): {names_of(skipped)}")


def _reasons(round_id: str, groups: Sequence[Failing], workspace_url: str) -> Iterator[Block]:
    """Yield the clients that fail, by reason, with a button to ask them."""
    room = MOST_LINES
    for reason, group in groups[:MOST_REASONS]:
        named = min(MOST_NAMED, room, len(group))
        room -= named
        lines = [_line(one, run, workspace_url) for one, run in group]
        ask = None
        if all(one.client_can_fix for one, _ in group):
            label = f"Ask {count(len(group), 'client')} to fix this"
            ask = button("Ask them", ids.ASK_THEM, f"{round_id}:{reason}", label=label)
        title = f"❌ *{heading(group[0][1])}* ({len(group)})"
        yield from listing(title, lines, ask, most=named)
    if others := sum(len(group) for _, group in groups[MOST_REASONS:]):
        yield context(f"and {count(others, 'more client')} with other problems")


def _failed(found: Found) -> list[Failing]:
    """Return the clients that fail by what they have in common, the largest group first."""
    groups: dict[str, list[tuple[Onboarding, Verification]]] = {}
    for one, run in found:
        if run and run.failed:
            groups.setdefault(key(run), []).append((one, run))
    return sorted(groups.items(), key=lambda group: -len(group[1]))


def heading(run: Verification) -> str:
    """Return what is wrong, worded for several clients."""
    known = [CAUSES[cause] for cause in run.report.causes if cause in CAUSES] if run.report else []
    return known[0] if known else escape(listed(one.title for one in run.failed))


def _line(onboarding: Onboarding, run: Verification, workspace_url: str) -> str:
    name = escape(onboarding.client_name)
    if onboarding.thread_ts:
        address = permalink(workspace_url, onboarding.channel, onboarding.thread_ts)
        name = link(address, onboarding.client_name)
    why = escape(" ".join(finding(one.for_client) for one in run.failed))
    told = told_of(onboarding, run)
    asked = f" _Asked by {mention(told.by.user_id)}, {when(told.at)}._" if told else ""
    return f"{name}: {why}{asked}"


def names_of(some: Sequence[Onboarding]) -> str:
    """Return the clients' names, as many as fit in a line, and how many more there are."""
    names: list[str] = []
    for onboarding in some:
        name = escape(onboarding.client_name)
        if sum(map(len, names)) + len(name) > LONGEST_NAMES:
            return listed([*names, f"{len(some) - len(names)} more"])
        names.append(name)
    return listed(names)


def ask_modal(
    ref: FormRef, to_ask: Sequence[tuple[Onboarding, Verification]], asked: Sequence[Onboarding]
) -> View:
    """Return the form that lists the clients to ask, and what they will read."""
    _, run = to_ask[0]
    clients = count(len(to_ask), "client")
    remedy = " ".join(one.for_client for one in run.failed)
    blocks: list[Block] = [
        section(f"I'll post this in the thread of {clients}:\n> {escape(remedy)}"),
        *listing("*Clients*", [escape(one.client_name) for one, _ in to_ask], most=MOST_NAMED),
    ]
    if asked:
        blocks.append(context(f"Already asked: {names_of(asked)}"))
    return form("Ask them?", ids.ASK_CLIENTS, ref, blocks, submit=f"Ask {clients}")


def asking_view() -> View:
    """Return what replaces the form while the messages are being posted."""
    return notice("Ask them", [section("Telling them…")])


def asked_view(lines: Sequence[str]) -> View:
    return notice("Ask them", [section(line) for line in lines])
