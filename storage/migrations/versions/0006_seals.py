"""The history is sealed, each event with all before it, so that changes don't go unnoticed.

Existing events are sealed now, with the keys that `storage.migrate` gets. One more event says so,
and when: no seal can tell what happened to them earlier.
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from storage.audit.seals import BEGINNING, Entry, Seals
from storage.column_types import UtcDateTime

revision = "0006"
down_revision: str | None = "0005"

EVENT = sa.table(
    "event",
    *(sa.column(name) for name in ("id", "onboarding_id", "position", "kind", "step", "seal")),
    *(sa.column(name) for name in ("actor_user", "actor_team", "actor_role")),
    sa.column("detail", sa.JSON()),
    sa.column("at", UtcDateTime()),
)
ONBOARDING = sa.table(
    "onboarding", *(sa.column(name) for name in ("id", "history_length", "history_end"))
)


def _new() -> dict[str, tuple[sa.Column[Any], ...]]:
    return {
        "onboarding": (
            sa.Column("history_length", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("history_end", sa.String(), nullable=False, server_default=""),
        ),
        "event": (
            sa.Column("position", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("seal", sa.String(), nullable=False, server_default=""),
        ),
    }


def upgrade() -> None:
    for table, columns in _new().items():
        for column in columns:
            op.add_column(table, column)
    connection = op.get_bind()
    ids = connection.execute(sa.select(ONBOARDING.c.id)).scalars().all()
    if ids:
        config = op.get_context().config
        seals = config.attributes.get("seals") if config else None
        if not isinstance(seals, Seals):
            raise RuntimeError("the history there is needs keys to be sealed with")
        for onboarding_id in ids:
            _seal(connection, seals, onboarding_id)
    with op.batch_alter_table("event") as batch:  # from here on, a new event needs a seal
        batch.alter_column("position", existing_type=sa.Integer(), server_default=None)
        batch.alter_column("seal", existing_type=sa.String(), server_default=None)
    op.create_index(
        "event_onboarding_id_position", "event", ["onboarding_id", "position"], unique=True
    )


def _seal(connection: sa.Connection, seals: Seals, onboarding_id: str) -> None:
    """Seal the existing events of one history, and the event that says so."""
    of_one = EVENT.c.onboarding_id == onboarding_id
    found = connection.execute(sa.select(EVENT).where(of_one).order_by(EVENT.c.id))
    rows = [dict(row) for row in found.mappings()]
    says_so = {
        "onboarding_id": onboarding_id,
        "kind": "history_sealed",
        "actor_user": "",
        "actor_team": "",
        "actor_role": "bot",
        "step": None,
        "detail": {"events": len(rows)},
        "at": datetime.now(UTC),
    }
    end, anew = BEGINNING, []
    for position, row in enumerate([*rows, says_so], start=1):
        row["position"] = position
        row["seal"] = seals.seal(Entry(*(row[name] for name in Entry._fields)), end)
        end = seals.end(onboarding_id, position, row["seal"])
        anew.append({"row": row.get("id"), "number": position, "mark": row["seal"]})
    if rows:
        which = EVENT.c.id == sa.bindparam("row")
        sealed = (
            sa.update(EVENT)
            .where(which)
            .values(position=sa.bindparam("number"), seal=sa.bindparam("mark"))
        )
        connection.execute(sealed, anew[:-1])
    connection.execute(sa.insert(EVENT), says_so)
    connection.execute(
        sa.update(ONBOARDING)
        .where(ONBOARDING.c.id == onboarding_id)
        .values(history_length=len(rows) + 1, history_end=end)
    )


def downgrade() -> None:
    op.execute("DELETE FROM event WHERE kind = 'history_sealed'")
    op.drop_index("event_onboarding_id_position", "event")
    for table, columns in _new().items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column.name)
