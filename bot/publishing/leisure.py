"""When to make edits that nobody is waiting for: as soon as people pause.

Each finished step changes the first message, and the button of the step before it. Slack accepts
about 50 edits a minute in total, and people who work on a thread look at its end.
"""

from datetime import datetime, timedelta

from bot.onboarding import Onboarding, Status

# Steps done faster than AT_ONCE are a rush, which is soon over. After more than LONGEST, there is
# no telling when the next step will be done.
AT_ONCE, LONGEST = timedelta(seconds=5), timedelta(minutes=2)


def rests_at(onboarding: Onboarding) -> datetime:
    """Return when a thread is at rest: after twice the time that its last step took."""
    done = sorted(step.at for step in onboarding.steps if step.at)
    before = done[-2] if len(done) > 1 else onboarding.started_at
    took = done[-1] - before if done else timedelta()
    if onboarding.status is not Status.ACTIVE or not AT_ONCE <= took < LONGEST:
        return onboarding.active_at
    return onboarding.active_at + min(2 * took, LONGEST)
