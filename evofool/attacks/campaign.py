"""A campaign's loop: the attempts of a plan against many images, scored together, outcome by outcome."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..config.records import PlanRecord
from ..engines.base import Cluster, Engine
from ..engines.local import engine_of
from ..targets.protocols import Target
from .attempts import Attempts
from .deck import Deck
from .operators import Operators, operators_of
from .outcome import Outcome
from .spread import Common, attempt
from .subject import Subject


class Campaign:
    """Attempts against images. Nothing is printed or written here: iterate over :meth:`run`.

    An outcome is the same whichever other attempts run beside it, and wherever they do.

    Args:
        target: The classifier to fool, or an engine that scores images for it.
        subjects: The images under attack, in order.
        plan: What is done with each.
        operators: The operators of the searches, where some are swapped.

    Raises:
        GenomeError: The plan has more pixels than the images.
        ConfigError: The plan has more pixels than its strategy can edit.
    """

    def __init__(
        self,
        target: Target | Engine,
        subjects: Sequence[Subject],
        plan: PlanRecord,
        operators: Operators | None = None,
    ) -> None:
        self.engine = engine_of(target)
        self.target, self.subjects, self.plan = self.engine.target, subjects, plan
        self.operators = operators or operators_of(plan, self.target.image_shape)
        self.attempts = Attempts(self.engine, plan, self.operators)
        self._deck = Deck(plan, subjects, len(self.target.classes))
        self._scored_before = self.engine.facts().images if isinstance(self.engine, Cluster) else 0

    @property
    def scored(self) -> int:
        """Candidates scored in this session."""
        if isinstance(self.engine, Cluster):
            return self.engine.facts().images - self._scored_before
        return self.attempts.pool.scored

    @property
    def running(self) -> int:
        """Attempts under way."""
        return self._deck.dealt

    def run(self, finished: Iterable[Outcome] = ()) -> Iterator[list[Outcome]]:
        """Run all attempts that have no outcome yet. Yields the new outcomes after each batch, often none.

        Args:
            finished: The outcomes that there are.
        """
        self._deck = Deck(self.plan, self.subjects, len(self.target.classes), finished)
        return self._run_on(self.engine) if isinstance(self.engine, Cluster) else self._run_here()

    def _run_here(self) -> Iterator[list[Outcome]]:
        """Run the attempts in this process."""
        deck, attempts = self._deck, self.attempts
        while True:
            outcomes: list[Outcome] = []
            while attempts.pool.has_room and (taken := deck.take(1)):
                if (ended := attempts.start(taken[0])) is not None:
                    deck.done(ended)
                    outcomes += ended.outcomes
            for ended in attempts.step():
                deck.done(ended)
                outcomes += ended.outcomes
            yield outcomes
            if not attempts.pool.entries and not deck.waits():
                return

    def _run_on(self, cluster: Cluster) -> Iterator[list[Outcome]]:
        """Have workers run the attempts."""
        for done in cluster.work(attempt, Common(self.plan, self.operators.hook), self._deck):
            outcomes: list[Outcome] = []
            for _, ended in done:
                self._deck.done(ended)
                outcomes += ended.outcomes
            yield outcomes
