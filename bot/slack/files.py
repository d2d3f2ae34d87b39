"""Calls about files: uploading the guide's pictures."""

from bot.core.errors import Unavailable
from bot.slack.call import BaseClient
from bot.slack.errors import translated


class FileCalls(BaseClient):
    async def upload(self, name: str, content: bytes) -> str:
        """Upload a file without sharing it in a channel, and return its id.

        It takes a moment until messages can show it (docs.slack.dev, working with files).
        """
        call = self._client.files_getUploadURLExternal(filename=name, length=len(content))
        place = await self._call("files.getUploadURLExternal", call, upload_url=str, file_id=str)
        session = self._client.session
        assert session  # noqa: S101 (slack_client sets one; for the type checker)
        async with (
            translated("upload_url"),
            session.post(place["upload_url"], data=content, proxy=self._client.proxy) as response,
        ):
            status = response.status
        if status != 200:
            raise Unavailable(f"upload_url: HTTP {status}")
        files = [{"id": place["file_id"], "title": name}]
        done = self._client.files_completeUploadExternal(files=files)
        await self._call("files.completeUploadExternal", done)
        return str(place["file_id"])
