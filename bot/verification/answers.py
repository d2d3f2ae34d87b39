"""Reads a platform's responses, which are not trusted: limited in size, parsed strictly."""

import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx
from pydantic_core import from_json

# A token and one record of a list are far smaller.
LARGEST_ANSWER = 64 * 1024
INVALID = object()


class UnreadableError(Exception):
    """A response that is too large, or in an unknown encoding."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: httpx.Headers
    content: bytes

    @cached_property
    def body(self) -> dict[str, Any] | None:
        """The body as a JSON object, None if it is not one."""
        return json_object(self.content)

    @property
    def is_json(self) -> bool:
        """Whether the body is JSON of any kind, or empty."""
        return not self.content or _json(self.content) is not INVALID


async def read(response: httpx.Response) -> Answer:
    """Read a streamed response. Raises UnreadableError, or what httpx raises."""
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 (of an AsyncClient)
    decode, taken, content = _decoder(response), 0, bytearray()
    async for chunk in stream:
        taken += len(chunk)
        content += decode(chunk, LARGEST_ANSWER + 1 - len(content))
        if max(taken, len(content)) > LARGEST_ANSWER:
            raise UnreadableError
    return Answer(response.status_code, response.headers, bytes(content))


def _decoder(response: httpx.Response) -> Callable[[bytes, int], bytes]:
    """Return a function that decodes a chunk of the body, up to a given number of bytes.

    We ask for no compression, but a gateway may compress anyway. httpx would decompress a whole
    chunk at once, to a thousand times its size.
    """
    match response.headers.get("Content-Encoding", "identity").strip().lower():
        case "identity" | "":
            return lambda chunk, _most: chunk
        case "gzip" | "x-gzip" | "deflate":
            unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # either header

            def unpack(chunk: bytes, most: int) -> bytes:
                try:
                    return unpacking.decompress(chunk, most)
                except zlib.error:
                    raise UnreadableError from None

            return unpack
        case _:
            raise UnreadableError


def json_object(text: bytes) -> dict[str, Any] | None:
    """Return `text` as a JSON object, None for anything else."""
    found = _json(text)
    return found if isinstance(found, dict) else None


def _json(text: bytes) -> object:
    with suppress(ValueError):
        return from_json(text, allow_inf_nan=False)  # it limits depth and digits, unlike `json`
    return INVALID
