"""Checks response_urls: answers go only to Slack, whatever a payload says."""

import re
from urllib.parse import urlsplit

# docs.slack.dev, "Handling user interaction", and Slack for governments.
HOOKS = ("https://hooks.slack.com", "https://hooks.slack-gov.com")
SLACKS = re.compile(r"([a-z0-9-]+\.)?slack(-gov)?\.com")


def is_slacks(url: str, api_url: str) -> bool:
    """Whether `url` is on Slack's own host, or on SLACK_API_URL's host if that is a sandbox."""
    api = urlsplit(api_url)
    sandbox = () if SLACKS.fullmatch(api.hostname or "") else (f"{api.scheme}://{api.netloc}",)
    return any(
        re.fullmatch(re.escape(host) + r"/[A-Za-z0-9._~%/-]+", url) for host in (*HOOKS, *sandbox)
    )
