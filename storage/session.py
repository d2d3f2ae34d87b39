"""A transaction's session, which the functions of storage work with."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

if TYPE_CHECKING:
    from storage import postgresql, sqlite
    from storage.database import Database
    from storage.statements import Row

Transaction: TypeAlias = "sqlite.Transaction | postgresql.Transaction"


class Session(AsyncSession):
    """SQLAlchemy's session, the driver's transaction that it is in, and the database."""

    def __init__(
        self, connection: AsyncConnection, transaction: Transaction, database: "Database"
    ) -> None:
        super().__init__(connection, expire_on_commit=False)
        self.transaction, self.database = transaction, database
        self.rows: dict[str, Row] = {}  # of onboardings that were read, by id
        self.on_commit: list[Callable[[], object]] = []  # to be called once it is committed
