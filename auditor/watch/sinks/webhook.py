"""A webhook: each piece of news as a POST of JSON, tried until it is taken."""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from auditor.errors import UsageError
from auditor.watch.lines import json_line_of
from auditor.watch.news import News
from auditor.watch.sinks.courier import FIRST_WAIT, CourierOutlet, Undeliverable

TOKEN = "AUDITOR_WEBHOOK_TOKEN"  # noqa: S105 - the name of a variable
"""Variable of the environment with a bearer token; an argument would stand in the list of processes."""
_TIMEOUT = 20.0
_TRY_AGAIN = (408, 425, 429)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows nothing: a POST would become a GET, and the token would go elsewhere."""

    def redirect_request(self, *_: object) -> None:
        """Refuse."""


class WebhookOutlet(CourierOutlet):
    """Sends news to an ``https`` or ``http`` address. Raises UsageError for any other.

    The head ``Idempotency-Key`` names journal and number, so that a receiver knows what it has had. Network errors and
    answers 5xx, 408, 425 and 429 are tried again; any other answer but 2xx refuses this piece, which is told.
    """

    def __init__(self, url: str, identity: str, *, first_wait: float = FIRST_WAIT) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise UsageError("--webhook names no http or https address", fix="write https://HOST/PATH")
        # A path or query often is the secret of a webhook: the name that is shown and journalled has but a mark of it.
        mark = hashlib.sha256(url.encode()).hexdigest()[:8]
        super().__init__(f"webhook {parts.scheme}://{parts.hostname} ({mark})", first_wait=first_wait)
        self._url, self._identity = url, identity
        self._open = urllib.request.build_opener(_NoRedirect()).open

    def carry(self, news: News) -> None:
        """Send one request."""
        heads = {"Content-Type": "application/json", "Idempotency-Key": f"{self._identity}-{news.number}"}
        if os.environ.get(TOKEN):
            heads["Authorization"] = f"Bearer {os.environ[TOKEN]}"
        request = urllib.request.Request(self._url, json_line_of(news), heads, method="POST")  # noqa: S310 - see __init__
        try:
            self._open(request, timeout=_TIMEOUT).close()
        except urllib.error.HTTPError as error:
            with error:
                if error.code >= 500 or error.code in _TRY_AGAIN:
                    raise OSError(f"answered {error.code}") from None
                raise Undeliverable(f"answered {error.code}") from None
        except urllib.error.URLError as error:
            raise OSError(str(error.reason)) from None
        except ValueError as error:
            raise Undeliverable(str(error)) from None
