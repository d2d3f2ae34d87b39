"""Finds values that must stay secret in what people write (pure).

Two ways: what looks like one, by the guide's telltales; and candidates whose keyed digest is
compared with those of the stored values, so that nothing is decrypted for it.
"""

import re
from collections.abc import Iterable

from bot.credentials import CredentialField
from bot.typed import clean

SHORTEST = 6  # shorter values are too common in ordinary talk
AROUND = ".,:;!?\"'`“”‘’«»()[]{}<>*_~|="


def looks_like(text: str, fields: Iterable[CredentialField]) -> tuple[str, ...]:
    """Return the fields of which `text` has something that looks like their value."""
    return tuple(shaped(text, fields))


def shaped(text: str, fields: Iterable[CredentialField]) -> dict[str, frozenset[str]]:
    """Return the pieces of `text` that look like a field's value, by field."""
    plain = clean(text)
    found = {
        field.id: frozenset(one[0] for one in re.finditer(field.telltale, plain))
        for field in fields
        if field.telltale
    }
    return {name: pieces for name, pieces in found.items() if pieces}


def candidates(text: str) -> frozenset[str]:
    """Return the pieces of `text` that could be a value: words, without what stands around them."""
    words = re.split(r"[\s<>|]+", clean(text))
    pieces = set(words) | {piece for word in words for piece in re.split(r"[=,:;]", word)}
    stripped = {piece.strip(AROUND) for piece in pieces}
    return frozenset(piece for piece in stripped if len(piece) >= SHORTEST)
