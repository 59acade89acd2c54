"""Requests to a server: what comes back as JSON, and what to do when nothing does."""

from __future__ import annotations

import json
import os
import re
import urllib.request
import weakref
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ...errors import TargetError
from ..queries.policy import TryAgain

if TYPE_CHECKING:
    import urllib3

TOKEN = "EVOFOOL_HTTP_TOKEN"
"""The environment variable with the token that servers are given, as ``Authorization: Bearer …``."""

REDIRECTS = 5
"""How often a server may send a request elsewhere."""

_BEGINNING = re.compile(r"^HTTPS?Connection(Pool)?\(.*?\): ")
"""How messages of urllib3 begin, which say again what is asked."""

LATER = (408, 425, 429, 500, 502, 503, 504)
"""Answers after which the same request may succeed."""


class Client:
    """A connection to a server that several threads share.

    A proxy that the system or the environment names is used.

    Args:
        url: The server's URL.
        timeout: Seconds that a request may take.
        concurrency: Requests at the same time.
    """

    def __init__(self, url: str, timeout: float, concurrency: int) -> None:
        import urllib3

        self.url, self._urllib3 = url, urllib3
        token, parts = os.environ.get(TOKEN), urlsplit(url)
        proxy = urllib.request.getproxies().get(parts.scheme)
        options: dict[str, Any] = {
            "num_pools": 2,
            "maxsize": concurrency,
            "block": True,
            "timeout": urllib3.Timeout(total=timeout),
            "retries": urllib3.Retry(total=None, connect=0, read=0, status=0, other=0, redirect=REDIRECTS),
            "headers": {"Authorization": f"Bearer {token}"} if token else {},
        }
        if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
            self._pool: urllib3.PoolManager = urllib3.ProxyManager(proxy, **options)
        else:
            self._pool = urllib3.PoolManager(**options)
        weakref.finalize(self, self._pool.clear)

    def get(self, url: str) -> Any:
        """Return what a URL answers, as JSON."""
        return self.json_of(self._send("GET", url))

    def post(self, url: str, content: bytes, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        """Return the answer to a request with a body.

        Raises:
            TryAgain: It may succeed later.
            TargetError: It won't.
        """
        return self._send("POST", url, body=content, headers={**self._pool.headers, **headers})

    def json_of(self, response: urllib3.BaseHTTPResponse) -> Any:
        """Return an answer as JSON.

        Raises:
            TargetError: It is none.
        """
        try:
            return json.loads(response.data)
        except (ValueError, RecursionError) as error:
            raise TargetError(f"{response.url or self.url} answered what is no JSON: {_said(response)[:80]}") from error

    def _send(self, method: str, url: str, **content: Any) -> urllib3.BaseHTTPResponse:
        errors = self._urllib3.exceptions
        try:
            response = self._pool.request(method, url, **content)
        except errors.LocationValueError as error:
            raise TargetError(f"{url} is no URL ({error})") from error
        except errors.HTTPError as error:
            cause = error.reason if isinstance(error, errors.MaxRetryError) and error.reason else error
            if isinstance(cause, errors.ReadTimeoutError):
                raise TryAgain(f"{url} didn't answer in time", paid=True) from error
            raise TryAgain(f"{url} can't be reached ({_BEGINNING.sub('', str(cause))})") from error
        if response.status in LATER:
            raise TryAgain(f"{url} answered {_status(response)}", after=_seconds(response.headers.get("retry-after")))
        if not 200 <= response.status < 300:
            hint = f"; set {TOKEN}" if response.status in (401, 403) else ""
            raise TargetError(f"{url} answered {_status(response)}{hint}")
        return response


def _status(response: urllib3.BaseHTTPResponse) -> str:
    """Return an answer's status with what the server says of it."""
    said = _said(response)[:200]
    return f"{response.status} {response.reason}{f': {said}' if said else ''}"


def _said(response: urllib3.BaseHTTPResponse) -> str:
    """Return an answer's text in one line."""
    return " ".join(response.data.decode("utf-8", "replace").split())


def _seconds(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header; None where it has none, or a date."""
    try:
        return max(0.0, float(value)) if value else None
    except ValueError:
        return None
