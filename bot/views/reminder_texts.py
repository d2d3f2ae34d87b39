"""How a reminder begins, worded for the side that has to act and for its day."""

from bot.core.english import ago, listed
from bot.core.mrkdwn import escape, mention, when
from bot.guide import Owner
from bot.onboarding import Onboarding, Reminder

MOST_MENTIONED = 2

# By number of the follow-up. {last} says since when nothing has happened, and how long that is.
FIRST, SECOND, LATER, LAST, AGAIN, SNOOZED, NAMED = range(7)
TO_CLIENT = {
    FIRST: "a friendly nudge{by}: step {step} is waiting for you {last}.",
    SECOND: (
        "step {step} is still waiting for you {last}. Is something in the way? Press *I need "
        "help*, and {engineer} will jump in."
    ),
    LATER: (
        "step {step} is still open {last}. Bad timing? Reply here with a day that works, and I'll "
        "check back then. If someone else should take over, just tell us who."
    ),
    LAST: (
        "this is my last reminder for now: step {step} is still open {last}. Everything you've "
        "done is saved, so you can pick up right here anytime. {engineer} is here if you need "
        "anything."
    ),
    AGAIN: (
        "checking in once more: step {step} is still open {last}. Everything you've done is saved, "
        "so you can pick up right here."
    ),
    SNOOZED: "checking back after the snooze: step {step} is waiting for you {last}.",
    NAMED: "just checking in: step {step} is ready when you are {last}.",
}
TO_HEAVYSET = {
    FIRST: "this one is waiting on us {last}. {client}, nothing for you to do.",
    SECOND: (
        "this one is still waiting on us {last}. {client}, sorry for the wait; nothing for you to "
        "do."
    ),
    LATER: (
        "this has been on us for a while now {last}. Please say here when to expect it. {client}, "
        "there's nothing for you to do."
    ),
    LAST: (
        "this is still waiting on us {last}, so I'm asking the whole team to step in. {client}, "
        "we're sorry about the wait. There's nothing for you to do."
    ),
    AGAIN: "checking in once more: this is still waiting on us {last}. {client}, we're sorry.",
    SNOOZED: (
        "checking back after the snooze: this one is waiting on us {last}. {client}, nothing for "
        "you to do."
    ),
    NAMED: "just checking in: this one is waiting on us {last}. {client}, nothing for you to do.",
}
ASKED = "{asker} asked about step {step} {asked} ({waited} ago) and is still waiting. Please reply "
TO_HEAVYSET_ASKED = {
    FIRST: f"{ASKED}here in the thread.",
    SECOND: f"{ASKED}here in the thread. {{asker}}, sorry for the wait.",
    LATER: f"{ASKED}here in the thread, even if it's only to say when you'll know more.",
    LAST: (
        f"{ASKED}here in the thread. {{asker}}, we're sorry about the wait; I'm asking the whole "
        "team to step in."
    ),
}


def greeting(onboarding: Onboarding, reminder: Reminder) -> str:
    """Return who is reminded of what: a mention, and how long it has been waiting."""
    kind, question = _kind(onboarding, reminder), onboarding.question
    whom, client = _whom(onboarding, reminder.to), escape(onboarding.client_name)
    if question:
        text = TO_HEAVYSET_ASKED.get(kind, TO_HEAVYSET_ASKED[FIRST])
        asked = text.format(
            asker=mention(question.by.user_id),
            step=question.step,
            asked=when(question.at),
            waited=ago(question.at, reminder.at),
        )
        if onboarding.turn is Owner.CLIENT:
            asked += f" {client}, feel free to keep going in the meantime."
        return f"👋 {whom}, {asked}"
    ours = reminder.to is Owner.HEAVYSET
    text = (TO_HEAVYSET if ours else TO_CLIENT)[kind].format(
        step=reminder.step,
        last=_last(onboarding, reminder),
        by=f" from {mention(reminder.by.user_id)}" if reminder.by.user_id else "",
        client=client,
        engineer=mention(onboarding.engineer),
    )
    return f"👋 {whom}, {text}" if ours else f"👋 Hi {whom}, {text}"


def _kind(onboarding: Onboarding, reminder: Reminder) -> int:
    """Return the wording of a reminder: a manual one like the first, others by their day."""
    if reminder.by.user_id:
        return FIRST
    before = [one for one in onboarding.reminders if one.since == reminder.since][:-1]
    repeats = bool(before) and before[-1].follow_up == reminder.follow_up
    if repeats:
        return SNOOZED if before[-1].snooze else AGAIN
    heard = onboarding.heard
    if reminder.follow_up <= 1:
        named = heard and heard.until and heard.side is reminder.to and heard.until <= reminder.at
        return NAMED if named else FIRST
    if reminder.last:
        return LAST
    return SECOND if reminder.follow_up == 2 else LATER


def _last(onboarding: Onboarding, reminder: Reminder) -> str:
    """Return since when nothing has happened, and whether a message was the last thing."""
    heard, since = onboarding.heard, reminder.since
    what = "last activity"
    if heard and heard.side is reminder.to and heard.at == since:
        what = "last update" if reminder.to is Owner.HEAVYSET else "last heard from you"
    return f"({what} {when(since)}, {ago(since, reminder.at)} ago)"


def _whom(onboarding: Onboarding, side: Owner) -> str:
    if side is Owner.HEAVYSET:
        return mention(onboarding.engineer)
    named = len(onboarding.client_admins) + len(onboarding.joined)
    people = onboarding.contacts[: max(MOST_MENTIONED, named)]
    return listed(map(mention, people)) if people else f"*{escape(onboarding.client_name)}*"
