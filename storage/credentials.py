"""The rows of the encrypted values; only the vault can read them."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, bindparam, or_, tuple_
from sqlmodel import col, delete, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.onboarding.people import Actor
from storage.audit.sealed_state import newest_versions
from storage.statements import execute, fetch
from storage.tables import CREDENTIAL, CredentialRow, OnboardingRow
from storage.vault import HKDF_PREFIX, Sealed, Slot

OF = CREDENTIAL.c.onboarding_id == bindparam("this_id")
FINGERPRINTS = select(CREDENTIAL.c.field, CREDENTIAL.c.fingerprint).where(OF)
REPLACE = CREDENTIAL.update().where(OF, CREDENTIAL.c.field == bindparam("this_field"))
ADD = CREDENTIAL.insert()


async def put(session: AsyncSession, values: Iterable[Sealed], actor: Actor, now: datetime) -> None:
    """Write sealed values; each overwrites the field's earlier one."""
    for sealed in values:
        place = sealed.place
        columns = {
            "ciphertext": sealed.ciphertext,
            "key_id": sealed.key_id,
            "fingerprint": sealed.fingerprint,
            "mask": place.mask,
            "version": place.version,
            "submitted_by_user": actor.user_id,
            "submitted_by_team": actor.team_id,
            "submitted_by_role": actor.role.value,
        }
        this = {"this_id": place.onboarding_id, "this_field": place.field}
        if await execute(session, REPLACE, {**this, **columns, "replaced_at": now}):
            session.info["on_commit"].append(session.info["has_residue"].set)
        else:
            new = {"onboarding_id": place.onboarding_id, "field": place.field, "submitted_at": now}
            await execute(session, ADD, {**new, **columns})


async def fingerprints(session: AsyncSession, onboarding_id: str) -> dict[str, str]:
    """Return the fingerprints of the values of an onboarding, by field."""
    rows = await fetch(session, FINGERPRINTS, {"this_id": onboarding_id})
    return {row.field: row.fingerprint for row in rows if row.fingerprint}


class Match(NamedTuple):
    """A stored value that equals a text."""

    onboarding_id: str
    field: str
    fingerprint: str
    channel: str


async def matches(session: AsyncSession, fingerprints: Iterable[str]) -> list[Match]:
    """Return the stored values of any client that have one of these fingerprints."""
    row = CredentialRow
    query = (
        select(row.onboarding_id, row.field, row.fingerprint, OnboardingRow.channel)
        .join(OnboardingRow, col(OnboardingRow.id) == col(row.onboarding_id))
        .where(col(row.fingerprint).in_(list(fingerprints)))
    )
    return [Match(*found) for found in await session.exec(query)]


async def destroy(session: AsyncSession, onboarding_id: str) -> None:
    """Delete all values of an onboarding; secure_delete then clears the database's files."""
    where = col(CredentialRow.onboarding_id) == onboarding_id
    await session.exec(delete(CredentialRow).where(where))
    session.info["on_commit"].append(session.info["has_residue"].set)


async def of(session: AsyncSession, onboarding_id: str) -> dict[str, Sealed]:
    """Return the sealed values of an onboarding, by field."""
    query = select(CredentialRow).where(col(CredentialRow.onboarding_id) == onboarding_id)
    newest = await newest_versions(session, [onboarding_id])
    return {row.field: _sealed(row, newest) for row in await session.exec(query)}


async def all_sealed(session: AsyncSession) -> AsyncIterator[Sealed]:
    """Yield every sealed value, without holding them all in memory."""
    newest = await newest_versions(session)
    async for row in await session.stream_scalars(select(CredentialRow)):
        yield _sealed(row, newest)


async def sealed_after(
    session: AsyncSession, after: tuple[str, str] | None, limit: int
) -> Sequence[Sealed]:
    """Return the next sealed values after an onboarding and field, in that order."""
    row = CredentialRow
    key = (col(row.onboarding_id), col(row.field))
    query = select(row).order_by(*key).limit(limit)
    if after:
        query = query.where(tuple_(*key) > after)
    rows = (await session.exec(query)).all()
    newest = await newest_versions(session, {row.onboarding_id for row in rows})
    return [_sealed(row, newest) for row in rows]


def _is_outdated(key_id: str) -> ColumnElement[bool]:
    """Whether another key encrypted it, or it has no fingerprint, or one made without HKDF."""
    row = CredentialRow
    by_hkdf = col(row.fingerprint).startswith(HKDF_PREFIX)
    return or_(col(row.key_id) != key_id, col(row.fingerprint).is_(None), ~by_hkdf)


async def count_outdated(session: AsyncSession, key_id: str) -> int:
    """Return how many values a rotation to `key_id` has to seal again."""
    query = select(func.count()).select_from(CredentialRow).where(_is_outdated(key_id))
    return (await session.exec(query)).one()


async def outdated(session: AsyncSession, key_id: str, limit: int) -> Sequence[Sealed]:
    """Return some values that a rotation to `key_id` has to seal again."""
    row = CredentialRow
    query = select(row).where(_is_outdated(key_id))
    order = (col(CredentialRow.onboarding_id), col(CredentialRow.field))
    rows = (await session.exec(query.order_by(*order).limit(limit))).all()
    newest = await newest_versions(session, {row.onboarding_id for row in rows})
    return [_sealed(row, newest) for row in rows]


async def reseal(session: AsyncSession, old: Sealed, new: Sealed) -> bool:
    """Replace `old` by `new`; False if someone entered another value meanwhile."""
    row, place = CredentialRow, old.place
    where = (
        col(row.onboarding_id) == place.onboarding_id,
        col(row.field) == place.field,
        col(row.version) == place.version,
        col(row.key_id) == old.key_id,
    )
    values = {
        "ciphertext": new.ciphertext,
        "key_id": new.key_id,
        "fingerprint": new.fingerprint,
    }
    session.info["on_commit"].append(session.info["has_residue"].set)
    return bool((await session.exec(update(row).where(*where).values(**values))).rowcount)


def _sealed(row: CredentialRow, newest: Mapping[tuple[str, str], int]) -> Sealed:
    place = Slot(row.onboarding_id, row.field, row.version, row.mask)
    return Sealed(
        place,
        row.ciphertext,
        row.key_id,
        row.fingerprint or "",
        is_newest=newest.get((row.onboarding_id, row.field)) == row.version,
    )
