"""Suggests a client's name from its channel's, and the reverse (pure)."""

import re
import unicodedata

OURS = "heavyset"
# Words in channel names that are not part of the client's name.
AFFIXES = frozenset(
    {
        OURS,
        "client",
        "clients",
        "customer",
        "ext",
        "external",
        "integration",
        "onboarding",
        "servicetitan",
        "setup",
        "shared",
        "x",
    }
)
ABBREVIATIONS = frozenset({"ac", "hvac", "llc", "usa"})
SMALL = frozenset({"and", "at", "by", "for", "of", "the"})
LONGEST_CHANNEL = 80  # docs.slack.dev, conversations.create


def client_from_channel(channel: str) -> str:
    """Return the client's name in a channel's name: Acme Plumbing for `acme-plumbing-heavyset`.

    Empty if there is none.
    """
    name = re.sub(rf"{OURS}[-_ ]?tech", OURS, channel.casefold())
    words = [word for word in re.split(r"[^\w&']+|_", name) if word]
    while words and words[0] in AFFIXES:
        words.pop(0)
    while words and words[-1] in AFFIXES:
        words.pop()
    return " ".join(_capitalized(word, first=not position) for position, word in enumerate(words))


def channel_for_client(client: str) -> str:
    """Return a name for a client's channel: `acme-plumbing-heavyset`.

    Empty if no character of the client's name is allowed in it.
    """
    plain = unicodedata.normalize("NFKD", client.casefold().replace("&", " and "))
    ascii_ = plain.replace("'", "").replace("’", "").encode("ascii", "ignore").decode()
    words = "-".join(re.findall(r"[a-z0-9]+", ascii_))
    longest = LONGEST_CHANNEL - len(OURS) - 1
    return f"{words[:longest].rstrip('-')}-{OURS}" if words else ""


def _capitalized(word: str, *, first: bool) -> str:
    if word in ABBREVIATIONS:
        return word.upper()
    return word if word in SMALL and not first else word[0].upper() + word[1:]
