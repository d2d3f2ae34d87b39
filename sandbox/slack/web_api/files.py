"""The files.* methods: uploads in three steps (docs: messaging/working-with-files)."""

from sandbox.slack.arguments import Arguments
from sandbox.slack.errors import SlackError
from sandbox.slack.model import File, Json
from sandbox.slack.state import State
from sandbox.slack.web_api.base import method

ALT_TEXT_LIMIT = 1_000  # docs: files.getUploadURLExternal


@method(
    "files.getUploadURLExternal", "filename length alt_txt", scopes="files:write", per_minute=100
)
def get_upload_url(state: State, args: Arguments) -> Json:
    """Return the URL to post a new file's content to."""
    name = args.text("filename")
    length = str(args.values.get("length", ""))
    if not length.isdecimal() or int(length) == 0:
        raise SlackError.because("missing_argument", "[ERROR] missing required field: length")
    alt_text = args.maybe_text("alt_txt") or ""
    if len(alt_text) > ALT_TEXT_LIMIT:
        raise SlackError("alt_txt_too_large")
    file = File(state.mint_id("F"), name, int(length), alt_text)
    state.files[file.id] = file
    return {"upload_url": f"{state.base_url}/upload/v1/{file.id}", "file_id": file.id}


@method("files.completeUploadExternal", "files", scopes="files:write", per_minute=100)
def complete_upload(state: State, args: Arguments) -> Json:
    """Make uploaded files the app's own, once; they aren't shared with anyone yet."""
    completed = []
    for each in args.structure("files") or []:
        file = state.files.get(each.get("id", "")) if isinstance(each, dict) else None
        if file is None or not file.content or file.completed_at is not None:
            raise SlackError("file_not_found")
        completed.append((file, str(each.get("title") or file.name)))
    if not completed:
        raise SlackError("invalid_arguments")
    for file, title in completed:
        file.title, file.completed_at = title, state.clock()
    return {"files": [{"id": file.id, "title": file.title} for file, _ in completed]}
