"""How long the database may take."""

# Slack waits three seconds for an answer, so we give up on the database before that.
TIMEOUT_SECONDS = 2
# PgBouncer may give each transaction another server connection (pool_mode = transaction), which
# does not have earlier prepared statements: https://www.pgbouncer.org/features.html
CONNECTING = {"connect_timeout": TIMEOUT_SECONDS, "prepare_threshold": None}
