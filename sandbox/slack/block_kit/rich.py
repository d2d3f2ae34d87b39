"""Rich text (docs: reference/block-kit/blocks/rich-text-block)."""

from sandbox.slack.block_kit.objects import TYPE
from sandbox.slack.block_kit.schema import (
    Check,
    array,
    flag,
    integer,
    matching,
    one_of,
    record,
    string,
    tagged,
)

MANY = 1000  # Slack publishes no bound on the elements of a rich text

_STYLE: dict[str, Check] = {
    "style": record({}, dict.fromkeys(("bold", "italic", "strike", "code"), flag))
}


def _inline(required: dict[str, Check], optional: dict[str, Check] | None = None) -> Check:
    return record({"type": TYPE, **required}, _STYLE | (optional or {}))


_INLINE = tagged(
    {
        "text": _inline({"text": string(3000, 1)}),
        "link": _inline({"url": string(3000, 1)}, {"text": string(3000), "unsafe": flag}),
        "user": _inline({"user_id": matching("[UW][A-Z0-9]+")}),
        "usergroup": _inline({"usergroup_id": matching("S[A-Z0-9]+")}),
        "channel": _inline({"channel_id": matching("[CDG][A-Z0-9]+")}),
        "emoji": _inline({"name": string(100, 1)}),
        "broadcast": _inline({"range": one_of("here", "channel", "everyone")}),
        "date": _inline(
            {"timestamp": integer(0, 2**53), "format": string(500, 1)},
            {"fallback": string(500), "url": string(3000)},
        ),
    }
)
_INLINES = array(_INLINE, MANY, minimum=0)
_SECTION = record({"type": one_of("rich_text_section"), "elements": _INLINES})

RICH_TEXT = record(
    {
        "type": TYPE,
        "elements": array(
            tagged(
                {
                    "rich_text_section": _SECTION,
                    "rich_text_preformatted": record(
                        {"type": TYPE, "elements": _INLINES}, {"border": integer(0, 1)}
                    ),
                    "rich_text_quote": record(
                        {"type": TYPE, "elements": _INLINES}, {"border": integer(0, 1)}
                    ),
                    "rich_text_list": record(
                        {
                            "type": TYPE,
                            "style": one_of("bullet", "ordered"),
                            "elements": array(_SECTION, MANY),
                        },
                        {
                            "indent": integer(0, 8),
                            "offset": integer(0, 100_000),
                            "border": integer(0, 1),
                        },
                    ),
                }
            ),
            MANY,
        ),
    },
    {"block_id": string(255, 1)},
)
