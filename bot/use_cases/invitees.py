"""Email addresses as people and mail programs write them (pure).

`Ann Admin <ann@acme.com>`, `"Admin, Ann" <ann@acme.com>; bob@acme.com`, `mailto:ann@acme.com`.
"""

import re
import unicodedata
from dataclasses import dataclass

from bot.core.typed_text import clean, folded, one_line
from bot.use_cases.slash_command import unwrapped

LONGEST = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets
ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+"
LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
ENDING = r"[^\W\d_](?:[\w-]*[^\W_])?"
ADDRESS = re.compile(rf"{ATOM}(?:\.{ATOM})*@(?:{LABEL}\.)+{ENDING}")
# An address whose @ is missing: `annacme.com`.
HOST = re.compile(rf"(?:{LABEL}\.)+[^\W\d_]{{2,}}")
AROUND = ".,:;!?'\"‘’“”«»`*~<>#=/–—"
BETWEEN = re.compile(r"[\s,、|()\[\]{}\"“”„«»]+")
# An address after a name: `<ann@acme.com>`, and Outlook's `[mailto:ann@acme.com]`.
IN_BRACKETS = re.compile(r"<\s*([^<>\s]*)\s*>|[\[(]\s*([^\[\]()\s]+@[^\[\]()\s]+)\s*[\])]")
AND = {"and", "or"}
COMMENT = re.compile(r"\((?![^()]*\w\.\w)[^()@]*\)")  # ann@acme.com (Ann Admin)
WORD = re.compile(
    r"(?<![\w@.'’])(?<!\w-)(?P<word>invite)s?(?P<colon>\s*:)?(?!\.?\w|[@-])", re.IGNORECASE
)
# What connects a client's name and the keyword: `Acme and invite …`, `Acme (invite …`.
BEFORE_INVITE = re.compile(r"(?:[\s,;:&/(\[–—-]+and)?[\s,;:&/(\[–—-]*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Invitees:
    """The addresses to invite, and other words, which aren't addresses."""

    addresses: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> "Invitees":
        """Read addresses with any usual separator; names next to them are dropped."""
        addresses: dict[str, str] = {}
        wrong: list[str] = []
        plain = unicodedata.normalize("NFKC", clean(text))
        for item in re.split(r"[;\n\r]+", COMMENT.sub(" ", plain)):
            names: list[str] = []  # of the person whose address follows in brackets
            for word in BETWEEN.split(IN_BRACKETS.sub(r" <\1\2> ", item)):
                address = _address(word)
                if ADDRESS.fullmatch(address) and len(address) <= LONGEST:
                    wrong += [] if word.startswith("<") else names
                    names = []
                    addresses.setdefault(address.casefold(), address)
                elif "@" in address or HOST.fullmatch(address):
                    wrong.append(address)
                elif re.search(r"[^\W\d]", word) and folded(word) not in AND and word[-1] != ":":
                    names.append(address)
            wrong += names
        return cls(tuple(addresses.values()), tuple(dict.fromkeys(wrong)))


def name_and_invitees(words: str) -> tuple[str, Invitees] | None:
    """Read `Acme invite ann@acme.com`; None if nobody is invited.

    A client may be called “Invite & Co” or “Paper Invite Shop”: “invite” is part of the name if
    it has a capital letter or begins the name, unless an address or a colon follows.
    """
    for found in reversed(list(WORD.finditer(words))):
        name, rest = words[: found.start()].strip(), words[found.end() :].strip(" ,:;=>)–—-")
        ours = found["word"].islower() and (bool(name) or not rest)
        mistyped = any(HOST.fullmatch(_address(word)) for word in BETWEEN.split(rest))
        if "@" in rest or mistyped or found["colon"] or ours:
            return unwrapped(BEFORE_INVITE.sub("", one_line(name))), Invitees.of(rest)
    return None


def why_wrong(address: str) -> str:
    if "@" not in address:
        return "it has no @"
    if address.startswith("@"):
        return "I need their email address, not a mention"
    if address.count("@") > 1:
        return "it has more than one @"
    if not HOST.fullmatch(address.partition("@")[2]):
        return "after the @ comes a name such as acme.com"
    return "please check it for typos"


def _address(word: str) -> str:
    """Return a word without what people and email programs put around an address."""
    plain = word.strip(AROUND)
    plain = re.sub(r"(?i)^(?:mailto|e-?mail|to|cc):", "", plain)
    name, at, host = plain.partition("@")
    plain = f"{name}{at}{host.partition('?')[0]}".strip(AROUND)
    return plain.strip("_") if plain.endswith("_") else plain
