"""The guides' texts: an onboarding keeps the guide version that it started with.

The files that ship with the bot, and those in GUIDES, are the newest texts of their versions.
Older versions are read from the database, where every version in use was saved.
"""

from collections.abc import Sequence
from pathlib import Path

from sqlmodel import col, update

from bot.guide import Guide, GuideError, parse
from bot.guide.credential_fields import CredentialField
from bot.guide.loading import name_of, source_of
from bot.guide.structure import changes
from storage.session import Session
from storage.tables import RUNNING, GuideRow, OnboardingRow
from storage.unreadable_rows import Unknown

MAX_NAMED_CHANGES = 3


class GuideStore:
    """All guides and versions that onboardings may need."""

    def __init__(
        self,
        *files: Path,
        email: str | None = None,
        description: str | None = None,
        has_our_key: bool = False,
    ) -> None:
        """Take the file of each guide for new onboardings; the first is the default.

        `email` and `description` fill the blanks of every guide. Without our own Application Key,
        a guide that needs it isn't offered. Raises GuideError if a guide is broken.
        """
        self._fillings = {"email": email, "description": description}
        self._texts: dict[str, tuple[str, str]] = {}
        guides: dict[str, Guide] = {}
        for file in files:
            name, source = name_of(file), source_of(file)
            guide = parse(source, name).filled(**self._fillings)
            if guide.id in guides:
                raise GuideError(f"{name}: another guide has the id “{guide.id}”, too")
            guides[guide.id], self._texts[guide.id] = guide, (name, source)
        self.all: Sequence[Guide] = tuple(guides.values())  # the default first
        self._has_our_key = has_our_key
        self._parsed = {(one.id, one.version): one for one in guides.values()}
        self._broken: dict[tuple[str, str], str] = {}

    @property
    def default(self) -> Guide:
        return self.all[0]

    @property
    def offered(self) -> Sequence[Guide]:
        """The guides that an onboarding may begin with."""
        return [one for one in self.all if self._has_our_key or not one.needs_our_key]

    @property
    def fields(self) -> Sequence[CredentialField]:
        """Every credential that a guide asks for; if two share an id, the first guide's."""
        found: dict[str, CredentialField] = {}
        for field in (field for guide in self.all for field in guide.credentials):
            found.setdefault(field.id, field)
        return list(found.values())

    async def changes(self, session: Session, guide: Guide) -> list[str]:
        """Return how a file's structure differs from the saved text of the same version."""
        row = await session.get(GuideRow, (guide.id, guide.version))
        return changes(row.source, self._texts[guide.id][1]) if row else []

    async def save_newest(self, session: Session) -> None:
        """Save the newest texts that are offered, for the day when their files are replaced.

        A new wording replaces the saved one, and running onboardings count as unpublished: each is
        compared with what it shows in Slack, and only messages with changed words are edited.
        Raises GuideError if more than the wording of a version was changed: onboardings that
        started with it could not continue.
        """
        row = OnboardingRow
        for guide in self.offered:
            name, source = self._texts[guide.id]
            if found := await self.changes(session, guide):
                more = " …" if len(found) > MAX_NAMED_CHANGES else ""
                raise GuideError(
                    f"{name}: version {guide.version} was saved before, and has another "
                    f"structure now ({', '.join(found[:MAX_NAMED_CHANGES])}{more}). "
                    "Raise “version”: running onboardings then keep the one they began with."
                )
            saved = await session.get(GuideRow, (guide.id, guide.version))
            if saved is None:
                session.add(GuideRow(id=guide.id, version=guide.version, source=source))
            elif saved.source != source:
                saved.source = source
                its = (col(row.guide) == guide.id, col(row.guide_version) == guide.version)
                again = {"published_revision": -1, "publish_after": None}
                await session.exec(update(row).where(RUNNING, *its).values(**again))

    async def get(self, session: Session, guide_id: str, version: str) -> Guide:
        """Return a version of a guide; raises Unknown if it is not saved or cannot be read."""
        key, name = (guide_id, version), f"{guide_id} {version}"
        if key not in self._parsed:
            row = await session.get(GuideRow, key)
            if row is None:
                raise Unknown(f"its guide, {name}, isn't in the database")
            if self._broken.get(key) == row.source:
                raise Unknown(f"its guide, {name}, can't be read by this release")
            try:
                self._parsed[key] = parse(row.source, name).filled(**self._fillings)
            except GuideError as error:
                self._broken[key] = row.source  # parsing takes a while
                raise Unknown(f"its guide, {name}, can't be read by this release") from error
        return self._parsed[key]
