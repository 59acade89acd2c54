"""The options of the experiment ``transfer``."""

from __future__ import annotations

from typing import Annotated

from .fooling import ENCODINGS, FoolingOptions
from .options import option
from .scoring import WEIGHTS

DEFAULT_TARGETS = ("mnist", "mnist:logistic")
"""The networks where nobody names any."""


class TransferOptions(
    FoolingOptions, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="experiment", tag="transfer"
):
    """The options of ``evofool lab transfer`` and of :func:`evofool.transfer`."""

    target: Annotated[
        str | tuple[str, ...] | None,
        option(
            "The networks, two or more; see: evofool targets. One with other weights: cifar10=FILE.safetensors.",
            short="-t",
            default="mnist and mnist:logistic",
            repeated=True,
        ),
    ] = None  # type: ignore[assignment]  # others have one network
    weights: Annotated[str | tuple[str, ...] | None, option(WEIGHTS, path=True, repeated=True)] = None  # type: ignore[assignment]

    @property
    def names(self) -> tuple[str, ...]:
        """The networks' names."""
        return (self.target,) if isinstance(self.target, str) else self.target or DEFAULT_TARGETS

    @property
    def labelled(self) -> bool:
        """Whether labelled images are needed."""
        return not set(self.made) <= set(ENCODINGS)

    @property
    def stem(self) -> str:
        """What a folder of the experiment is called where nobody names one."""
        return f"transfer-{self.names[0].partition('=')[0]}"
