"""Signs the history (HMAC-SHA256), so that a write to the database alone can't go unnoticed.

An event's seal covers the event and the *end* of the history before it. An end covers the newest
seal and the number of events. Only the newest end is stored, with the onboarding. A truncated
history needs an end that nobody can make without the key; and as the next event's seal covers the
end as it is, later events do not hide that something was cut off or altered.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from storage.keys import SEAL, derived, derived_without_hkdf, key_id

HKDF_SUFFIX = ".2"
BEGINNING = ""  # the end of a history without events
ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


class MissingKey(Exception):
    """We don't have the key of a seal; the text is the key's id."""


class Entry(NamedTuple):
    """The sealed part of an event. `position` counts the events of its onboarding, from 1."""

    onboarding_id: str
    position: int
    kind: str
    actor_user: str
    actor_team: str
    actor_role: str
    step: int | None
    detail: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class End:
    """The end of a history: how many events it has, and the seal over them."""

    length: int = 0
    seal: str = BEGINNING


class Seals:
    """Signs with the first key, verifies with all. A seal reads `key id.2:digest`.

    Without the `.2`, its key was derived before HKDF was used.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Take the credential keys; the sealing keys are derived from them."""
        before = {key_id(key): derived_without_hkdf(key, SEAL) for key in keys}
        self._keys = before | {key_id(key) + HKDF_SUFFIX: derived(key, SEAL) for key in keys}
        self._signing = key_id(keys[0]) + HKDF_SUFFIX

    @property
    def prefix(self) -> str:
        """What a seal made by `sign` now starts with."""
        return f"{self._signing}:"

    def sign(self, content: list[Any], like: str = "") -> str:
        """Return the seal of `content`, which must be serializable as JSON.

        With `like`, another seal, it is signed with that seal's key; raises MissingKey.
        """
        name = like.partition(":")[0] if like else self._signing
        if name not in self._keys:
            raise MissingKey(name.removesuffix(HKDF_SUFFIX))
        text = ENCODER.encode(content).encode()
        return f"{name}:{hmac.digest(self._keys[name], text, 'sha256').hex()}"

    def verify(self, seal: str, content: list[Any]) -> bool:
        """Whether `seal` is that of `content`; raises MissingKey."""
        return hmac.compare_digest(seal.encode(), self.sign(content, like=seal or ":").encode())

    def seal(self, entry: Entry, end: str, like: str = "") -> str:
        """Return the seal of an event that follows `end`; `like` as in `sign`."""
        *others, at = entry
        moment = at.astimezone(UTC).isoformat(timespec="microseconds")
        return self.sign(["event", 1, end, *others, moment], like)

    def fits(self, seal: str, entry: Entry, end: str) -> bool:
        """Whether `seal` is that of `entry` after `end`; raises MissingKey."""
        return hmac.compare_digest(seal.encode(), self.seal(entry, end, seal or ":").encode())

    def end(self, onboarding_id: str, length: int, newest: str) -> str:
        """Return the end of a history of `length` events whose last one has the seal `newest`.

        Raises MissingKey if the key of `newest` is not among ours.
        """
        return self.sign(["end", 1, onboarding_id, length, newest], like=newest or ":")
