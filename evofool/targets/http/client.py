"""Requests to a server: what comes back as JSON, and what to do when nothing does."""

from __future__ import annotations

import json
import os
import weakref
from typing import TYPE_CHECKING, Any

from ...errors import TargetError
from ..queries.policy import TryAgain

if TYPE_CHECKING:
    import httpx

TOKEN = "EVOFOOL_HTTP_TOKEN"
"""The environment variable with the token that servers are given, as ``Authorization: Bearer …``."""

LATER = (408, 425, 429, 500, 502, 503, 504)
"""Answers after which the same request may succeed."""


class Client:
    """A connection to a server that several threads share.

    Args:
        url: What messages call the server.
        timeout: Seconds that a request may take.
        concurrency: Requests at the same time.
    """

    def __init__(self, url: str, timeout: float, concurrency: int) -> None:
        import httpx

        self.url, self._errors = url, httpx
        token = os.environ.get(TOKEN)
        self._client = httpx.Client(
            timeout=timeout,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            limits=httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency),
            follow_redirects=True,
        )
        weakref.finalize(self, self._client.close)

    def get(self, url: str) -> Any:
        """Return what a URL answers, as JSON."""
        return self._json(self._send("GET", url))

    def post(self, url: str, content: bytes, headers: dict[str, str]) -> httpx.Response:
        """Return the answer to a request with a body.

        Raises:
            TryAgain: It may succeed later.
            TargetError: It won't.
        """
        return self._send("POST", url, content=content, headers=headers)

    def json_of(self, response: httpx.Response) -> Any:
        """Return an answer as JSON.

        Raises:
            TargetError: It is none.
        """
        return self._json(response)

    def _send(self, method: str, url: str, **content: Any) -> httpx.Response:
        try:
            response = self._client.request(method, url, **content)
        except self._errors.TimeoutException as error:
            raise TryAgain(f"{url} didn't answer in time", paid=True) from error
        except self._errors.InvalidURL as error:
            raise TargetError(f"{url} is no URL ({error})") from error
        except self._errors.HTTPError as error:
            raise TryAgain(f"{url} can't be reached ({error or type(error).__name__})") from error
        if response.status_code in LATER:
            raise TryAgain(f"{url} answered {_status(response)}", after=_seconds(response.headers.get("retry-after")))
        if not response.is_success:
            hint = f"; set {TOKEN}" if response.status_code in (401, 403) else ""
            raise TargetError(f"{url} answered {_status(response)}{hint}")
        return response

    def _json(self, response: httpx.Response) -> Any:
        try:
            return json.loads(response.content)
        except (ValueError, RecursionError) as error:
            start = " ".join(response.text.split())[:80]
            raise TargetError(f"{response.url} answered what is no JSON: {start}") from error


def _status(response: httpx.Response) -> str:
    """Return an answer's status with what the server says of it."""
    said = " ".join(response.text.split())[:200]
    return f"{response.status_code} {response.reason_phrase}{f': {said}' if said else ''}"


def _seconds(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header; None where it has none, or a date."""
    try:
        return max(0.0, float(value)) if value else None
    except ValueError:
        return None
