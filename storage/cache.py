"""A cache of onboardings as last read or written, so that unchanged ones aren't read again.

Every change increments an onboarding's revision: a row with the cached revision still has the same
steps, credentials, verifications and events.
"""

from collections import OrderedDict

from bot.onboarding import Onboarding

MAX_ENTRIES = 500


class OnboardingCache:
    """The most recently used onboardings, by id."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, Onboarding] = OrderedDict()

    def get(self, onboarding_id: str, revision: int) -> Onboarding | None:
        """Return the onboarding if it is cached at exactly this revision."""
        cached = self._entries.get(onboarding_id)
        if cached is None or cached.revision != revision:
            return None
        self._entries.move_to_end(onboarding_id)
        return cached

    def put(self, onboarding: Onboarding) -> None:
        """Cache an onboarding as it was committed, evicting the least recently used one."""
        self._entries[onboarding.id] = onboarding
        self._entries.move_to_end(onboarding.id)
        if len(self._entries) > MAX_ENTRIES:
            self._entries.popitem(last=False)
