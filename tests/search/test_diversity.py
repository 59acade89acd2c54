"""Archives with several niches a class, against oracles that loop."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support import assert_same_arrays, build, frozen, genomes_of, labelled_batch, random_images, tiny_target

from evofool.engines.population import NO_EVALUATION
from evofool.errors import ConfigError
from evofool.search.archive import Archive
from evofool.search.diversity import Grid, Novelty, check_size, diversity, options_of

CLASSES = 4
TARGET = tiny_target(classes=CLASSES)
SCORES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=CLASSES, max_size=CLASSES)
WANTED = st.lists(st.integers(0, CLASSES - 1), min_size=1, max_size=4, unique=True).map(sorted)


def batches(measures: st.SearchStrategy[list[float]]) -> st.SearchStrategy[Any]:
    return st.lists(st.lists(st.tuples(SCORES, measures), min_size=1, max_size=6), min_size=1, max_size=6)


def feed(archive: Archive, batch: list[tuple[list[float], list[float]]], generation: int) -> None:
    evaluation_id = np.arange(len(batch)) + 20 * generation
    scores, measures = (torch.tensor(part) for part in zip(*batch, strict=True))
    archive.update(
        labelled_batch(evaluation_id.tolist()), scores, evaluation_id, evaluation_id - 7, generation, measures
    )


# A grid

GRID = Grid(("brightness", "complexity"), 3)  # over [0, 1] and [0, 0.2]


@given(WANTED, batches(st.tuples(st.floats(-0.5, 1.5), st.floats(-0.1, 0.4)).map(list)))
def test_a_grid_keeps_the_best_of_each_class_and_cell(wanted: list[int], fed: Any) -> None:
    archive = GRID.archive(np.array(wanted), TARGET)
    best: dict[tuple[int, int], tuple[float, int, list[float]]] = {}
    for generation, batch in enumerate(fed, 1):
        feed(archive, batch, generation)
        for row, (scores, measures) in enumerate(batch):
            low_high = ((measures[0], 1.0), (measures[1], 0.2))
            bins = [min(2, max(0, int(np.floor(np.float32(v) / np.float32(top) * 3)))) for v, top in low_high]
            for place, index in enumerate(wanted):
                niche = place * 9 + bins[0] * 3 + bins[1]
                if scores[index] > best.get((niche, index), (-1.0,))[0]:
                    best[niche, index] = scores[index], row + 20 * generation, measures
    held = archive.held().tolist()
    assert held == sorted(niche for niche, _ in best)
    for (niche, index), (score, evaluation_id, measures) in best.items():
        assert (archive.niches[niche], archive.evaluation_id[niche]) == (index, evaluation_id)
        assert float(archive.confidence[niche]) == float(archive.scores[niche, index]) == score
        assert genomes_of(archive).genes[niche].item() == evaluation_id
        assert archive.measures is not None
        torch.testing.assert_close(archive.measures[niche], torch.tensor(measures))
    for place, niche in enumerate(archive.surest().tolist()):
        own = [score for (n, _), (score, _, _) in best.items() if n // 9 == place]
        assert (niche // 9, float(archive.surest_confidence()[place])) == (place, max(own))


def test_a_record_tells_the_bins_and_what_they_stand_for() -> None:
    archive = GRID.archive(np.array([1, 2]), TARGET)
    feed(archive, [([0.1, 0.2, 0.3, 0.4], [0.5, 0.19])], 1)
    niches = archive.held()
    told = GRID.told(archive, niches)
    assert [one["cell"] for one in told] == [[1, 2], [1, 2]]
    assert told[0]["descriptors"] == pytest.approx({"brightness": 0.5, "complexity": 0.19})


# Novelty

NOVELTY = Novelty("pixels", 3, 0.3)


def points(archive: Archive, place: int) -> tuple[np.ndarray, list[float]]:
    assert archive.measures is not None
    niches = [niche for niche in archive.held().tolist() if niche // archive.cells == place]
    return archive.measures[niches].numpy(), archive.confidence[niches].tolist()


@given(WANTED, batches(st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]), min_size=192, max_size=192)))
def test_images_of_a_class_are_apart_and_its_surest_never_falls(wanted: list[int], fed: Any) -> None:
    archive = NOVELTY.archive(np.array(wanted), TARGET)
    seen = np.full(len(wanted), -1.0)
    for generation, batch in enumerate(fed, 1):
        feed(archive, [(scores, [value / 192**0.5 for value in measures]) for scores, measures in batch], generation)
        for place, index in enumerate(wanted):
            seen[place] = max(seen[place], *(scores[index] for scores, _ in batch))
            where, _ = points(archive, place)
            for one, other in itertools.combinations(where.astype(np.float64), 2):
                assert np.linalg.norm(one - other) >= NOVELTY.least * (1 - 1e-6)
        np.testing.assert_array_equal(archive.surest_confidence(), seen)  # the surest child of all is always kept
    empty = np.setdiff1d(np.arange(len(archive)), archive.held())
    assert (archive.confidence[empty] == -1).all()
    assert (archive.parent[empty] == NO_EVALUATION).all()
    assert not archive.scores[empty].any()


def line(*places: float) -> list[list[float]]:
    """Points on a line, in the space of 192 numbers."""
    return [[place, *[0.0] * 191] for place in places]


def give(archive: Archive, *children: tuple[float, float], generation: int) -> list[tuple[float, float]]:
    """Feed children (score, place on the line); returns what is held, by place."""
    feed(archive, [([score, 0.0, 0.0, 0.0], line(place)[0]) for score, place in children], generation)
    assert archive.measures is not None
    held = archive.held()
    told = zip(archive.measures[held, 0].tolist(), archive.confidence[held].tolist(), strict=True)
    return sorted((round(place, 3), round(score, 3)) for place, score in told)


def test_who_takes_whose_place() -> None:
    archive = NOVELTY.archive(np.array([0]), TARGET)
    assert give(archive, (0.5, 0.0), (0.6, 0.1), generation=1) == [(0.1, 0.6)]  # too near, and surer
    assert give(archive, (0.6, 0.3), generation=2) == [(0.1, 0.6)]  # too near, and not surer
    assert give(archive, (0.2, 0.5), (0.3, 1.0), generation=3) == [(0.1, 0.6), (0.5, 0.2), (1.0, 0.3)]
    assert give(archive, (0.1, 2.0), generation=4) == [(0.1, 0.6), (0.5, 0.2), (1.0, 0.3)]  # no room, and weakest
    assert give(archive, (0.4, 2.0), generation=5) == [(0.1, 0.6), (1.0, 0.3), (2.0, 0.4)]  # instead of the weakest
    assert give(archive, (0.9, 0.25), generation=6) == [(0.25, 0.9), (1.0, 0.3), (2.0, 0.4)]
    assert give(archive, (0.1, 0.6), (0.95, 0.75), generation=7) == [(0.25, 0.9), (0.75, 0.95), (2.0, 0.4)]
    assert give(archive, (0.99, 0.5), generation=8) == [(0.5, 0.99), (2.0, 0.4)]  # two that are too near, both gone


def test_pixels_are_compared_as_what_they_look_like_from_afar() -> None:
    novelty = Novelty("pixels", 3, 0.3)
    images = torch.stack([torch.zeros(3, 32, 32), torch.full((3, 32, 32), 255.0)]).to(torch.uint8)
    black, white = novelty.measure(TARGET, images, None)
    assert float((black - white).norm()) == pytest.approx(1.0)
    noise = novelty.measure(TARGET, random_images(2, (3, 32, 32)), None)
    assert float((noise[0] - noise[1]).norm()) < 0.2


def test_features_are_compared_by_angle() -> None:
    novelty = Novelty("features", 3, 0.3)
    points = novelty.measure(TARGET, random_images(4), None)
    torch.testing.assert_close(points.norm(dim=1), torch.ones(4))
    cosine = float(points[0] @ points[1])
    assert float((points[0] - points[1]).norm()) == pytest.approx((2 * (1 - cosine)) ** 0.5, abs=1e-4)
    assert novelty.least == pytest.approx((2 * 0.3) ** 0.5)


# Both


@pytest.mark.parametrize("kinds", [GRID, NOVELTY])
def test_a_state_goes_back_whole(kinds: Grid | Novelty) -> None:
    archive, again = (kinds.archive(np.array([0, 2]), TARGET) for _ in range(2))
    width = archive.measures.shape[1]  # type: ignore[union-attr]
    generator = np.random.default_rng(0)
    batch = [(generator.random(4).tolist(), generator.random(width).tolist()) for _ in range(9)]
    feed(archive, batch, 1)
    state = frozen(archive.state())
    again.restore(state, archive.genomes)
    assert_same_arrays(frozen(again.state()), state)
    with pytest.raises(ValueError, match="measures"):
        again.restore(state | {"measures": state["measures"][:, :1]}, archive.genomes)


def test_only_children_that_could_enter_are_contenders() -> None:
    archive = Grid(("brightness",), 2).archive(np.array([0, 1]), TARGET)
    feed(archive, [([0.5, 0.9, 0.0, 0.0], [0.1])], 1)
    assert archive.contenders(torch.tensor([[0.0, 0.0, 1.0, 1.0]])).tolist() == [0]  # there is room yet
    feed(archive, [([0.7, 0.2, 0.0, 0.0], [0.9])], 2)
    rows = torch.tensor([[0.4, 0.1, 1.0, 1.0], [0.6, 0.0, 0.0, 0.0], [0.0, 0.3, 0.0, 0.0]])
    assert archive.contenders(rows).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"descriptors": "colour", "novelty": "pixels"}, ["--descriptors and --novelty", "choose one"]),
        ({"apart": 0.1}, ["--apart", "--novelty"]),
        ({"descriptors": "colour", "apart": 0.1}, ["--apart"]),
        ({"bins": 5}, ["--bins needs --descriptors"]),
        ({"descriptors": "colour", "bins": 1}, ["2 to 64", "got 1"]),
        ({"novelty": "pixels", "bins": 65}, ["2 to 64"]),
        ({"novelty": "pixles"}, ['"pixles"', 'did you mean "pixels"']),
        ({"novelty": "pixels", "apart": 0.0}, ["--apart", "above 0"]),
        ({"novelty": "pixels", "apart": float("nan")}, ["--apart"]),
    ],
)
def test_what_does_not_go_together_is_refused(options: dict[str, Any], parts: list[str]) -> None:
    given: dict[str, Any] = {"descriptors": None, "novelty": None, "bins": None, "apart": None, **options}
    with pytest.raises(ConfigError) as refusal:
        diversity(**given, channels=3, encoding="cppn")
    assert all(part in str(refusal.value) for part in parts), refusal.value


@pytest.mark.parametrize("kinds", [None, GRID, NOVELTY, Novelty("features", 7, 0.5)])
def test_options_make_the_same_again(kinds: Grid | Novelty | None) -> None:
    assert diversity(**options_of(kinds), channels=3, encoding="cppn") == kinds


def test_an_archive_that_memory_would_not_take_is_refused() -> None:
    large = build("direct", "default", (3, 224, 224))
    check_size(large, 1000, 1000, None)
    check_size(large, 1000, 1000, Novelty("pixels", 5, 0.3))
    with pytest.raises(ConfigError, match=r"1,000 classes × 25 are 25,000 niches, which would take 3\.9 GB"):
        check_size(large, 1000, 1000, Grid(("colour", "hue"), 5))
    check_size(build("cppn", "default", (3, 224, 224)), 1000, 1000, Grid(("colour", "hue"), 5))
    with pytest.raises(ConfigError, match="16,777,216 niches"):
        check_size(large, 1, 10, Grid(("colour", "hue", "slope", "symmetry"), 64))
