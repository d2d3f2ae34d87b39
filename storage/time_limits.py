"""How long the database may take."""

# Slack waits three seconds for a response, so we give up on the database before that.
TIMEOUT_SECONDS = 2
# PgBouncer may use another server connection for each transaction (pool_mode = transaction), which
# does not have earlier prepared statements: https://www.pgbouncer.org/features.html
CONNECTING = {"connect_timeout": TIMEOUT_SECONDS, "prepare_threshold": None}
