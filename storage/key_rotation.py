"""Checks which key seals which value, and rotates everything to the first key.

Histories are sealed again as well, if they fit their seals. Rotation uses small transactions, so
the bot can keep running, and an interrupted rotation can simply be started again.
"""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from bot.core.english import first_of
from bot.core.errors import Unreadable
from storage import credentials
from storage.audit import reseal
from storage.database import Database
from storage.vault import Sealed, Slot, Vault

BATCH_SIZE = 100
MAX_NAMED = 5  # altered values


@dataclass(slots=True)
class KeyReport:
    """How many values each key seals, and which values cannot be read.

    `missing` are keys that seal some and are not in CREDENTIAL_KEYS; `altered` has a line for each
    value that its key does not decrypt.
    """

    rows: Counter[str] = field(default_factory=Counter)
    altered: list[str] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)

    def add(self, sealed: Sealed, vault: Vault) -> None:
        """Try to decrypt a value, and count it."""
        self.rows[sealed.key_id] += 1
        if sealed.key_id not in vault.key_ids:
            self.missing.add(sealed.key_id)
            return
        try:
            vault.open(sealed)
        except Unreadable as error:
            self.altered.append(str(error))

    @property
    def problems(self) -> list[str]:
        """A line for each missing key, and for each of the first altered values."""
        lines = [
            f"key {key} is not among CREDENTIAL_KEYS: {self.rows[key]} stored values"
            for key in sorted(self.missing)
        ]
        return [*lines, *first_of(self.altered, MAX_NAMED)]

    @property
    def readable(self) -> int:
        lost = sum(self.rows[key] for key in self.missing)
        return sum(self.rows.values()) - lost - len(self.altered)


@dataclass(slots=True)
class Progress:
    """The progress of a rotation of values or of histories."""

    total: int
    resealed: int = 0
    unreadable: list[str] = field(default_factory=list)


async def inspect(database: Database, vault: Vault) -> KeyReport:
    """Try to decrypt every stored value."""
    report = KeyReport()
    async with database.begin(write=False) as session:
        last: Slot | None = None
        while page := await credentials.sealed_after(session, last, BATCH_SIZE):
            for sealed in page:
                report.add(sealed, vault)
            last = page[-1].place
    return report


async def rotate(database: Database, vault: Vault) -> AsyncIterator[Progress]:
    """Seal every value with the first key; yields the progress after each batch.

    Values that cannot be read are reported and left as they are.
    """
    async with database.begin(write=False) as session:
        progress = Progress(await credentials.count_outdated(session, vault.sealing_key))
    failed: set[Slot] = set()
    while batch := await _batch(database, vault, failed):
        again: list[tuple[Sealed, Sealed]] = []
        for sealed in batch:
            try:
                again.append((sealed, vault.seal(sealed.place, vault.open(sealed))))
            except Unreadable as error:
                failed.add(sealed.place)
                progress.unreadable.append(str(error))
        async with database.begin() as session:
            for old, new in again:
                progress.resealed += await credentials.reseal(session, old, new)
        yield progress


async def rotate_seals(database: Database) -> AsyncIterator[Progress]:
    """Seal every history with the first key; yields the progress after each batch.

    Histories that do not fit their seals are reported and left as they are.
    """
    async with database.begin(write=False) as session:
        outdated = await reseal.outdated(session)
    progress = Progress(len(outdated))
    for start in range(0, len(outdated), BATCH_SIZE):
        for onboarding_id in outdated[start : start + BATCH_SIZE]:
            try:
                async with database.begin() as session:
                    await reseal.reseal(session, onboarding_id)
            except reseal.BrokenHistory as broken:
                progress.unreadable += broken.lines
            else:
                progress.resealed += 1
        yield progress


async def _batch(database: Database, vault: Vault, failed: set[Slot]) -> list[Sealed]:
    async with database.begin(write=False) as session:
        found = await credentials.outdated(session, vault.sealing_key, BATCH_SIZE + len(failed))
    return [one for one in found if one.place not in failed]
