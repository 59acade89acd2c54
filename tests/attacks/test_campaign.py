"""A campaign's outcomes: which there are, what they say, and that nothing else has a say in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from campaigns import NAMES, Some, by_attempt, margin_of, outcomes_of, plan, run_all, subjects
from fakes import Foreign
from hypothesis import given, settings
from hypothesis import strategies as st
from support import global_random_untouched, tiny_target

from evofool.attacks.campaign import Campaign
from evofool.attacks.criterion import SUCCESS_MARGIN, Criterion
from evofool.attacks.outcome import Outcome, recorded_edits
from evofool.attacks.scorer import TOP
from evofool.attacks.searches.base import Feedback, Problem
from evofool.attacks.searches.registry import STRATEGIES, Strategy
from evofool.attacks.subject import Subject
from evofool.config.attack import ALL
from evofool.encodings.pixels import Edits, edited
from evofool.engines.local import LocalEngine
from evofool.errors import ConfigError, GenomeError
from evofool.targets.protocols import Target

SETUPS: dict[str, dict[str, Any]] = {
    "untargeted": {},
    "all": {"criteria": ALL, "queries": 60},
    "list": {"criteria": (1, 3), "queries": 60},
    "corners": {"strategy": "corners", "queries": 512},
    "corners all": {"criteria": ALL, "strategy": "corners", "queries": 512},
    "corners all baseline": {"criteria": ALL, "strategy": "corners", "queries": 200, "baseline": True},
    "auto": {"pixels": (1, 2, 3), "queries": 40},
    "auto all": {"pixels": (1, 2), "queries": 40, "criteria": ALL},
    "baseline": {"baseline": True},
    "rand1": {"strategy": "rand1", "queries": 300},
    "best1bin criterion": {"strategy": "best1bin", "queries": 250, "criteria": (2,), "pixels": (3,)},
    "sparse-rs": {"strategy": "sparse-rs", "queries": 40, "pixels": (4,)},
    "su2019 criterion": {"strategy": "su2019", "queries": 900, "criteria": (0,)},
}

IMAGES = subjects(7, wrong=[2, 5])


def changed_image(image: Subject, outcome: Outcome) -> np.ndarray:
    return edited(image.image, recorded_edits(outcome, len(image.image)))


def scores_of(target: Target, image: np.ndarray) -> np.ndarray:
    """Return the scores of an image alone, in float32."""
    return target.confirm(torch.from_numpy(image)[None])[0].numpy()


def assert_true(outcome: Outcome, image: Subject, target: Target) -> None:
    """Check everything an outcome says: it can be found out again from its edits."""
    recorded = (outcome["id"], outcome["sha256"], outcome["label"], outcome["prediction"], outcome["confidence"])
    assert recorded == (image.id, image.sha256, image.label, image.prediction, pytest.approx(image.confidence))
    assert (outcome["class"], outcome["predicted"]) == (target.classes[image.label], target.classes[image.prediction])
    criterion = outcome["criterion_index"]
    assert outcome["criterion"] == ("untargeted" if criterion is None else target.classes[criterion])
    assert criterion != image.label
    after = changed_image(image, outcome)
    difference = (after.astype(float) - image.image) / 255
    assert outcome["l0"] == (difference != 0).any(0).sum()
    assert outcome["l2"] == pytest.approx(np.sqrt((difference**2).sum()), abs=1e-6)
    assert outcome["linf"] == pytest.approx(np.abs(difference).max(), abs=1e-6)
    already = Criterion(criterion).met_by(image.prediction, image.label)
    assert outcome["already"] == already
    if already:
        empty = {"final": None, "final_index": None, "margin": None, "top5": [], "edits": [], "success": False}
        assert {name: outcome[name] for name in empty} == empty
        assert (outcome["queries"], outcome["queries_to_success"], outcome["l0"]) == (0, None, 0)
        return
    assert outcome["l0"] <= outcome["pixels"] == len(outcome["edits"])
    assert len({(edit["x"], edit["y"]) for edit in outcome["edits"]}) == outcome["pixels"]
    scores = scores_of(target, after)
    margin = margin_of(scores, image.label, criterion)
    assert outcome["margin"] == pytest.approx(margin, abs=2e-4)
    assert outcome["success"] == (outcome["margin"] < -SUCCESS_MARGIN) == (outcome["queries_to_success"] is not None)
    order = np.argsort(-scores)
    assert (outcome["final"], outcome["final_index"]) == (target.classes[order[0]], order[0])
    assert [name for name, _ in outcome["top5"]] == [target.classes[index] for index in order[:TOP]]
    assert [value for _, value in outcome["top5"]] == pytest.approx(scores[order][:TOP].tolist(), abs=1e-5)
    if outcome["success"]:
        assert (order[0] != image.label) if criterion is None else (order[0] == criterion)
        assert 1 <= outcome["queries_to_success"] <= outcome["queries"]
        assert outcome["stopped"] == "reached"
    else:
        assert outcome["stopped"] in ("budget", "exhausted")


@pytest.fixture(scope="module", params=SETUPS)
def ended(request: pytest.FixtureRequest) -> tuple[dict[str, Any], list[Outcome]]:
    """A setup and its outcomes."""
    setup = SETUPS[request.param]
    return setup, outcomes_of(IMAGES, **setup)


def setup_name(setup: dict[str, Any]) -> str:
    return next(name for name, options in SETUPS.items() if options is setup)


def test_an_outcome_says_what_its_edits_do(ended: tuple[dict[str, Any], list[Outcome]]) -> None:
    setup, outcomes = ended
    target = tiny_target()
    for outcome in outcomes:
        assert_true(outcome, IMAGES[outcome["image"]], target)
        assert outcome["seed"] == 0
    assert any(outcome["already"] for outcome in outcomes) == (" criterion" not in setup_name(setup))
    assert any(outcome["success"] for outcome in outcomes)


def test_every_attempt_of_the_plan_has_one_outcome(ended: tuple[dict[str, Any], list[Outcome]]) -> None:
    setup, outcomes = ended
    made = plan(**setup)
    left = by_attempt(outcomes)
    for image in IMAGES:
        criteria = list(range(4)) if made.criteria == ALL else list(made.criteria)
        for criterion in criteria:
            each = [left.pop((image.index, criterion, k, made.strategy), None) for k in made.pixels]
            if criterion == image.label:
                assert each == [None] * len(each)
                continue
            ran = [outcome for outcome in each if outcome is not None]
            assert each[: len(ran)] == ran  # no number of pixels is left out
            assert ran
            assert [v["success"] or v["already"] for v in ran[:-1]] == [False] * (len(ran) - 1)
            last = ran[-1]
            assert last["success"] or last["already"] or last["pixels"] == made.pixels[-1]
            if made.baseline and not last["already"]:
                baseline = left.pop((image.index, criterion, made.pixels[0], "random"))
                assert baseline["queries"] <= last["queries"]
                assert baseline["success"] or baseline["queries"] == last["queries"]
    assert left == {}


def test_budgets_hold(ended: tuple[dict[str, Any], list[Outcome]]) -> None:
    setup, outcomes = ended
    made = plan(**setup)
    for outcome in outcomes:
        assert outcome["queries"] <= (made.queries or 8 * 8 * 8)
        if outcome["stopped"] == "budget" and outcome["strategy"] == made.strategy:
            assert outcome["queries"] == (made.queries or 8 * 8 * 8)


def _numbers(value: Any) -> list[float]:
    if isinstance(value, dict | list):
        return [n for part in (value.values() if isinstance(value, dict) else value) for n in _numbers(part)]
    return [value] if isinstance(value, float) else []


def test_outcomes_are_plain_json_with_the_shortest_numbers(ended: tuple[dict[str, Any], list[Outcome]]) -> None:
    _, outcomes = ended
    for outcome in outcomes:
        assert json.loads(json.dumps(outcome, allow_nan=False)) == outcome
        numbers = _numbers({name: outcome[name] for name in ("confidence", "margin", "top5")})
        assert [n for n in numbers if float(str(np.float32(n))) != n] == []


def test_the_same_campaign_gives_the_same_outcomes(ended: tuple[dict[str, Any], list[Outcome]]) -> None:
    setup, outcomes = ended
    with global_random_untouched():
        assert outcomes_of(IMAGES, **setup) == outcomes


def test_neither_the_order_of_images_nor_other_attempts_change_an_outcome(
    ended: tuple[dict[str, Any], list[Outcome]],
) -> None:
    setup, outcomes = ended
    whole = by_attempt(outcomes)
    for order in ([6, 5, 4, 3, 2, 1, 0], [3], [5, 1, 4]):
        some = by_attempt(run_all(Campaign(tiny_target(), Some(IMAGES, order), plan(**setup))))
        assert some == {name: outcome for name, outcome in whole.items() if name[0] in order}


@pytest.mark.parametrize("name", ["all", "auto", "baseline", "sparse-rs"])
def test_fewer_attempts_at_once_or_a_deeper_queue_change_no_outcome(name: str) -> None:
    whole = by_attempt(outcomes_of(IMAGES, **SETUPS[name]))
    shallow = Campaign(tiny_target(), IMAGES, plan(**SETUPS[name]))
    while len(shallow.attempts.pool.free_slots) > 2:
        shallow.attempts.pool.free_slots.pop()
    assert by_attempt(run_all(shallow)) == whole
    deep = Campaign(tiny_target(), IMAGES, plan(**SETUPS[name]))
    deep.attempts.pool.scorer.depth = 2
    assert by_attempt(run_all(deep)) == whole


@pytest.mark.parametrize("name", ["untargeted", "all", "sparse-rs"])
def test_batches_side_by_side_change_no_outcome(name: str, threads: Callable[[int], None]) -> None:
    setup = {**SETUPS[name], "rows": 5}
    whole, orders = by_attempt(outcomes_of(IMAGES, **setup)), list[list[str]]()
    for number in (1, 2, 3, 3):
        threads(number)
        campaign = Campaign(tiny_target(parallel=True), IMAGES, plan(**setup))
        scorer = campaign.attempts.pool.scorer
        assert (scorer.depth, len(scorer.images)) == {1: (1, 10), 2: (3, 15), 3: (4, 20)}[number]
        outcomes = run_all(campaign)
        assert by_attempt(outcomes) == whole
        orders.append([outcome["id"] for outcome in outcomes])
    assert orders[2] == orders[3]  # by what was sent first, not by what came back first


def test_another_seed_gives_other_attempts() -> None:
    setup = {"strategy": "rand1", "queries": 200}
    ours, others = (outcomes_of(IMAGES, **setup, seed=seed) for seed in (0, 1))
    assert [v["edits"] for v in by_attempt(ours).values()] != [v["edits"] for v in by_attempt(others).values()]


class Spy:
    """A search that keeps its problem and never gets anywhere: it gives the clean image back."""

    problems: list[Problem]

    def __init__(self, problem: Problem) -> None:
        self.problems.append(problem)
        self.problem, self.asked = problem, 0

    def ask(self) -> Edits:
        space, image = self.problem.space, self.problem.image
        positions = (self.asked + np.arange(space.k)) % space.places
        self.asked += 1
        colours = image.reshape(space.channels, -1).T[positions]
        return space.join(positions[None], colours[None])

    def tell(self, edits: Edits, feedback: Feedback) -> None:
        pass


@pytest.fixture
def problems(monkeypatch: pytest.MonkeyPatch) -> list[Problem]:
    """Make ``spy`` a strategy, and return the problems of its attempts."""
    monkeypatch.setattr(Spy, "problems", [], raising=False)
    monkeypatch.setitem(STRATEGIES, "spy", Strategy("spy", Spy))
    return Spy.problems


def test_more_pixels_start_from_what_the_former_attempt_ended_with(problems: list[Problem]) -> None:
    images = subjects(2)
    outcomes = by_attempt(outcomes_of(images, strategy="spy", pixels=(1, 2, 3), queries=12))
    assert len(outcomes) == len(problems) == 6
    for problem in problems:
        (image,) = [image for image in images if image.image is problem.image]
        k = problem.space.k
        assert problem.budget == 12
        if k == 1:
            assert problem.start.shape == (0, 1, 5)
        else:
            former = outcomes[image.index, None, k - 1, "spy"]
            np.testing.assert_array_equal(problem.start, recorded_edits(former, 3)[None])


def test_an_attempt_ends_with_its_budget(problems: list[Problem]) -> None:
    (outcome,) = outcomes_of(subjects(1), strategy="spy", queries=12)
    assert (outcome["queries"], outcome["stopped"], outcome["l0"], outcome["l2"]) == (12, "budget", 0, 0.0)
    (outcome,) = outcomes_of(subjects(1), strategy="spy", queries=5)
    assert (outcome["queries"], len(problems)) == (5, 2)


def test_what_the_clean_image_meets_is_settled_without_a_query() -> None:
    (image,) = subjects(1, wrong=[0])
    campaign = Campaign(tiny_target(), [image], plan(criteria=ALL))
    outcomes = by_attempt(run_all(campaign))
    already = [criterion for (_, criterion, _, _), outcome in outcomes.items() if outcome["already"]]
    assert already == [image.prediction]
    assert len(outcomes) == 3
    campaign = Campaign(tiny_target(), [image], plan(pixels=(1, 2), baseline=True))
    (outcome,) = run_all(campaign)
    assert (outcome["already"], outcome["success"], outcome["stopped"], campaign.scored) == (True, False, "reached", 0)


def test_su2019_goes_on_until_the_class_to_reach_is_likely() -> None:
    """Its targeted attempts stop at a probability of 0.9, long after the first success."""
    outcomes = outcomes_of(subjects(4), strategy="su2019", queries=1500, criteria=(0,), pixels=(10,))
    early = [outcome for outcome in outcomes if outcome["stopped"] == "reached" and outcome["queries"] < 1500]
    assert early
    for outcome in early:
        assert dict(map(tuple, outcome["top5"]))["class 0"] >= 0.9 - 1e-6
    assert any(outcome["queries_to_success"] < outcome["queries"] - 256 for outcome in early)
    for outcome in outcomes_of(subjects(4), strategy="su2019", queries=1500, pixels=(10,)):  # untargeted: at the first
        assert outcome["queries"] - outcome["queries_to_success"] < 256


@settings(max_examples=15)
@given(st.sampled_from(sorted(SETUPS)), st.integers(0, 2**32 - 1))
def test_with_some_outcomes_recorded_the_others_come_out_the_same(name: str, seed: int) -> None:
    """Any subset that could have been written down, also the half of a sweep's criteria."""
    outcomes, rng = outcomes_of(IMAGES[:4], **SETUPS[name]), np.random.default_rng(seed)
    written = outcomes[: rng.integers(len(outcomes) + 1)]
    rest = run_all(Campaign(tiny_target(), IMAGES[:4], plan(**SETUPS[name])), written)
    assert by_attempt(rest) == by_attempt(outcomes[len(written) :])


