"""A campaign's outcomes: which there are, what they say, and that nothing else has a say in them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from campaigns import NAMES, Some, by_attempt, fight, outcomes_of, plan, subjects
from hypothesis import given, settings
from hypothesis import strategies as st
from support import global_random_untouched, tiny_target

from evofool.attacks import campaign as campaign_module
from evofool.attacks.campaign import Campaign, batch_rows, met_already
from evofool.attacks.criterion import NARROW, Criterion
from evofool.attacks.outcome import Outcome, Subject, recorded_edits
from evofool.attacks.plan import ALL
from evofool.attacks.scorer import TOP
from evofool.attacks.searches import STRATEGIES, Brief, Feedback, Strategy
from evofool.encodings.pixels import Edits, edited
from evofool.targets.torch_target import Target

SETUPS: dict[str, dict[str, Any]] = {
    "untargeted": {},
    "all": {"criteria": ALL, "queries": 60},
    "list": {"criteria": (1, 3), "queries": 60},
    "corners": {"strategy": "corners", "queries": None},
    "corners all": {"criteria": ALL, "strategy": "corners", "queries": None},
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
    """As they are alone, in float32."""
    return target.confirm(torch.from_numpy(image)[None])[0].numpy()


def margin_of(scores: np.ndarray, image: Subject, criterion: int | None) -> float:
    column = image.label if criterion is None else criterion
    lead = float(np.log(scores[column]) - np.log(np.delete(scores, column).max()))
    return lead if criterion is None else -lead


def assert_true(outcome: Outcome, image: Subject, target: Target) -> None:
    """Everything an outcome says, found out again from its edits."""
    known = (outcome["id"], outcome["sha256"], outcome["label"], outcome["prediction"], outcome["confidence"])
    assert known == (image.id, image.sha256, image.label, image.prediction, pytest.approx(image.confidence))
    assert (outcome["class"], outcome["predicted"]) == (target.classes[image.label], target.classes[image.prediction])
    criterion = outcome["criterion_index"]
    assert outcome["criterion"] == ("untargeted" if criterion is None else target.classes[criterion])
    assert criterion != image.label
    after = changed_image(image, outcome)
    difference = (after.astype(float) - image.image) / 255
    assert outcome["l0"] == (difference != 0).any(0).sum()
    assert outcome["l2"] == pytest.approx(np.sqrt((difference**2).sum()), abs=1e-6)
    assert outcome["linf"] == pytest.approx(np.abs(difference).max(), abs=1e-6)
    already = met_already(Criterion(criterion), image)
    assert outcome["already"] == already
    if already:
        empty = {"final": None, "final_index": None, "margin": None, "top5": [], "edits": [], "success": False}
        assert {name: outcome[name] for name in empty} == empty
        assert (outcome["queries"], outcome["queries_to_success"], outcome["l0"]) == (0, None, 0)
        return
    assert outcome["l0"] <= outcome["pixels"] == len(outcome["edits"])
    assert len({(edit["x"], edit["y"]) for edit in outcome["edits"]}) == outcome["pixels"]
    scores = scores_of(target, after)
    margin = margin_of(scores, image, criterion)
    assert outcome["margin"] == pytest.approx(margin, abs=2e-4)
    assert outcome["success"] == (outcome["margin"] < -NARROW) == (outcome["queries_to_success"] is not None)
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
def fought(request: pytest.FixtureRequest) -> tuple[dict[str, Any], list[Outcome]]:
    """A setup and its outcomes."""
    setup = SETUPS[request.param]
    return setup, outcomes_of(IMAGES, **setup)


def setup_name(setup: dict[str, Any]) -> str:
    return next(name for name, one in SETUPS.items() if one is setup)


def test_a_outcome_says_what_its_edits_do(fought: tuple[dict[str, Any], list[Outcome]]) -> None:
    setup, outcomes = fought
    target = tiny_target()
    for outcome in outcomes:
        assert_true(outcome, IMAGES[outcome["image"]], target)
        assert outcome["seed"] == 0
    assert any(outcome["already"] for outcome in outcomes) == (" criterion" not in setup_name(setup))
    assert any(outcome["success"] for outcome in outcomes)


def test_every_attempt_of_the_plan_has_one_outcome(fought: tuple[dict[str, Any], list[Outcome]]) -> None:
    setup, outcomes = fought
    made = plan(**setup)
    found = by_attempt(outcomes)
    for image in IMAGES:
        criteria = list(range(4)) if made.criteria == ALL else list(made.criteria)
        for criterion in criteria:
            own = [found.pop((image.index, criterion, k, made.strategy), None) for k in made.pixels]
            if criterion == image.label:
                assert own == [None] * len(own)
                continue
            fought_for = [outcome for outcome in own if outcome is not None]
            assert own[: len(fought_for)] == fought_for  # no number of pixels is left out
            assert fought_for
            assert [v["success"] or v["already"] for v in fought_for[:-1]] == [False] * (len(fought_for) - 1)
            last = fought_for[-1]
            assert last["success"] or last["already"] or last["pixels"] == made.pixels[-1]
            if made.baseline and not last["already"]:
                baseline = found.pop((image.index, criterion, made.pixels[0], "random"))
                assert baseline["queries"] <= last["queries"]
                assert baseline["success"] or baseline["queries"] == last["queries"]
    assert found == {}


def test_budgets_hold(fought: tuple[dict[str, Any], list[Outcome]]) -> None:
    setup, outcomes = fought
    made = plan(**setup)
    for outcome in outcomes:
        assert outcome["queries"] <= (made.queries or 8 * 8 * 8)
        if outcome["stopped"] == "budget" and outcome["strategy"] == made.strategy:
            assert outcome["queries"] == (made.queries or 8 * 8 * 8)


def _numbers(value: Any) -> list[float]:
    if isinstance(value, dict | list):
        return [n for part in (value.values() if isinstance(value, dict) else value) for n in _numbers(part)]
    return [value] if isinstance(value, float) else []


def test_outcomes_are_plain_json_with_the_shortest_numbers(fought: tuple[dict[str, Any], list[Outcome]]) -> None:
    _, outcomes = fought
    for outcome in outcomes:
        assert json.loads(json.dumps(outcome, allow_nan=False)) == outcome
        numbers = _numbers({name: outcome[name] for name in ("confidence", "margin", "top5")})
        assert [n for n in numbers if float(str(np.float32(n))) != n] == []


def test_the_same_campaign_gives_the_same_outcomes(fought: tuple[dict[str, Any], list[Outcome]]) -> None:
    setup, outcomes = fought
    with global_random_untouched():
        assert outcomes_of(IMAGES, **setup) == outcomes


def test_neither_the_order_of_images_nor_other_attempts_change_a_outcome(
    fought: tuple[dict[str, Any], list[Outcome]],
) -> None:
    setup, outcomes = fought
    whole = by_attempt(outcomes)
    for order in ([6, 5, 4, 3, 2, 1, 0], [3], [5, 1, 4]):
        some = by_attempt(fight(Campaign(tiny_target(), Some(IMAGES, order), plan(**setup))))
        assert some == {name: outcome for name, outcome in whole.items() if name[0] in order}


@pytest.mark.parametrize("name", ["all", "auto", "baseline", "sparse-rs"])
def test_fewer_attempts_at_once_or_a_deeper_queue_change_no_outcome(name: str) -> None:
    whole = by_attempt(outcomes_of(IMAGES, **SETUPS[name]))
    shallow = Campaign(tiny_target(), IMAGES, plan(**SETUPS[name]))
    while len(shallow.pool.free) > 2:
        shallow.pool.free.pop()
    assert by_attempt(fight(shallow)) == whole
    deep = Campaign(tiny_target(), IMAGES, plan(**SETUPS[name]))
    deep.pool.scorer.depth = 2
    assert by_attempt(fight(deep)) == whole


def test_another_seed_gives_other_attempts() -> None:
    setup = {"strategy": "rand1", "queries": 200}
    ours, others = (outcomes_of(IMAGES, **setup, seed=seed) for seed in (0, 1))
    assert [v["edits"] for v in by_attempt(ours).values()] != [v["edits"] for v in by_attempt(others).values()]


def test_attempts_draw_from_generators_of_their_own() -> None:
    """Nothing that two attempts differ in may be left out of the seed."""
    campaign = Campaign(tiny_target(), IMAGES, plan(criteria=ALL, pixels=(1, 2), baseline=False))
    (task,), _ = campaign_module.remaining(plan(), IMAGES[0], [], 4, 3)
    others = [
        task,
        replace(task, image=1),
        replace(task, criteria=(0,)),
        replace(task, criteria=(1,)),
        replace(task, k=2),
        replace(task, strategy="random"),
    ]
    assert len({tuple(campaign._seed(one)) for one in others}) == len(others)
    assert campaign._seed(task)[0] == 0


class Spy:
    """A search that keeps its brief and never gets anywhere: it gives the clean image back."""

    briefs: list[Brief]

    def __init__(self, brief: Brief) -> None:
        self.briefs.append(brief)
        self.brief, self.place = brief, 0

    def generate(self) -> Edits:
        space, image = self.brief.space, self.brief.image
        places = (self.place + np.arange(space.k)) % space.places
        self.place += 1
        colours = image.reshape(space.channels, -1).T[places]
        return space.join(places[None], colours[None])

    def update(self, edits: Edits, feedback: Feedback) -> None:
        pass


@pytest.fixture
def briefs(monkeypatch: pytest.MonkeyPatch) -> list[Brief]:
    """Makes ``spy`` a strategy with a budget of 12 queries; gives the briefs of its attempts."""
    monkeypatch.setattr(Spy, "briefs", [], raising=False)
    monkeypatch.setitem(STRATEGIES, "spy", Strategy("spy", "", Spy, lambda space: 12))
    return Spy.briefs


def test_one_more_pixel_starts_from_what_the_former_attempt_ended_with(briefs: list[Brief]) -> None:
    images = subjects(2)
    found = by_attempt(outcomes_of(images, strategy="spy", pixels=(1, 2, 3), queries=None))
    assert len(found) == len(briefs) == 6
    for brief in briefs:
        (image,) = [image for image in images if image.image is brief.image]
        k = brief.space.k
        assert brief.queries == 12
        if k == 1:
            assert brief.start.shape == (0, 1, 5)
        else:
            former = found[image.index, None, k - 1, "spy"]
            np.testing.assert_array_equal(brief.start, recorded_edits(former, 3)[None])


def test_the_strategy_s_own_budget_holds_where_none_was_asked_for(briefs: list[Brief]) -> None:
    (outcome,) = outcomes_of(subjects(1), strategy="spy", queries=None)
    assert (outcome["queries"], outcome["stopped"], outcome["l0"], outcome["l2"]) == (12, "budget", 0, 0.0)
    (outcome,) = outcomes_of(subjects(1), strategy="spy", queries=5)
    assert (outcome["queries"], len(briefs)) == (5, 2)


def test_what_the_clean_image_reaches_is_settled_without_a_query() -> None:
    (image,) = subjects(1, wrong=[0])
    campaign = Campaign(tiny_target(), [image], plan(criteria=ALL))
    found = by_attempt(fight(campaign))
    already = [criterion for (_, criterion, _, _), outcome in found.items() if outcome["already"]]
    assert already == [image.prediction]
    assert len(found) == 3
    campaign = Campaign(tiny_target(), [image], plan(pixels=(1, 2), baseline=True))
    (outcome,) = fight(campaign)
    assert (outcome["already"], outcome["success"], outcome["stopped"], campaign.scored) == (True, False, "reached", 0)


def test_su2019_goes_on_until_it_is_sure() -> None:
    """Its targeted attempts stop at a probability of 0.9, long after the first success."""
    outcomes = outcomes_of(subjects(4), strategy="su2019", queries=1500, criteria=(0,), pixels=(10,))
    sure = [outcome for outcome in outcomes if outcome["stopped"] == "reached" and outcome["queries"] < 1500]
    assert sure
    for outcome in sure:
        assert dict(map(tuple, outcome["top5"]))["class 0"] >= 0.9 - 1e-6
    assert any(outcome["queries_to_success"] < outcome["queries"] - 256 for outcome in sure)
    for outcome in outcomes_of(subjects(4), strategy="su2019", queries=1500, pixels=(10,)):  # untargeted: at the first
        assert outcome["queries"] - outcome["queries_to_success"] < 256


def brute_force(target: Target, image: Subject, criterion: int) -> tuple[int | None, float]:
    """All corners in the order of the sweep: place of the first success, the lowest margin."""
    space = Campaign(target, [image], plan(strategy="corners")).spaces[1]
    places = sorted(range(64), key=lambda p: (2 * (p // 8) - 7) ** 2 + (2 * (p % 8) - 7) ** 2)
    images = []
    for place in places:
        for colour in space.corners():
            changed = image.image.copy()
            changed[:, place // 8, place % 8] = colour
            images.append(changed)
    scores = target.confirm(torch.from_numpy(np.stack(images))).numpy()
    margins = [margin_of(row, image, criterion) for row in scores]
    first = next((number for number, margin in enumerate(margins, 1) if margin < -NARROW), None)
    return first, min(margins)


def test_sweeping_all_criteria_equals_sweeping_each_alone_and_brute_force() -> None:
    target, images = tiny_target(), subjects(4, wrong=[3])
    together = by_attempt(outcomes_of(images, criteria=ALL, strategy="corners", queries=None))
    alone = by_attempt(
        [v for g in range(4) for v in outcomes_of(images, criteria=(g,), strategy="corners", queries=None)]
    )
    assert together.keys() == alone.keys()
    successes = 0
    for name, outcome in together.items():
        if outcome["already"]:
            continue
        image, other = images[name[0]], alone[name]
        first, lowest = brute_force(target, image, name[1])
        assert outcome["queries_to_success"] == other["queries_to_success"] == first
        assert outcome["success"] == other["success"] == (first is not None)
        assert outcome["queries"] == 512
        assert outcome["margin"] == pytest.approx(lowest, abs=1e-4)
        assert outcome["shared"] == (2 if image.prediction != image.label else 3)
        assert other["shared"] == 1
        successes += outcome["success"]
        if not outcome["success"]:
            assert other["margin"] == pytest.approx(lowest, abs=1e-4)
            assert (other["stopped"], outcome["stopped"]) == ("exhausted", "exhausted")
    assert 0 < successes < len(together) - 1


@settings(max_examples=15)
@given(st.sampled_from(sorted(SETUPS)), st.integers(0, 2**32 - 1))
def test_with_some_outcomes_known_the_others_come_out_the_same(name: str, seed: int) -> None:
    """Any subset that could have been written down, also the half of a sweep's criteria."""
    outcomes, rng = outcomes_of(IMAGES[:4], **SETUPS[name]), np.random.default_rng(seed)
    written = outcomes[: rng.integers(len(outcomes) + 1)]
    rest = fight(Campaign(tiny_target(), IMAGES[:4], plan(**SETUPS[name])), written)
    assert by_attempt(rest) == by_attempt(outcomes[len(written) :])


