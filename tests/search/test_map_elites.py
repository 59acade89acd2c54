"""MAP-Elites over classes: who becomes a parent, who an elite, what is confirmed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from deap import base
from support import build, genomes_of, random_images, tiny_target
from torch import Tensor

from evofool.config.evolve import EvolveOptions
from evofool.encodings.direct.batch import DirectBatch
from evofool.engines.local import LocalEngine
from evofool.engines.population import NO_EVALUATION, Population
from evofool.errors import TargetError
from evofool.rng import Rng
from evofool.search.archive import Archive
from evofool.search.emitters.emitter_schedule import EmitterSchedule
from evofool.search.emitters.vary import Vary
from evofool.search.map_elites import MapElites
from evofool.search.provisional import Preview, confirm_elites
from evofool.search.toolbox import build_toolbox


def map_elites(niches: int = 4, batch: int = 10, preset: str = "default", **options: Any) -> MapElites:
    rng, encoding = Rng(0), build("direct", preset)
    toolbox = build_toolbox(LocalEngine(tiny_target()), encoding, rng, EvolveOptions(selector="uniform"))
    vary = Vary(toolbox, options.pop("crossover_rate", encoding.crossover_rate), rng)
    toolbox.register("vary", vary.ask)
    schedule = EmitterSchedule({"vary": (vary, 0)}, rng)
    return MapElites(toolbox, Archive(np.arange(niches), 4), schedule, batch=batch, **options)


def advance(elites: MapElites, scores: Tensor | None = None) -> Population:
    """One generation; returns it."""
    population = elites.ask()
    population.scores = elites.toolbox.evaluate(population) if scores is None else scores
    elites.tell(population)
    return population


def test_the_first_generation_is_random_and_has_no_parents() -> None:
    elites = map_elites(batch=12)
    population = elites.ask()
    assert len(population) == 12
    assert population.parents.tolist() == [NO_EVALUATION] * 12
    assert len(population.genomes.genes.flatten(1).unique(dim=0)) == 12


def test_the_first_generation_fills_every_niche() -> None:
    elites = map_elites(batch=3)
    population = advance(elites)
    assert len(elites.archive.genomes) == 4
    assert population.scores is not None
    assert elites.archive.confidence.tolist() == population.scores.amax(0).tolist()
    assert (elites.archive.generation == 1).all()


@pytest.mark.parametrize("seeds", [3, 25])
def test_given_genomes_take_part_in_the_first_generation(seeds: int) -> None:
    """All of them, even where they are more than a batch."""
    initial = DirectBatch(random_images(seeds, seed=9))
    elites = map_elites(batch=10, initial=initial)
    genes = elites.ask().genomes.genes
    assert len(genes) == max(10, seeds)
    assert torch.equal(genes[:seeds], initial.genes)
    elites = map_elites(batch=10, initial=initial)
    advance(elites)
    assert len(elites.ask()) == 10


def test_children_are_mutated_copies_of_the_selected_elites() -> None:
    elites = map_elites(batch=6, crossover_rate=0.0)
    advance(elites)
    chosen = np.array([3, 1, 1, 0, 2, 3])
    elites.toolbox.register("select", lambda archive, n: chosen)
    elites.toolbox.register("mutate", lambda parents: parents)
    population = elites.ask()
    assert torch.equal(population.genomes.genes, genomes_of(elites.archive).genes[torch.from_numpy(chosen)])
    assert population.parents.tolist() == elites.archive.evaluation_id[chosen].tolist()


def test_asking_leaves_the_archive_alone() -> None:
    elites = map_elites(preset="nguyen2015")
    advance(elites)
    before = genomes_of(elites.archive).genes
    elites.ask()
    assert torch.equal(genomes_of(elites.archive).genes, before)


@pytest.mark.parametrize("rate", [0.0, 0.5, 1.0])
def test_crossover_takes_part_at_its_rate_with_elites_as_partners(rate: float) -> None:
    elites = map_elites(batch=2000, crossover_rate=rate)
    advance(elites)
    crossed: list[int] = []

    def mate(parents: DirectBatch, partners: DirectBatch) -> DirectBatch:
        genomes = {bytes(genes.numpy()) for genes in genomes_of(elites.archive).genes}
        assert all(bytes(genes.numpy()) in genomes for genes in (*parents.genes, *partners.genes))
        crossed.append(len(parents))
        return DirectBatch(torch.zeros_like(parents.genes))

    elites.toolbox.register("mate", mate)
    elites.toolbox.register("mutate", lambda parents: parents)
    genes = elites.ask().genomes.genes
    assert sum(crossed) == pytest.approx(rate * 2000, abs=4 * np.sqrt(2000 * rate * (1 - rate)) + 1e-9)
    assert (genes == 0).flatten(1).all(1).sum() == sum(crossed)


def test_evaluations_are_numbered_over_all_generations_and_point_to_parents() -> None:
    elites = map_elites(batch=5)
    advance(elites, torch.full((5, 4), 0.1))
    assert elites.archive.evaluation_id.tolist() == [0, 0, 0, 0]
    scores = torch.full((5, 4), 0.05)
    scores[2, 1], scores[4, 3] = 0.9, 0.8
    population = advance(elites, scores)
    assert population.parents.tolist() == [0] * 5
    assert elites.archive.evaluation_id.tolist() == [0, 7, 0, 9]
    assert elites.archive.parent.tolist() == [NO_EVALUATION, 0, NO_EVALUATION, 0]
    assert elites.archive.generation.tolist() == [1, 2, 1, 2]
    assert (elites.generation, elites.evaluations, elites.confirmations) == (2, 10, 0)


def test_a_population_without_scores_is_refused_with_what_to_do() -> None:
    elites = map_elites()
    with pytest.raises(TargetError, match=r"toolbox\.map\(toolbox\.evaluate, population\)"):
        elites.tell(elites.ask())
    assert elites.generation == 0


def test_a_generation_whose_scores_are_no_numbers_does_not_count() -> None:
    elites = map_elites(batch=5)
    with pytest.raises(TargetError, match="NaN"):
        advance(elites, torch.full((5, 4), torch.nan))
    assert (elites.generation, elites.evaluations, elites.confirmations) == (0, 0, 0)


def confirming(elites: MapElites, answer: Tensor) -> list[Tensor]:
    """Make the confirmation answer rows of ``answer`` (B, K), by the image's first pixel."""
    asked: list[Tensor] = []

    def confirm(population: Population) -> Tensor:
        images = elites.toolbox.decode(population.genomes)
        asked.append(images)
        return answer[images[:, 0, 0, 0].long()]

    elites.toolbox.register("confirm", confirm)
    return asked


