"""Slack's mrkdwn rendered as HTML for `make play`."""

import pytest

from sandbox.web.mrkdwn import Reader

NOW = 1_795_729_218.0
reader = Reader(
    {"U1": "Ann Admin", "C1": "acme"}.get,  # type: ignore[arg-type]
    NOW,
    "America/New_York",
    "U1",
    lambda channel, ts: f"/?c={channel}&t={ts}",
)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*bold* _italic_ ~gone~", "<strong>bold</strong> <em>italic</em> <s>gone</s>"),
        ("2*3*4 and snake_case_name", "2*3*4 and snake_case_name"),
        ("* not bold *", "* not bold *"),
        ("a &lt;b&gt; &amp; c", "a &lt;b&gt; &amp; c"),
        ("<script>alert(1)</script>", "scriptalert(1)/script"),  # for Slack these are links
        ("`*x* <http://a.b>`", "<code>*x* &lt;http://a.b&gt;</code>"),
        ("```a\nb```", "<pre>a\nb</pre>"),
        ("&gt; quoted\nnot", "<blockquote>quoted</blockquote>not"),
        ("<@U1>", '<span class="mention me">@Ann Admin</span>'),
        ("<#C1>", '<a class="mention" href="/?c=C1&amp;t=" data-here>#acme</a>'),
        ("<!channel>", '<span class="mention">@channel</span>'),
        ("<https://example.com/?a=1&amp;b=2|here>", 'href="https://example.com/?a=1&amp;b=2"'),
        ("<javascript:alert(1)|here>", "here"),
        (
            "<https://x.slack.com/archives/C1/p1795729218000100?thread_ts=1.2&cid=C1|there>",
            '<a href="/?c=C1&amp;t=1.2" data-here>there</a>',
        ),
        ("<!date^1795729218^{date_short_pretty} at {time}|then>", "today at 4:40 PM"),
        ("*<https://example.com|bold link>*", "<strong><a "),
    ],
)
def test_mrkdwn_is_rendered_by_slacks_rules_without_scripts(text: str, html: str) -> None:
    drawn = str(reader.mrkdwn(text))
    assert html in drawn
    assert "<script" not in drawn
    assert "javascript:" not in drawn
