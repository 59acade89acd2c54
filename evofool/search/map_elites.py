"""MAP-Elites over the classes of a target.

Mouret & Clune 2015, as Nguyen, Yosinski, Clune 2015 use it (section 2.4): one niche per class, every child compared
with every niche. The original draws parents uniformly over the niches, ``selectors`` has others. An archive with
several niches per class measures the children that could enter one (``diversity``).

    ask:   parents ← select(archive);  children ← mutate(mate(parents))
    tell:  for every niche: the child that scores its class highest replaces a weaker elite

Where children are scored in a fast approximation, those that could enter the archive are confirmed: scored again, and
only that counts. While most of a generation would be confirmed, it is at once, and not approximated before.

With many niches nearly every child enters somewhere, and most of them are replaced before long. So a few are confirmed,
and the others become provisional elites. These are confirmed all together when few are left of the many that entered.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from deap import base

from ..engines.population import NO_EVALUATION, Population
from ..errors import TargetError
from .archive import Archive, Update
from .emitters.emitter_schedule import EmitterSchedule
from .niche_genomes import NicheGenomes
from .provisional import confirm_elites
from .states import State, prefixed, under, whole_numbers

MANY_NICHES = 100
"""Number of niches above which elites may be provisional."""

CONFIRMED_OF_MANY = 2
"""How many children of a generation are confirmed then: those that promise most."""

PROVISIONAL_SHARE = 0.05
"""Provisional elites are confirmed when they are at most this share of the evaluations since the last time.

A confirmation takes as long as two or three approximations in bfloat16, so this bounds what confirmations take.
"""

CONFIRMED_AT_ONCE = 2 / 3
"""Share of the last generation's children that were to be confirmed above which the next one is confirmed at once.

