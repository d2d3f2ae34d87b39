"""The texts of the guides: an onboarding keeps the version that it started with.

The file that ships with the bot is the newest text of its version. Versions that no file holds
any more are read from the database, where every version in use was put down.
"""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.guide import Guide, GuideError, parse
from bot.guide.structure import changes
from storage.tables import GuideRow
from storage.unreadable_rows import Unknown

NAMED = 3  # changes, before we only hint at the others


class GuideStore:
    """All guide versions that onboardings may need."""

    def __init__(self, source: str, name: str) -> None:
        """Take the text of the guide for new onboardings; raises GuideError if it is broken."""
        self.newest = parse(source, name)
        self._source, self._name = source, name
        self._known = {(self.newest.id, self.newest.version): self.newest}
        self._broken: dict[tuple[str, str], str] = {}

    async def changes(self, session: AsyncSession) -> list[str]:
        """Return what the file changed in the structure of its version, as it was put down."""
        row = await session.get(GuideRow, (self.newest.id, self.newest.version))
        return changes(row.source, self._source) if row else []

    async def save_newest(self, session: AsyncSession) -> None:
        """Keep the newest text in the database, for the day when its file is replaced.

        Other words take the place of the former ones. Raises GuideError if more than words was
        changed under the same version: onboardings that began with it could not go on.
        """
        if found := await self.changes(session):
            raise GuideError(
                f"{self._name}: version {self.newest.version} was put down before, and is another "
                f"guide now ({', '.join(found[:NAMED])}{' …' if len(found) > NAMED else ''}). "
                "Raise “version”: running onboardings then keep the one they began with."
            )
        await session.merge(
            GuideRow(id=self.newest.id, version=self.newest.version, source=self._source)
        )

    async def get(self, session: AsyncSession, guide_id: str, version: str) -> Guide:
        """Return a version of a guide, as an onboarding row names it.

        Raises Unknown if the database has none, or if this release cannot read it.
        """
        key = (guide_id, version)
        if key not in self._known:
            where = (col(GuideRow.id) == guide_id, col(GuideRow.version) == version)
            row = (await session.exec(select(GuideRow).where(*where))).first()
            if row is None:
                raise Unknown(f"its guide, {guide_id} {version}, isn't in the database")
            if self._broken.get(key) == row.source:
                raise Unknown(f"its guide, {guide_id} {version}, can't be read by this release")
            try:
                self._known[key] = parse(row.source, f"{guide_id} {version}")
            except GuideError as error:
                self._broken[key] = row.source  # it takes a while to read
                raise Unknown(
                    f"its guide, {guide_id} {version}, can't be read by this release"
                ) from error
        return self._known[key]
