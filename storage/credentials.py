"""The rows of the encrypted values; only the vault can read them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, bindparam, or_, tuple_
from sqlmodel import col, delete, func, select, update
from sqlmodel.sql.expression import SelectOfScalar

from bot.onboarding.people import Actor
from storage.audit.sealed_state import newest_versions
from storage.session import Session
from storage.statements import apply, execute, fetch
from storage.tables import CREDENTIAL, CredentialRow, OnboardingRow
from storage.vault import HKDF_PREFIX, Sealed, Slot

OF = CREDENTIAL.c.onboarding_id == bindparam("this_id")
FINGERPRINTS = select(CREDENTIAL.c.field, CREDENTIAL.c.fingerprint).where(OF)
REPLACE = CREDENTIAL.update().where(OF, CREDENTIAL.c.field == bindparam("this_field"))
ADD = CREDENTIAL.insert()
KEY = (col(CredentialRow.onboarding_id), col(CredentialRow.field))


async def put(session: Session, values: Iterable[Sealed], actor: Actor, now: datetime) -> None:
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
            session.on_commit.append(session.database.has_residue.set)
        else:
            new = {"onboarding_id": place.onboarding_id, "field": place.field, "submitted_at": now}
            await execute(session, ADD, {**new, **columns})


async def fingerprints(session: Session, onboarding_id: str) -> dict[str, str]:
    """Return the fingerprints of the values of an onboarding, by field."""
    rows = await fetch(session, FINGERPRINTS, {"this_id": onboarding_id})
    return {row.field: row.fingerprint for row in rows if row.fingerprint}


class Match(NamedTuple):
    """A stored value that equals a text."""

    onboarding_id: str
    field: str
    fingerprint: str
    channel: str


async def matches(session: Session, fingerprints: Iterable[str]) -> list[Match]:
    """Return the stored values of any client that have one of these fingerprints."""
    row = CredentialRow
    query = (
        select(row.onboarding_id, row.field, row.fingerprint, OnboardingRow.channel)
        .join(OnboardingRow, col(OnboardingRow.id) == col(row.onboarding_id))
        .where(col(row.fingerprint).in_(list(fingerprints)))
    )
    return [Match(*found) for found in await session.exec(query)]


async def destroy(session: Session, onboarding_id: str) -> None:
    """Delete all values of an onboarding; secure_delete then clears the database's files."""
    where = col(CredentialRow.onboarding_id) == onboarding_id
    await session.exec(delete(CredentialRow).where(where))
    session.on_commit.append(session.database.has_residue.set)


async def of(session: Session, onboarding_id: str) -> dict[str, Sealed]:
    """Return the sealed values of an onboarding, by field."""
    query = select(CredentialRow).where(col(CredentialRow.onboarding_id) == onboarding_id)
    return {sealed.place.field: sealed for sealed in await _sealed(session, query)}


async def sealed_after(session: Session, after: Slot | None, limit: int) -> Sequence[Sealed]:
    """Return the next sealed values after a slot, in order of the onboarding and the field."""
    query = select(CredentialRow).order_by(*KEY).limit(limit)
    if after:
        query = query.where(tuple_(*KEY) > (after.onboarding_id, after.field))
    return await _sealed(session, query)


def _is_outdated(key_id: str) -> ColumnElement[bool]:
    """Whether another key encrypted it, or it has no fingerprint, or one made without HKDF."""
    row = CredentialRow
    by_hkdf = col(row.fingerprint).startswith(HKDF_PREFIX)
    return or_(col(row.key_id) != key_id, col(row.fingerprint).is_(None), ~by_hkdf)


async def count_outdated(session: Session, key_id: str) -> int:
    """Return how many values a rotation to `key_id` has to seal again."""
    query = select(func.count()).select_from(CredentialRow).where(_is_outdated(key_id))
    return (await session.exec(query)).one()


async def outdated(session: Session, key_id: str, limit: int) -> Sequence[Sealed]:
    """Return some values that a rotation to `key_id` has to seal again."""
    query = select(CredentialRow).where(_is_outdated(key_id)).order_by(*KEY).limit(limit)
    return await _sealed(session, query)


async def reseal(session: Session, old: Sealed, new: Sealed) -> bool:
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
    session.on_commit.append(session.database.has_residue.set)
    return await apply(session, update(row).where(*where).values(**values))


async def _sealed(session: Session, query: SelectOfScalar[CredentialRow]) -> Sequence[Sealed]:
    rows = (await session.exec(query)).all()
    newest = await newest_versions(session, {row.onboarding_id for row in rows})
    return [
        Sealed(
            Slot(row.onboarding_id, row.field, row.version, row.mask),
            row.ciphertext,
            row.key_id,
            row.fingerprint or "",
            is_newest=newest.get((row.onboarding_id, row.field)) == row.version,
        )
        for row in rows
    ]