@pytest.mark.parametrize("strategy", ["local", "rand1"])
def test_in_bfloat16_outcomes_hold_float32_s_numbers(strategy: str) -> None:
    target = tiny_target(precision="bfloat16")
    for outcome in outcomes_of(IMAGES, target, strategy=strategy, criteria=ALL, queries=120):
        image = IMAGES[outcome["image"]]
        if outcome["already"]:
            continue
        scores = scores_of(target, changed_image(image, outcome))
        assert outcome["margin"] == pytest.approx(margin_of(scores, image, outcome["criterion_index"]), abs=1e-4)
        assert outcome["success"] == (outcome["queries_to_success"] is not None)
        assert [value for _, value in outcome["top5"]] == pytest.approx(sorted(scores.tolist())[::-1][:5], abs=1e-5)


def test_in_bfloat16_every_row_that_was_scored_is_a_query() -> None:
    campaign = Campaign(tiny_target(precision="bfloat16"), IMAGES, plan(criteria=ALL, queries=120))
    outcomes = fight(campaign)
    assert campaign.scored == sum(outcome["queries"] for outcome in outcomes)


def test_in_bfloat16_the_budget_holds() -> None:
    outcomes = outcomes_of(IMAGES, tiny_target(precision="bfloat16"), criteria=ALL, queries=40)
    assert max(outcome["queries"] for outcome in outcomes) <= 40


def test_in_bfloat16_other_attempts_change_no_outcome() -> None:
    target, made = tiny_target(precision="bfloat16"), plan(criteria=ALL, queries=120)
    whole = by_attempt(fight(Campaign(target, IMAGES, made)))
    some = by_attempt(fight(Campaign(target, Some(IMAGES, [6, 1, 3]), made)))
    assert some == {name: outcome for name, outcome in whole.items() if name[0] in (6, 1, 3)}


def test_batches_fit_the_device_and_the_search() -> None:
    target = tiny_target()
    assert batch_rows(target, plan()) == 64
    assert batch_rows(target, plan(strategy="sparse-rs")) == 32
    assert batch_rows(tiny_target(micro_batch=5), plan()) == 5
    assert Campaign(target, IMAGES, plan(), rows=7).pool.scorer.rows == 7


def test_class_names_are_the_target_s() -> None:
    outcome = outcomes_of(IMAGES[:1])[0]
    assert outcome["class"] in NAMES
    assert outcome["criterion"] == "untargeted"