@pytest.mark.parametrize("strategy", ["local", "rand1"])
def test_in_bfloat16_outcomes_hold_float32_s_numbers(strategy: str) -> None:
    target = tiny_target(precision="bfloat16")
    for outcome in outcomes_of(IMAGES, target, strategy=strategy, criteria=ALL, queries=120):
        image = IMAGES[outcome["image"]]
        if outcome["already"]:
            continue
        scores = scores_of(target, changed_image(image, outcome))
        assert outcome["margin"] == pytest.approx(margin_of(scores, image.label, outcome["criterion_index"]), abs=1e-4)
        assert outcome["success"] == (outcome["queries_to_success"] is not None)
        assert [value for _, value in outcome["top5"]] == pytest.approx(sorted(scores.tolist())[::-1][:5], abs=1e-5)


def test_in_bfloat16_every_candidate_that_was_scored_is_a_query() -> None:
    campaign = Campaign(tiny_target(precision="bfloat16"), IMAGES, plan(criteria=ALL, queries=120))
    outcomes = run_all(campaign)
    assert campaign.scored == sum(outcome["queries"] for outcome in outcomes)


def test_in_bfloat16_the_budget_holds() -> None:
    outcomes = outcomes_of(IMAGES, tiny_target(precision="bfloat16"), criteria=ALL, queries=40)
    assert max(outcome["queries"] for outcome in outcomes) <= 40


