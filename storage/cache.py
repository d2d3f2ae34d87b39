"""Onboardings as they were last read or written, so that what has not changed is not read again.

Every change of an onboarding bears a new revision: a row with the same one has the same steps,
values, verifications and remembered events.
"""

from collections import OrderedDict

from bot.onboarding import Onboarding

MOST = 500


class Known:
    """What is known of the onboardings that were worked on last."""

    def __init__(self) -> None:
        """Begin without any."""
        self._known: OrderedDict[str, Onboarding] = OrderedDict()

    def at(self, onboarding_id: str, revision: int) -> Onboarding | None:
        """Return an onboarding as it was at `revision`, if that is known."""
        known = self._known.get(onboarding_id)
        if known is None or known.revision != revision:
            return None
        self._known.move_to_end(onboarding_id)
        return known

    def learn(self, onboarding: Onboarding) -> None:
        """Keep an onboarding that is committed as it is; the one not used for longest goes."""
        self._known[onboarding.id] = onboarding
        self._known.move_to_end(onboarding.id)
        if len(self._known) > MOST:
            self._known.popitem(last=False)

    def forget(self) -> None:
        """Read everything again: somebody wrote past the revisions."""
        self._known.clear()
