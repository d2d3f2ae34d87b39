"""Seals the history (HMAC-SHA256): who can only write to the database alters nothing unnoticed.

An event's seal covers the event and the *end* that the history had before it. An end covers the
newest seal and how many events there are. Only the newest end is kept, with the onboarding, so a
history that was cut off has an end that nobody makes without the key; and as the next event's seal
covers the end as it stands, going on does not hide that anything was cut off or altered.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from storage.keys import SEAL, derived, derived_before, key_id

BY_HKDF = ".2"
BEGINNING = ""  # the end of a history without events
ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


class MissingKey(Exception):
    """The key of a seal is not among ours; its id is the text."""


class Entry(NamedTuple):
    """What is sealed of an event. `position` counts the events of its onboarding, from 1."""

    onboarding_id: str
    position: int
    kind: str
    actor_user: str
    actor_team: str
    actor_role: str
    step: int | None
    detail: Mapping[str, Any]
    at: datetime


class Seals:
    """Seals with the first key, checks with all. A seal reads `key id.2:digest`.

    Without the `.2`, its key was not yet made by HKDF.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Take the keys of the credentials; the seals have keys of their own, made from them."""
        before = {key_id(key): derived_before(key, SEAL) for key in keys}
        self._keys = before | {key_id(key) + BY_HKDF: derived(key, SEAL) for key in keys}
        self._sealing = key_id(keys[0]) + BY_HKDF

    def seal(self, entry: Entry, end: str) -> str:
        """Return the seal of an event that follows on `end`."""
        return self._made(self._sealing, _event(entry, end))

    @property
    def prefix(self) -> str:
        """How a seal begins that was made as `seal` makes them now."""
        return f"{self._sealing}:"

    def end(self, onboarding_id: str, length: int, newest: str) -> str:
        """Return the end of a history of `length` events, of which `newest` is the last one's seal.

        Raises MissingKey if the key of `newest` is not among ours.
        """
        return self._made(_name(newest), ["end", 1, onboarding_id, length, newest])

    def fits(self, seal: str, entry: Entry, end: str) -> bool:
        """Whether `seal` is that of `entry` after `end`; raises MissingKey."""
        expected = self._made(_name(seal), _event(entry, end))
        return hmac.compare_digest(seal.encode(), expected.encode())

    def state(
        self, onboarding_id: str, end: str, versions: Mapping[str, Any], digests: Mapping[str, Any]
    ) -> str:
        """Return the seal of what the rows of an onboarding say (`audit.state`) at that end."""
        return self._made(self._sealing, ["state", 1, onboarding_id, end, versions, digests])

    def fits_state(
        self,
        seal: str,
        onboarding_id: str,
        end: str,
        versions: Mapping[str, Any],
        digests: Mapping[str, Any],
    ) -> bool:
        """Whether `seal` is that of `state`; raises MissingKey."""
        if not seal:
            return False
        expected = self._made(_name(seal), ["state", 1, onboarding_id, end, versions, digests])
        return hmac.compare_digest(seal.encode(), expected.encode())

    def _made(self, name: str, content: list[Any]) -> str:
        if name not in self._keys:
            raise MissingKey(name.removesuffix(BY_HKDF))
        text = ENCODER.encode(content).encode()
        return f"{name}:{hmac.digest(self._keys[name], text, 'sha256').hex()}"


def key_of(seal: str) -> str:
    """Return the id of the key that made a seal."""
    return _name(seal).removesuffix(BY_HKDF)


def _name(seal: str) -> str:
    return seal.partition(":")[0]


def _event(entry: Entry, end: str) -> list[Any]:
    *others, at = entry
    return ["event", 1, end, *others, at.astimezone(UTC).isoformat(timespec="microseconds")]
