"""`/servicetitan note …`: engineers' notes about a client, which the client can't see."""

import re
from collections.abc import Iterator
from functools import partial

from bot.core.errors import Refused
from bot.onboarding import Onboarding
from bot.onboarding.questions import note
from bot.onboarding.secret_scan import contains_password
from bot.use_cases.lookup import client_of
from bot.use_cases.services import Request
from bot.use_cases.slash_command import unwrapped
from bot.use_cases.typed_secrets import secret_in
from bot.use_cases.use_case import UseCase
from bot.views.blocks import EphemeralReply
from storage.to_rows import client_key

LONGEST = 3000
WHAT = "What should I note? For example: `/servicetitan note Ann is out until Thursday`"
WHICH = (
    "Which client is this about? Type it in the client's channel, or name the client first: "
    "`/servicetitan note Acme: Ann is out until Thursday`"
)
# `Acme: …`, `for Acme - …`
NAMED = re.compile(
    r"(?P<about>(?:for|about|on|re)\s+)?(?P<name>[^:]{1,100}?)(?:\s*:\s*|\s+[-–—]{1,2}\s+)(?P<text>.+)",
    re.IGNORECASE | re.DOTALL,
)
CHANNEL = re.compile(
    r"(?:(?:for|about|on)\s+)?(?P<name><#[CG][A-Z0-9]+>)[\s:,–—-]*(?P<text>.*)", re.DOTALL
)
MENTION = re.compile(r"<@([UW][A-Z0-9]+)>")
LONGEST_NAME = 6  # words


class Notes(UseCase):
    async def note(self, request: Request, words: str) -> EphemeralReply:
        """Save a note in the history of this channel's client, or of the one that it names."""
        actor = await self._engineer(request.person)
        onboarding, text = await self._about(request, words)
        if not text:
            raise Refused(WHAT)
        if len(text) > LONGEST:
            raise Refused(f"That's too long for a note: {LONGEST:,} characters fit.")
        label = await secret_in(self._services, text, onboarding)
        if label or contains_password(text):
            what = f"the {label}" if label else "a password"
            raise Refused(
                f"That looks like {what}, so I didn't save it. Notes are for words: credentials go "
                "through *Enter securely*."
            )
        kept = partial(note, text=await self._readable(text), actor=actor)
        after = await self._change(request, onboarding.id, kept)
        return self._done(after, "Noted. Only engineers see it, in `status` and `history`.")

    async def _about(self, request: Request, words: str) -> tuple[Onboarding, str]:
        """Return the client that a note is about, and the note."""
        services, words = self._services, unwrapped(words)
        if linked := CHANNEL.fullmatch(words):
            client = await client_of(services, request.channel, linked["name"], finished=True)
            return client, linked["text"]
        try:
            here = await client_of(services, request.channel, "", finished=True)
        except Refused as refusal:
            if not words:
                raise Refused(WHAT) from refusal
            if found := await self._named_first(request, words, here=False):
                return found
            raise Refused(WHICH) from refusal
        # In a client's channel the words before a colon are rarely another client's name.
        return await self._named_first(request, words, here=True) or (here, words)

    async def _named_first(
        self, request: Request, words: str, *, here: bool
    ) -> tuple[Onboarding, str] | None:
        """Return the client whose name the note begins with, and the rest."""
        for name, text, marked in _beginnings(words):
            if here and not marked:
                return None
            try:
                client = await client_of(self._services, request.channel, name, finished=True)
            except Refused:
                continue
            key, typed = client_key(client.client_name), client_key(name)
            if (marked and key == typed) or (
                not here and (marked or f"{key} ".startswith(f"{typed} "))
            ):
                return client, unwrapped(text.strip())
        return None

    async def _readable(self, text: str) -> str:
        """Return a note with people's names instead of their mentions."""
        directory = self._services.directory
        names = {one: (await directory.profile(one)).name for one in MENTION.findall(text)}
        return MENTION.sub(lambda found: f"@{names[found[1]] or found[1]}", text)


def _beginnings(words: str) -> Iterator[tuple[str, str, bool]]:
    """Yield what may be a client's name, the rest, and whether punctuation separates them."""
    if found := NAMED.fullmatch(words):
        yield found["name"], found["text"], True
    parts = words.split()
    for length in range(min(LONGEST_NAME, len(parts) - 1), 0, -1):
        yield " ".join(parts[:length]), " ".join(parts[length:]), False
