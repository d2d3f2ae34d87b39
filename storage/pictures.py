"""Which pictures were uploaded to Slack, each once, regardless of the number of workers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, delete, insert, select, update

from storage.session import Session
from storage.statements import apply
from storage.tables import PictureRow


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture's file in Slack since then; without `file_id`, a worker is still uploading it."""

    since: datetime
    file_id: str | None
    count: int  # of uploads, as Slack may lose a file


async def by_digest(session: Session) -> Mapping[str, Upload]:
    """Return all uploads, by the digest of the picture."""
    rows = await session.exec(select(PictureRow))
    return {row.digest: Upload(row.since, row.file_id, row.count) for row in rows}


async def claim(session: Session, digest: str, known: Upload | None, now: datetime) -> bool:
    """Claim the upload of a picture; False, or Conflict, if another worker has.

    `known` is the upload as it was read before: its file is lost, or its worker died.
    """
    row = PictureRow
    if known is None:
        await session.exec(insert(row).values(digest=digest, since=now, file_id=None, count=1))
        return True
    unchanged = (col(row.digest) == digest, col(row.since) == known.since)
    values = {"since": now, "file_id": None, "count": known.count + 1}
    return await apply(session, update(row).where(*unchanged).values(values))


async def record(session: Session, digest: str, file_id: str, now: datetime) -> None:
    values = {"since": now, "file_id": file_id}
    await session.exec(update(PictureRow).where(col(PictureRow.digest) == digest).values(values))


async def drop(session: Session, digest: str) -> None:
    """Give up a claim: the upload failed."""
    await session.exec(delete(PictureRow).where(col(PictureRow.digest) == digest))
