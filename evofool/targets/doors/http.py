"""Classifiers behind a server: ``http://…`` and ``https://…``."""

from __future__ import annotations

from urllib.parse import urlsplit

from ...errors import TargetError
from .base import Loaded, Request
from .needs import need_package

PREFIX = ""
EXAMPLE = "http://localhost:8080/v2/models/NAME"
SUFFIXES: tuple[str, ...] = ()
WHAT = "a server: Open Inference Protocol v2, or POST a picture, get labels (extra: http)"


def claims(name: str) -> bool:
    """Return whether a name is a URL."""
    return name.startswith(("http://", "https://"))


def check(name: str) -> None:
    """Check that it is a URL and urllib3 is installed. Whether a server answers is seen when it is asked."""
    try:
        host = urlsplit(name).hostname
    except ValueError:
        host = None
    if not host:
        raise TargetError(f"{name} is no URL; expected one such as {EXAMPLE}")
    need_package("urllib3", "targets behind a server", "http")


def load(name: str, request: Request) -> Loaded:
    """Return a server's model as a target; see :class:`~.base.Door`."""
    check(name)
    from ..http.loading import load as load_model

    return load_model(name, request)
