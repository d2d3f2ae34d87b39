"""A minimal HTTP proxy, and TLS in front of the sandboxes under names that only it resolves."""

import asyncio
import base64
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Proxy:
    """Records `CONNECT` requests, and maps each host name to a local port."""

    port: int = 0
    ports: dict[str, int] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    password: str = ""

    @property
    def url(self) -> str:
        user = f"bot:{self.password}@" if self.password else ""
        return f"http://{user}127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        method, target, _ = head.splitlines()[0].split(" ", 2)
        self.requests.append(f"{method} {target}")
        login = base64.b64encode(f"bot:{self.password}".encode()).decode()
        if self.password and f"proxy-authorization: basic {login}".lower() not in head.lower():
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        port = self.ports.get(target.partition(":")[0])
        if method != "CONNECT" or port is None:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await pipe((reader, writer), await asyncio.open_connection("127.0.0.1", port))


@asynccontextmanager
async def running_proxy(password: str = "") -> AsyncIterator[Proxy]:
    """Run one until the block ends."""
    proxy = Proxy(password=password)
    async with listen(proxy.serve) as proxy.port:
        yield proxy


@asynccontextmanager
async def serve_tls(port: int, certificate: Path) -> AsyncIterator[int]:
    """Terminate TLS in front of the plain HTTP server on `port`; yields the TLS port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await pipe((reader, writer), await asyncio.open_connection("127.0.0.1", port))

    async with listen(serve, context) as tls_port:
        yield tls_port


@asynccontextmanager
async def listen(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    context: ssl.SSLContext | None = None,
) -> AsyncIterator[int]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def pipe(client: Stream, server: Stream) -> None:
    """Copy bytes both ways until both ends are closed."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    await asyncio.gather(copy(client[0], server[1]), copy(server[0], client[1]))


def write_certificate(folder: Path, *names: str) -> Path:
    """Write a key and a self-signed certificate for `names` to one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "for a test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    *(x509.DNSName(host) for host in names),
                    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
                ]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file
