"""Looks after the keys: which values each seals, and sealing all of them with the first.

Each history is sealed anew as well, if it fits the seals that it has. Rotation goes in small
transactions, so the bot works on meanwhile, and an interrupted one is simply started again: what is
sealed with the first key already is left alone.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from bot.core.errors import Unreadable
from storage import credentials
from storage.audit import reseal
from storage.database import Database
from storage.vault import Sealed, Vault

BATCH = 100
NAMED = 5  # altered values, before we only count them


@dataclass(slots=True)
class KeyReport:
    """Which keys are in use: how many values each seals, and which of them cannot be read.

    `altered` has a line for each value that its key does not open.
    """

    rows: Counter[str] = field(default_factory=Counter)
    altered: list[str] = field(default_factory=list)
    _missing: set[str] = field(default_factory=set)

    def add(self, sealed: Sealed, vault: Vault) -> None:
        """Try to read one value, and count it."""
        self.rows[sealed.key_id] += 1
        if sealed.key_id not in vault.key_ids:
            self._missing.add(sealed.key_id)
            return
        try:
            vault.open(sealed)
        except Unreadable as error:
            self.altered.append(str(error))

    @property
    def missing(self) -> tuple[str, ...]:
        """The ids of the keys that we do not have."""
        return tuple(sorted(self._missing))

    @property
    def problems(self) -> list[str]:
        """A line for each missing key, and for each of the first altered values."""
        lines = [
            f"key {key} is not among CREDENTIAL_KEYS: {self.rows[key]} stored values"
            for key in self.missing
        ]
        lines += self.altered[:NAMED]
        if len(self.altered) > NAMED:
            lines.append(f"and {len(self.altered) - NAMED} more like these")
        return lines

    @property
    def readable(self) -> int:
        """How many values can be read."""
        lost = sum(self.rows[key] for key in self.missing)
        return sum(self.rows.values()) - lost - len(self.altered)


@dataclass(slots=True)
class Progress:
    """How far a rotation is: values, or histories."""

    total: int
    resealed: int = 0
    unreadable: list[str] = field(default_factory=list)


async def inspect(database: Database, vault: Vault) -> KeyReport:
    """Try to read every stored value."""
    report = KeyReport()
    async with database.begin(write=False) as session:
        async for sealed in credentials.all_sealed(session):
            report.add(sealed, vault)
    return report


async def rotate(database: Database, vault: Vault) -> AsyncIterator[Progress]:
    """Seal every value with the first key; yields the progress after each batch.

    Values that cannot be read are left as they are, and named.
    """
    async with database.begin(write=False) as session:
        progress = Progress(await credentials.count_sealed_by_others(session, vault.sealing_key))
    failed: set[tuple[str, str]] = set()
    while batch := await _batch(database, vault, failed):
        again: list[tuple[Sealed, Sealed]] = []
        for sealed in batch:
            try:
                again.append((sealed, vault.seal(sealed.place, vault.open(sealed))))
            except Unreadable as error:
                failed.add((sealed.place.onboarding_id, sealed.place.field))
                progress.unreadable.append(str(error))
        async with database.begin() as session:
            for old, new in again:
                progress.resealed += await credentials.reseal(session, old, new)
        yield progress


async def rotate_seals(database: Database) -> AsyncIterator[Progress]:
    """Seal every history with the first key; yields the progress after each batch.

    Histories that do not fit the seals they have are left as they are, and named.
    """
    async with database.begin(write=False) as session:
        progress = Progress(await reseal.count_outdated(session))
    last = ""
    while batch := await _histories(database, last):
        for last in batch:
            try:
                async with database.begin() as session:
                    await reseal.reseal(session, last)
            except reseal.BrokenHistory as broken:
                progress.unreadable += broken.lines
            else:
                progress.resealed += 1
        yield progress


async def _histories(database: Database, after: str) -> Sequence[str]:
    async with database.begin(write=False) as session:
        return await reseal.outdated(session, after, BATCH)


async def _batch(database: Database, vault: Vault, failed: set[tuple[str, str]]) -> list[Sealed]:
    async with database.begin(write=False) as session:
        found = await credentials.sealed_by_others(session, vault.sealing_key, BATCH + len(failed))
    return [one for one in found if (one.place.onboarding_id, one.place.field) not in failed]