def numbered(n: int) -> Population:
    """Children whose first pixel is their row."""
    genes = torch.zeros(n, 3, 8, 8, dtype=torch.uint8)
    genes[:, 0, 0, 0] = torch.arange(n, dtype=torch.uint8)
    return Population(DirectBatch(genes), np.arange(n) + 100)


def test_only_contenders_are_confirmed_and_only_confirmed_scores_enter() -> None:
    elites = map_elites(niches=2, confirm=True)
    exact = torch.tensor([[0.5, 0.1, 0, 0], [0.1, 0.6, 0, 0], [0.9, 0.1, 0, 0], [0.1, 0.1, 0.8, 0]])
    asked = confirming(elites, exact)
    first = numbered(2)
    first.scores = torch.tensor([[0.7, 0.2, 0, 0], [0.2, 0.7, 0, 0]])
    elites.tell(first)
    assert elites.archive.confidence.tolist() == pytest.approx([0.5, 0.6])  # the fast 0.7 counts for nothing
    assert elites.confirmations == 2

    second = numbered(4)
    second.scores = torch.tensor([[0.4, 0.1, 0, 0], [0.1, 0.99, 0, 0], [0.51, 0.1, 0, 0], [0, 0, 1.0, 0]])
    update = elites.tell(second)
    # Row 0 beats nobody. Row 1 seemed to, but is confirmed to be the elite's equal. Row 3 shines in no niche.
    assert asked[-1][:, 0, 0, 0].tolist() == [1, 2]
    assert update.niches.tolist() == [0]
    assert elites.archive.confidence.tolist() == pytest.approx([0.9, 0.6])
    assert elites.archive.evaluation_id.tolist() == [2 + 2, 1]  # numbered by its place in the whole generation
    assert elites.archive.parent.tolist() == [102, 101]
    assert elites.archive.kept.values[0].tolist() == pytest.approx(exact[2].tolist())
    assert genomes_of(elites.archive).genes[:, 0, 0, 0].tolist() == [2, 1]
    assert (elites.generation, elites.evaluations, elites.confirmations) == (2, 6, 4)


