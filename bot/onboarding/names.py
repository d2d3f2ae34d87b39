"""A client's name and its channel's, each proposed from the other (pure)."""

import re
import unicodedata

OURS = "heavyset"
# What channels with clients are called besides the client's name.
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
    """Return the client's name as a channel's name tells it: `acme-plumbing-heavyset`.

    Empty if the channel's name tells none.
    """
    name = re.sub(rf"{OURS}[-_ ]?tech", OURS, channel.casefold())
    words = [word for word in re.split(r"[^\w&']+|_", name) if word]
    while words and words[0] in AFFIXES:
        words.pop(0)
    while words and words[-1] in AFFIXES:
        words.pop()
    return " ".join(_written(word, first=not place) for place, word in enumerate(words))


def channel_for_client(client: str) -> str:
    """Return a name for the channel with a client: `acme-plumbing-heavyset`.

    Empty if the client's name has no letter that a channel's may have.
    """
    plain = unicodedata.normalize("NFKD", client.casefold().replace("&", " and "))
    ascii_ = plain.replace("'", "").replace("’", "").encode("ascii", "ignore").decode()
    words = "-".join(re.findall(r"[a-z0-9]+", ascii_))
    longest = LONGEST_CHANNEL - len(OURS) - 1
    return f"{words[:longest].rstrip('-')}-{OURS}" if words else ""


def _written(word: str, *, first: bool) -> str:
    if word in ABBREVIATIONS:
        return word.upper()
    return word if word in SMALL and not first else word[0].upper() + word[1:]
