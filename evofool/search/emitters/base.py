"""What an emitter is.

To add one, write a file beside this one with a subclass of :class:`Emitter` and name it in ``registry.EMITTERS``. Its
operators come from the toolbox, looked up at every call, so that a user's own take part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from deap import base

from ...encodings.base import Encoding, Indices
from ..states import State

if TYPE_CHECKING:
    from torch import Tensor

    from ...rng import Rng
    from ..archive import Archive


class Emitter:
    """Proposes children of an archive's elites.

    An emitter that learns from its children's scores keeps all that its next children depend on, random generators
    aside, in its state.

    Attributes:
        cppn_use: What it does with CPPNs, where it takes no other genomes: "works on the weights of", say.
        min_batch: Smallest number of children per generation that it can propose.
        operators: The operators of the toolbox that it calls.
        learns: Whether its next children depend on the scores of its last ones in another way than by the archive.
        needs_gradients: Whether the target has to give gradients, which the operator ``look`` takes.
        passes: Forward passes that the last :meth:`ask` took; a backward pass counts as two.
    """

    cppn_use: ClassVar[str | None] = None
    min_batch: ClassVar[int] = 1
    operators: tuple[str, ...]
    learns: ClassVar[bool] = False
    needs_gradients: ClassVar[bool] = False
    passes = 0

    @classmethod
    def build(cls, toolbox: base.Toolbox, encoding: Encoding, rng: Rng) -> Self:
        """Return the emitter of an evolution.

        Args:
            toolbox: The evolution's operators; see :func:`evofool.search.toolbox.build_toolbox`.
            encoding: The encoding of the genomes.
            rng: The evolution's random generators.
        """
        raise NotImplementedError

    def ask(self, archive: Archive, n: int) -> tuple[Any, Indices]:
        """Return a batch of ``n`` children, and the evaluation IDs (n,) of their parents."""
        raise NotImplementedError

    def tell(self, archive: Archive, scores: Tensor) -> None:
        """Take the scores (n, K) of the children that were asked for last. The archive has taken them already."""

    def state(self) -> State:
        """Return its state between two generations, as arrays."""
        return {}

    def restore(self, state: State, archive: Archive) -> None:
        """Take up what :meth:`state` returned. The archive has been restored already.

        Raises:
            ValueError: The state doesn't fit itself or the archive.
            KeyError: An array is missing.
        """