def test_of_children_that_beat_the_same_elite_only_the_best_is_confirmed() -> None:
    elites = map_elites(niches=1, confirm=True)
    asked = confirming(elites, torch.tensor([[0.1, 0, 0, 0], [0.6, 0, 0, 0], [0.2, 0, 0, 0]]))
    children = numbered(3)
    children.scores = torch.tensor([[0.1, 0, 0, 0], [0.2, 0, 0, 0], [0.5, 0, 0, 0]])
    update = elites.tell(children)
    assert asked[-1][:, 0, 0, 0].tolist() == [2]
    assert (update.niches.tolist(), update.rows.tolist(), elites.confirmations) == ([0], [0], 1)
    assert elites.archive.evaluation_id.tolist() == [2]
    assert elites.archive.confidence.tolist() == pytest.approx([0.2])


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three niches are many, and one child of a generation is confirmed."""
    monkeypatch.setattr("evofool.search.map_elites.MANY_NICHES", 2)
    monkeypatch.setattr("evofool.search.map_elites.CONFIRMED_OF_MANY", 1)


EXACT = torch.tensor([[0.5, 0.1, 0.1, 0], [0.1, 0.6, 0, 0], [0, 0, 0.05, 0], [0.45, 0, 0.2, 0]])
"""What :func:`numbered` children score when they are confirmed."""


@pytest.mark.usefixtures("many")
def test_with_many_niches_the_most_promising_child_is_confirmed_and_others_are_provisional() -> None:
    elites = map_elites(niches=3, confirm=True)
    asked = confirming(elites, EXACT)
    first, second = numbered(1), numbered(3)
    assert not elites.ask().exact
    first.scores = torch.tensor([[0.4, 0.2, 0.2, 0]])
    elites.tell(first)
    assert elites.archive.confidence.tolist() == pytest.approx([0.5, 0.1, 0.1])
    assert not elites.archive.provisional.any()

    second.scores = torch.tensor([[0.51, 0, 0, 0], [0.1, 0.9, 0, 0], [0, 0, 0.11, 0]])
    update = elites.tell(second)
    assert asked[-1][:, 0, 0, 0].tolist() == [1]
    assert update.niches.tolist() == [0, 1, 2]
    assert elites.archive.confidence.tolist() == pytest.approx([0.51, 0.6, 0.11])
    assert elites.archive.provisional.tolist() == [True, False, True]
    assert (elites.evaluations, elites.confirmations) == (4, 2)
    assert elites.archive.evaluation_id.tolist() == [1, 2, 3]


@pytest.mark.usefixtures("many")
def test_provisional_elites_are_confirmed_when_they_are_few_among_those_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evofool.search.map_elites.PROVISIONAL_SHARE", 0.25)
    elites = map_elites(niches=3, batch=1, confirm=True)
    asked = confirming(elites, EXACT)
    first, second, idle = numbered(1), numbered(3), numbered(3)
    first.scores = torch.tensor([[0.4, 0.2, 0.2, 0]])
    second.scores = torch.tensor([[0.51, 0, 0, 0], [0.1, 0.9, 0, 0], [0, 0, 0.11, 0]])
    idle.scores = torch.zeros(3, 4)
    for population in (first, second):
        population.parents[:] = NO_EVALUATION
        elites.tell(population)
    assert elites.archive.provisional.sum() == 2  # of four
    again = map_elites(niches=3, batch=1, confirm=True)
    confirming(again, EXACT)
    again.restore(elites.state(), elites.archive.genomes)
    elites.tell(idle)
    assert elites.archive.provisional.sum() == 2  # of seven
    elites.tell(idle)
    assert not elites.archive.provisional.any()  # of ten
    assert elites.archive.confidence.tolist() == pytest.approx([0.5, 0.6, 0.05])
    assert [images[:, 0, 0, 0].tolist() for images in asked[-2:]] == [[0], [2]]  # in batches of one
    assert elites.confirmations == 4
    for _ in range(2):
        again.tell(idle)
    for name, array in elites.state().items():
        np.testing.assert_array_equal(array, again.state()[name], name)
    assert elites.state()["all_confirmed"].tolist() == [10]


@pytest.mark.usefixtures("many")
def test_a_provisional_child_of_several_niches_is_confirmed_once_and_looking_changes_nothing() -> None:
    elites = map_elites(niches=3, confirm=True)
    asked = confirming(elites, EXACT)
    first, second = numbered(1), numbered(4)
    first.scores = torch.tensor([[0.4, 0.2, 0.2, 0]])
    second.scores = torch.tensor([[0, 0, 0, 0], [0, 0.9, 0, 0], [0, 0, 0, 0], [0.52, 0, 0.12, 0]])
    elites.tell(first)
    elites.tell(second)
    archive, before = elites.archive, elites.archive.state()
    assert archive.provisional.tolist() == [True, False, True]
    preview = Preview(archive, elites.toolbox, 10)
    confirmed, looked = preview.confidence(), len(asked)
    np.testing.assert_array_equal(preview.confidence(), confirmed)
    assert len(asked) == looked  # what is known is not scored again
    for name, array in archive.state().items():
        np.testing.assert_array_equal(array, before[name], name)
    assert confirm_elites(archive, elites.toolbox, 10) == 1
    assert asked[-1][:, 0, 0, 0].tolist() == [3]
    assert archive.confidence.tolist() == confirmed.tolist() == pytest.approx([0.45, 0.6, 0.2])
    assert confirm_elites(archive, elites.toolbox, 10) == 0


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("swapped", [True, False])
def test_nothing_is_provisional_where_a_user_evaluates_or_islands_exchange_elites(swapped: bool) -> None:
    elites = map_elites(niches=3, confirm=True, provisional=swapped)
    if swapped:
        elites.confirm_always()
    confirming(elites, EXACT)
    children = numbered(4)
    children.scores = torch.tensor([[0.9, 0, 0, 0], [0, 0.9, 0, 0], [0, 0, 0.9, 0], [0, 0, 0, 0]])
    elites.tell(children)
    assert elites.archive.confidence.tolist() == pytest.approx([0.5, 0.6, 0.1])
    assert (elites.archive.provisional.any(), elites.confirmations) == (False, 3)


def test_a_generation_is_confirmed_at_once_while_most_children_enter() -> None:
    elites = map_elites(niches=4, batch=4, confirm=True)
    first = elites.ask()
    assert first.exact  # each of the four could have a niche
    first.scores, first.confirmed = torch.eye(4) / 2, True
    elites.tell(first)
    assert elites.archive.confidence.tolist() == [0.5] * 4
    assert elites.confirmations == 0

    second = elites.ask()
    assert second.exact
    second.scores, second.confirmed = torch.eye(4) * torch.tensor([0.6, 0.6, 0.1, 0.1]), True
    elites.tell(second)
    assert not elites.ask().exact  # only half of the second generation entered


def test_few_niches_are_not_worth_confirming_a_whole_generation() -> None:
    assert not map_elites(niches=2, batch=4, confirm=True).ask().exact
    assert not map_elites(niches=4, batch=4).ask().exact  # what evaluates is exact already


def test_what_a_population_says_of_itself_does_not_count_where_a_user_evaluates() -> None:
    elites = map_elites(niches=4, batch=4, confirm=True)
    elites.confirm_always()
    asked = confirming(elites, torch.eye(4) / 4)
    children = numbered(4)
    children.scores, children.confirmed = torch.eye(4), True
    elites.tell(children)
    assert len(asked[0]) == elites.confirmations == 4
    assert elites.archive.confidence.tolist() == [0.25] * 4
    assert not elites.ask().exact


@pytest.mark.parametrize("entering", [np.array(1.5), np.array(np.nan), np.array(1), np.array([0.5])])
def test_a_share_that_no_generation_can_have_is_refused(entering: np.ndarray) -> None:
    elites = map_elites()
    with pytest.raises(ValueError, match="from 0 to 1"):
        elites.restore({**elites.state(), "entering": entering}, None)


def test_a_generation_without_contenders_confirms_nothing_and_changes_nothing() -> None:
    elites = map_elites(niches=2, confirm=True)
    confirming(elites, torch.full((3, 4), 0.5))
    first = numbered(3)
    first.scores = torch.full((3, 4), 0.5)
    elites.tell(first)
    weak = numbered(3)
    weak.scores = torch.full((3, 4), 0.5)
    update = elites.tell(weak)
    assert update.niches.tolist() == []
    assert (elites.generation, elites.evaluations, elites.confirmations) == (2, 6, 1)


def test_operators_are_looked_up_when_they_are_used() -> None:
    elites = map_elites(batch=4, crossover_rate=0.0)
    assert isinstance(elites.toolbox, base.Toolbox)
    calls: list[str] = []
    advance(elites)
    for name in ("select", "mutate"):
        original = getattr(elites.toolbox, name)
        elites.toolbox.register(
            name, lambda *a, _name=name, _original=original, **k: (calls.append(_name), _original(*a, **k))[1]
        )
    advance(elites)
    assert calls == ["select", "mutate"]