def test_in_bfloat16_other_attempts_change_no_outcome() -> None:
    target, made = tiny_target(precision="bfloat16"), plan(criteria=ALL, queries=120)
    whole = by_attempt(run_all(Campaign(target, IMAGES, made)))
    some = by_attempt(run_all(Campaign(target, Some(IMAGES, [6, 1, 3]), made)))
    assert some == {name: outcome for name, outcome in whole.items() if name[0] in (6, 1, 3)}


def test_batches_have_the_plan_s_rows() -> None:
    assert Campaign(tiny_target(), IMAGES, plan(rows=7)).attempts.pool.scorer.rows == 7


def test_class_names_are_the_target_s() -> None:
    outcome = outcomes_of(IMAGES[:1])[0]
    assert outcome["class"] in NAMES
    assert outcome["criterion"] == "untargeted"


def test_more_pixels_than_the_images_or_the_strategy_have_are_refused() -> None:
    with pytest.raises(GenomeError, match="must be 1 to 64"):
        Campaign(tiny_target(), IMAGES, plan(pixels=(65,)))
    with pytest.raises(ConfigError, match="edits 1 pixel at most"):
        Campaign(tiny_target(), IMAGES, plan(pixels=(2,), strategy="corners"))


@pytest.mark.parametrize("strategy", ["local", "corners"])
def test_a_target_that_is_no_torch_module_can_be_attacked(strategy: str) -> None:
    images = subjects(5, Foreign())
    outcomes = outcomes_of(images, Foreign(), strategy=strategy)
    assert len(by_attempt(outcomes)) == 5
    for outcome in outcomes:
        image = images[outcome["image"]]
        scores = scores_of(Foreign(), changed_image(image, outcome))
        assert outcome["margin"] == pytest.approx(margin_of(scores, image.label, None), abs=1e-5)


def test_an_engine_is_taken_as_it_is() -> None:
    engine = LocalEngine(tiny_target())
    assert Campaign(engine, IMAGES, plan()).engine is engine