A confirmation takes two to three times as long as the approximation in bfloat16, so that both together take longer than
confirmations alone from a half to two thirds on.
"""


class MapElites:
    """The search. It looks its operators up in the toolbox at every step, so that a user can swap them.

    Args:
        toolbox: The operators ``random``, ``decode``, ``confirm`` and ``check``, those that emitters are registered
            as, and ``measure`` where a class has several niches. Scores are checked once the archive has them: a GPU
            has caught up by then.
        archive: An archive, empty or not.
        schedule: The emitters, and which of them proposes a generation.
        batch: Children per generation.
        initial: Genomes that it begins with, or None.
        portion: How many of these a generation has; None: the first generation has all of them.
        confirm: Whether children that could enter the archive are scored again through ``toolbox.confirm``. Needed
            where ``toolbox.evaluate`` is a fast approximation. It may confirm a population whose ``exact`` asks for
            that, and then sets its ``confirmed``.
        provisional: Whether elites may be provisional, where a class has one niche and there are more than
            ``MANY_NICHES``.

    Attributes:
        initial: Those of the genomes that it begins with which are still to come, or None.
        generation: How many generations were told.
        evaluations: How many children were told, and the forward passes of gradients beside them.
        confirmations: How many images were scored again.
        proposer: The emitter that proposed the generation that was told last, None where it was random.
    """

    def __init__(
        self,
        toolbox: base.Toolbox,
        archive: Archive,
        schedule: EmitterSchedule,
        *,
        batch: int,
        initial: Any = None,
        portion: int | None = None,
        confirm: bool = False,
        provisional: bool = True,
    ) -> None:
        self.toolbox, self.archive, self.schedule, self.batch = toolbox, archive, schedule, batch
        self._provisional = provisional and confirm and archive.measures is None and len(archive) > MANY_NICHES
        self.initial, self._portion, self.confirm, self._at_once = initial, portion, confirm, confirm
        self._entering = min(1.0, len(archive) / batch)
        self.proposer: str | None = None
        self._drawn: str | None = None
        self.generation = self.evaluations = self.confirmations = self._all_confirmed = 0

    def ask(self) -> Population:
        """Return the children of the next generation."""
        if self.archive.genomes is None or self.initial is not None:
            return self._beginning()
        proposer, self._drawn = self._drawn or self.schedule.draw(self.evaluations), None
        children, parents = getattr(self.toolbox, proposer)(self.archive, self.batch)
        return Population(children, parents, self.archive.class_indices, proposer, exact=self._wants_exact)

    def ask_ahead(self, last: Population) -> Population | None:
        """Return the children of the generation after one that is not told yet.

        Args:
            last: That generation.

        Returns:
            None where there are no elites yet, or the same emitter proposed both and learns from the scores of its
            children: :meth:`ask` returns them when ``last`` is told.
        """
        if self.archive.genomes is None:
            return None
        if self.initial is not None:
            return self._beginning()
        self._drawn = self._drawn or self.schedule.draw(self.evaluations)
        waits = self._drawn == last.proposer and self.schedule.emitters[self._drawn].learns
        return None if waits else self.ask()

    def confirm_always(self) -> None:
        """Confirm what could enter the archive before it does, whatever a population says of its scores."""
        self.confirm, self._at_once, self._provisional = True, False, False

    def tell(self, population: Population) -> Update:
        """Let scored children into the archive.

        Raises:
            TargetError: The population has no scores, or they are no probabilities.
        """
        scores, genomes, parents = population.scores, population.genomes, population.parents
        if scores is None:
            raise TargetError("the population has no scores: call toolbox.map(toolbox.evaluate, population) first")
        searched, evaluation_ids = scores, self.evaluations + np.arange(len(population))
        confirmed, measures, provisional = 0, None, None
        if self.confirm or self.archive.measures is not None:
            promise = None
            if self._provisional:
                rows, promise = self.archive.promises(scores)
            else:
                rows = self.archive.contenders(scores)
            if self.confirm:
                self._entering = len(rows) / len(population)
            contenders, scores, evaluation_ids = population.take(rows), scores[rows], evaluation_ids[rows]
            genomes, parents = contenders.genomes, contenders.parents
            if self.confirm and not (population.confirmed and self._at_once):
                provisional = np.zeros(len(rows), bool)
                if promise is not None:
                    provisional[np.argsort(-promise, kind="stable")[CONFIRMED_OF_MANY:]] = True
                sure = np.flatnonzero(~provisional)
                scores[sure] = self.toolbox.confirm(contenders.take(sure))
                confirmed = len(sure)
            if self.archive.measures is not None:
                images = self.toolbox.decode(genomes) if contenders.images is None else contenders.images
                measures = self.toolbox.measure(images, genomes) if len(rows) else self.archive.measures[:0]
        before = self._total_confidence() if self.schedule.learns else 0.0
        number = self.generation + 1
        update = self.archive.update(genomes, scores, evaluation_ids, parents, number, measures, provisional)
        for to_check in (searched, scores) if self.confirm else (searched,):
            self.toolbox.check(to_check)
        self.generation = number
        self.evaluations += len(population)
        self.confirmations += confirmed
        self.proposer = population.proposer
        if self.proposer is not None:
            emitter = self.schedule.emitters[self.proposer]
            emitter.tell(self.archive, searched)
            self.evaluations += emitter.passes
            if self.schedule.learns:
                gain = max(0.0, self._total_confidence() - before) / (len(population) + emitter.passes)
                self.schedule.record(self.proposer, gain)
        waiting = self.archive.waiting()
        if 0 < waiting <= PROVISIONAL_SHARE * (self.evaluations - self._all_confirmed):
            self.confirmations += confirm_elites(self.archive, self.toolbox, self.batch)
            self._all_confirmed = self.evaluations
        return update

    def state(self) -> State:
        """Return all that the next generation depends on, but genomes and random generators, as arrays."""
        drawn = {} if self._drawn is None else {"drawn": np.array([self.schedule.number(self._drawn)], np.int64)}
        return {
            **drawn,
            "counts": np.array([self.generation, self.evaluations, self.confirmations], np.int64),
            "entering": np.array(self._entering, np.float64),
            **({"all_confirmed": np.array([self._all_confirmed], np.int64)} if self._provisional else {}),
            **prefixed("archive", self.archive.state()),
            **prefixed("emitters", self.schedule.state()),
        }

    def restore(self, state: State, genomes: NicheGenomes | None) -> None:
        """Take up what :meth:`state` returned.

        Args:
            state: The state.
            genomes: The archive's genomes.

        Raises:
            ValueError: The state doesn't fit itself or the archive.
            KeyError: An array is missing.
        """
        self.generation, self.evaluations, self.confirmations = whole_numbers("counts", state["counts"], 3).tolist()
        entering = state["entering"]
        if entering.shape or entering.dtype != np.float64 or not 0 <= entering <= 1:
            raise ValueError("entering should be one number from 0 to 1")
        self._entering = float(entering)
        if (since := state.get("all_confirmed")) is not None:
            self._all_confirmed = int(whole_numbers("all_confirmed", since, 1)[0])
        if self._all_confirmed > self.evaluations:
            raise ValueError("all_confirmed should be at most the evaluations")
        self.archive.restore(under("archive", state), genomes)
        if self.archive.evaluation_id.max() >= self.evaluations or self.archive.generation.max() > self.generation:
            raise ValueError("counts are less than the elites say")
        self.schedule.restore(under("emitters", state), self.archive)
        drawn = state.get("drawn")
        self._drawn = None if drawn is None else self.schedule.named(int(whole_numbers("drawn", drawn, 1)[0]))

    @property
    def _wants_exact(self) -> bool:
        """Whether the next generation should be confirmed at once."""
        return self._at_once and not self._provisional and self._entering > CONFIRMED_AT_ONCE

    def _total_confidence(self) -> float:
        """Return the sum of all elites' confidences."""
        return float(self.archive.confidence[self.archive.held()].sum(dtype=np.float64))

    def _beginning(self) -> Population:
        """Return random genomes, and the next of the initial ones in the place of the first of them."""
        left = 0 if self.initial is None else len(self.initial)
        count = min(left, self._portion or left)
        genomes = self.toolbox.random(max(self.batch, count))
        if count:
            genomes.put(np.arange(count), self.initial.take(np.arange(count)))
            self.initial = self.initial.take(np.arange(count, left)) if count < left else None
        parents = np.full(len(genomes), NO_EVALUATION, np.int64)
        return Population(genomes, parents, self.archive.class_indices, exact=self._wants_exact)
