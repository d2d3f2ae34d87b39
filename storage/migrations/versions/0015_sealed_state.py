"""An onboarding's rows are sealed together with the end of its history.

Existing rows are taken as they are: no seal can tell what happened to them earlier.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from storage.audit.sealed_state import CLIENT, STEP, VALUE, SealedState, digests
from storage.audit.seals import End, Seals
from storage.column_types import Json, UtcDateTime

revision = "0015"
down_revision: str | None = "0014"
# An earlier release changes rows without sealing them, which looks like tampering.
stop_all = True

TYPES: dict[str, Any] = {
    **dict.fromkeys(("started_at", "finished_at", "destroyed_at", "at"), UtcDateTime()),
    **dict.fromkeys(("client_admins", "sealed_state"), Json()),
    "handed_over": sa.Boolean(),
}


def _table(name: str, *names: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(one, TYPES.get(one)) for one in names))


ONBOARDING = _table("onboarding", "id", "history_end", "sealed_state", *CLIENT)
STEPS = _table("step", "onboarding_id", *STEP)
VALUES = _table("credential", "onboarding_id", *VALUE)


def upgrade() -> None:
    column = sa.Column("sealed_state", sa.JSON(), nullable=False, server_default="{}")
    op.add_column("onboarding", column)
    connection = op.get_bind()
    rows = connection.execute(sa.select(ONBOARDING)).mappings().all()
    if rows:
        config = op.get_context().config
        seals = config.attributes.get("seals") if config else None
        if not isinstance(seals, Seals):
            raise RuntimeError("the onboardings there are need keys to be sealed with")
        for row in rows:
            _seal(connection, seals, row)
    with op.batch_alter_table("onboarding") as batch:
        batch.alter_column("sealed_state", existing_type=sa.JSON(), server_default=None)


def _seal(connection: sa.Connection, seals: Seals, row: Any) -> None:
    def of(table: sa.TableClause) -> Any:
        mine = table.c.onboarding_id == row["id"]
        return connection.execute(sa.select(table).where(mine)).mappings().all()

    values = of(VALUES)
    versions = {one["field"]: one["version"] for one in values}
    made = digests(row, of(STEPS), values)
    columns = SealedState(versions, made).columns(seals, row["id"], End(seal=row["history_end"]))
    this = ONBOARDING.c.id == row["id"]
    sealed = sa.update(ONBOARDING).where(this).values(sealed_state=columns["sealed_state"])
    connection.execute(sealed)


def downgrade() -> None:
    with op.batch_alter_table("onboarding") as batch:
        batch.drop_column("sealed_state")
