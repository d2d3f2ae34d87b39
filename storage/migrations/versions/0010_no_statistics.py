"""PostgreSQL keeps no samples of the ciphertexts: a destroyed one would live on in pg_statistic.

ANALYZE, which autovacuum runs automatically, copies some of a column's values there
(https://www.postgresql.org/docs/current/catalog-pg-statistic.html). Setting the type again drops
those that it copied before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision: str | None = "0009"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.text("ALTER TABLE credential ALTER COLUMN ciphertext TYPE bytea"))
        op.execute(sa.text("ALTER TABLE credential ALTER COLUMN ciphertext SET STATISTICS 0"))


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(sa.text("ALTER TABLE credential ALTER COLUMN ciphertext SET STATISTICS -1"))
