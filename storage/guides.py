"""The guides' texts: an onboarding keeps the guide version that it started with.

The file that ships with the bot is the newest text of its version. Older versions are read from the
database, where every version in use was saved.
"""

from pathlib import Path
from typing import Self

from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.guide import Guide, GuideError, parse
from bot.guide.loading import name_of, source_of
from bot.guide.structure import changes
from storage.tables import RUNNING, GuideRow, OnboardingRow
from storage.unreadable_rows import Unknown

MAX_NAMED_CHANGES = 3


class GuideStore:
    """All guide versions that onboardings may need."""

    def __init__(
        self,
        source: str,
        name: str,
        *,
        email: str | None = None,
        description: str | None = None,
    ) -> None:
        """Take the text of the guide for new onboardings; raises GuideError if it is broken.

        `email` and `description` fill the blanks of every guide.
        """
        self._fillings = {"email": email, "description": description}
        self.newest = parse(source, name).filled(**self._fillings)
        self._source, self._name = source, name
        self._parsed = {(self.newest.id, self.newest.version): self.newest}
        self._broken: dict[tuple[str, str], str] = {}

    @classmethod
    def from_file(cls, file: Path, **fillings: str | None) -> Self:
        """Read the guide for new onboardings; raises GuideError if it is broken."""
        return cls(source_of(file), name_of(file), **fillings)

    async def changes(self, session: AsyncSession) -> list[str]:
        """Return how the file's structure differs from the saved text of the same version."""
        row = await session.get(GuideRow, (self.newest.id, self.newest.version))
        return changes(row.source, self._source) if row else []

    async def save_newest(self, session: AsyncSession) -> None:
        """Save the newest text, for the day when its file is replaced.

        A new wording replaces the saved one, and running onboardings count as unpublished: each is
        compared with what it shows in Slack, and only messages with changed words are edited.
        Raises GuideError if more than the wording of a version was changed: onboardings that
        started with it could not continue.
        """
        if found := await self.changes(session):
            more = " …" if len(found) > MAX_NAMED_CHANGES else ""
            raise GuideError(
                f"{self._name}: version {self.newest.version} was saved before, and has another "
                f"structure now ({', '.join(found[:MAX_NAMED_CHANGES])}{more}). "
                "Raise “version”: running onboardings then keep the one they began with."
            )
        id_, version = self.newest.id, self.newest.version
        saved = await session.get(GuideRow, (id_, version))
        if saved is None:
            session.add(GuideRow(id=id_, version=version, source=self._source))
        elif saved.source != self._source:
            saved.source = self._source
            row = OnboardingRow
            theirs = (RUNNING, col(row.guide) == id_, col(row.guide_version) == version)
            await session.exec(update(row).where(*theirs).values(published_revision=-1))

    async def get(self, session: AsyncSession, guide_id: str, version: str) -> Guide:
        """Return a version of a guide; raises Unknown if it is not saved or cannot be read."""
        key, name = (guide_id, version), f"{guide_id} {version}"
        if key not in self._parsed:
            where = (col(GuideRow.id) == guide_id, col(GuideRow.version) == version)
            row = (await session.exec(select(GuideRow).where(*where))).first()
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
