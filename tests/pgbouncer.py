"""PgBouncer in front of the tests' PostgreSQL, stopped when they end."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from sandbox.bot_process import free_port
from tests.databases import PostgresDatabase
from tests.postgresql import Cluster, unprivileged

# With transaction pooling, few servers for many clients expose leftover connection state.
CONFIGURATION = """
[databases]
* = host={cluster} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {servers}
server_login_retry = 1
logfile = {directory}/pgbouncer.log
"""
SERVERS = {"session": 40, "transaction": 3}
STARTED_WITHIN = 5.0


@dataclass(frozen=True)
class PooledDatabase(PostgresDatabase):
    """A database that the bot reaches through PgBouncer, and the test at `direct_url`."""

    direct_url: str

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(self.direct_url, options="-c lock_timeout=30s")


def binary() -> str | None:
    """Where PgBouncer is installed; Debian's is not on everybody's path."""
    return shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


@contextmanager
def pgbouncer(cluster: Cluster, mode: str, directory: Path) -> Iterator[int]:
    """Run a PgBouncer with `session` or `transaction` pooling; gives its port."""
    port = free_port()
    home = cluster.directory / f"pgbouncer-{port}"
    home.mkdir()
    configuration = home / "pgbouncer.ini"
    configuration.write_text(
        CONFIGURATION.format(
            cluster=cluster.directory, port=port, mode=mode, servers=SERVERS[mode], directory=home
        )
    )
    user = unprivileged()
    if user:  # whatever the umask is here
        shutil.chown(home, "nobody")
        shutil.chown(configuration, "nobody")
    with (directory / "pgbouncer.out").open("wb") as output:
        process = subprocess.Popen(
            [str(binary()), str(configuration)], cwd=home, stdout=output, stderr=output, **user
        )
    try:
        _until_listening(process, port, directory / "pgbouncer.out")
        yield port
    finally:
        process.kill()
        process.wait()


def pooled_url(port: int, direct_url: str) -> str:
    """Return the URL of a database through the PgBouncer at `port`."""
    return f"postgresql://postgres@127.0.0.1:{port}/{make_url(direct_url).database}"


def _until_listening(process: subprocess.Popen[bytes], port: int, output: Path) -> None:
    began = time.monotonic()
    while time.monotonic() - began < STARTED_WITHIN and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"PgBouncer did not start: {output.read_text()}")
