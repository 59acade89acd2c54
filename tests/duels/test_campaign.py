"""A campaign's verdicts: which there are, what they say, and that nothing else has a say in them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from campaigns import NAMES, Some, by_duel, fight, plan, subjects, verdicts_of
from hypothesis import given, settings
from hypothesis import strategies as st
from support import global_random_untouched, tiny_target

from evofool.duels import campaign as campaign_module
from evofool.duels.campaign import Campaign, batch_rows, met_already
from evofool.duels.goals import NARROW, Goal
from evofool.duels.plan import ALL
from evofool.duels.scorer import TOP
from evofool.duels.verdict import Subject, Verdict, recorded_edits
from evofool.encodings.pixels import Edits, edited
from evofool.strategies.pixels import STRATEGIES, Brief, Outcome, Strategy
from evofool.target import Target

SETUPS: dict[str, dict[str, Any]] = {
    "untargeted": {},
    "all": {"goals": ALL, "queries": 60},
    "list": {"goals": (1, 3), "queries": 60},
    "corners": {"strategy": "corners", "queries": None},
    "corners all": {"goals": ALL, "strategy": "corners", "queries": None},
    "corners all baseline": {"goals": ALL, "strategy": "corners", "queries": 200, "baseline": True},
    "auto": {"pixels": (1, 2, 3), "queries": 40},
    "auto all": {"pixels": (1, 2), "queries": 40, "goals": ALL},
    "baseline": {"baseline": True},
    "rand1": {"strategy": "rand1", "queries": 300},
    "best1bin goal": {"strategy": "best1bin", "queries": 250, "goals": (2,), "pixels": (3,)},
    "sparse-rs": {"strategy": "sparse-rs", "queries": 40, "pixels": (4,)},
    "su2019 goal": {"strategy": "su2019", "queries": 900, "goals": (0,)},
}

IMAGES = subjects(7, wrong=[2, 5])


def changed_image(image: Subject, verdict: Verdict) -> np.ndarray:
    return edited(image.image, recorded_edits(verdict, len(image.image)))


def scores_of(target: Target, image: np.ndarray) -> np.ndarray:
    """As they are alone, in float32."""
    return target.confirm(torch.from_numpy(image)[None])[0].numpy()


def margin_of(scores: np.ndarray, image: Subject, goal: int | None) -> float:
    column = image.label if goal is None else goal
    lead = float(np.log(scores[column]) - np.log(np.delete(scores, column).max()))
    return lead if goal is None else -lead


def assert_true(verdict: Verdict, image: Subject, target: Target) -> None:
    """Everything a verdict says, found out again from its edits."""
    known = (verdict["id"], verdict["sha256"], verdict["label"], verdict["prediction"], verdict["confidence"])
    assert known == (image.id, image.sha256, image.label, image.prediction, pytest.approx(image.confidence))
    assert (verdict["class"], verdict["predicted"]) == (target.classes[image.label], target.classes[image.prediction])
    goal = verdict["goal_index"]
    assert verdict["goal"] == ("untargeted" if goal is None else target.classes[goal])
    assert goal != image.label
    after = changed_image(image, verdict)
    difference = (after.astype(float) - image.image) / 255
    assert verdict["l0"] == (difference != 0).any(0).sum()
    assert verdict["l2"] == pytest.approx(np.sqrt((difference**2).sum()), abs=1e-6)
    assert verdict["linf"] == pytest.approx(np.abs(difference).max(), abs=1e-6)
    already = met_already(Goal(goal), image)
    assert verdict["already"] == already
    if already:
        empty = {"final": None, "final_index": None, "margin": None, "top5": [], "edits": [], "success": False}
        assert {name: verdict[name] for name in empty} == empty
        assert (verdict["queries"], verdict["queries_to_success"], verdict["l0"]) == (0, None, 0)
        return
    assert verdict["l0"] <= verdict["pixels"] == len(verdict["edits"])
    assert len({(edit["x"], edit["y"]) for edit in verdict["edits"]}) == verdict["pixels"]
    scores = scores_of(target, after)
    margin = margin_of(scores, image, goal)
    assert verdict["margin"] == pytest.approx(margin, abs=2e-4)
    assert verdict["success"] == (verdict["margin"] < -NARROW) == (verdict["queries_to_success"] is not None)
    order = np.argsort(-scores)
    assert (verdict["final"], verdict["final_index"]) == (target.classes[order[0]], order[0])
    assert [name for name, _ in verdict["top5"]] == [target.classes[index] for index in order[:TOP]]
    assert [value for _, value in verdict["top5"]] == pytest.approx(scores[order][:TOP].tolist(), abs=1e-5)
    if verdict["success"]:
        assert (order[0] != image.label) if goal is None else (order[0] == goal)
        assert 1 <= verdict["queries_to_success"] <= verdict["queries"]
        assert verdict["stopped"] == "reached"
    else:
        assert verdict["stopped"] in ("budget", "exhausted")


@pytest.fixture(scope="module", params=SETUPS)
def fought(request: pytest.FixtureRequest) -> tuple[dict[str, Any], list[Verdict]]:
    """A setup and its verdicts."""
    setup = SETUPS[request.param]
    return setup, verdicts_of(IMAGES, **setup)


def setup_name(setup: dict[str, Any]) -> str:
    return next(name for name, one in SETUPS.items() if one is setup)


def test_a_verdict_says_what_its_edits_do(fought: tuple[dict[str, Any], list[Verdict]]) -> None:
    setup, verdicts = fought
    target = tiny_target()
    for verdict in verdicts:
        assert_true(verdict, IMAGES[verdict["image"]], target)
        assert verdict["seed"] == 0
    assert any(verdict["already"] for verdict in verdicts) == (" goal" not in setup_name(setup))
    assert any(verdict["success"] for verdict in verdicts)


def test_every_duel_of_the_plan_has_one_verdict(fought: tuple[dict[str, Any], list[Verdict]]) -> None:
    setup, verdicts = fought
    made = plan(**setup)
    found = by_duel(verdicts)
    for image in IMAGES:
        goals = list(range(4)) if made.goals == ALL else list(made.goals)
        for goal in goals:
            own = [found.pop((image.index, goal, k, made.strategy), None) for k in made.pixels]
            if goal == image.label:
                assert own == [None] * len(own)
                continue
            fought_for = [verdict for verdict in own if verdict is not None]
            assert own[: len(fought_for)] == fought_for  # no number of pixels is left out
            assert fought_for
            assert [v["success"] or v["already"] for v in fought_for[:-1]] == [False] * (len(fought_for) - 1)
            last = fought_for[-1]
            assert last["success"] or last["already"] or last["pixels"] == made.pixels[-1]
            if made.baseline and not last["already"]:
                baseline = found.pop((image.index, goal, made.pixels[0], "random"))
                assert baseline["queries"] <= last["queries"]
                assert baseline["success"] or baseline["queries"] == last["queries"]
    assert found == {}


def test_budgets_hold(fought: tuple[dict[str, Any], list[Verdict]]) -> None:
    setup, verdicts = fought
    made = plan(**setup)
    for verdict in verdicts:
        assert verdict["queries"] <= (made.queries or 8 * 8 * 8)
        if verdict["stopped"] == "budget" and verdict["strategy"] == made.strategy:
            assert verdict["queries"] == (made.queries or 8 * 8 * 8)


def _numbers(value: Any) -> list[float]:
    if isinstance(value, dict | list):
        return [n for part in (value.values() if isinstance(value, dict) else value) for n in _numbers(part)]
    return [value] if isinstance(value, float) else []


def test_verdicts_are_plain_json_with_the_shortest_numbers(fought: tuple[dict[str, Any], list[Verdict]]) -> None:
    _, verdicts = fought
    for verdict in verdicts:
        assert json.loads(json.dumps(verdict, allow_nan=False)) == verdict
        numbers = _numbers({name: verdict[name] for name in ("confidence", "margin", "top5")})
        assert [n for n in numbers if float(str(np.float32(n))) != n] == []


def test_the_same_campaign_gives_the_same_verdicts(fought: tuple[dict[str, Any], list[Verdict]]) -> None:
    setup, verdicts = fought
    with global_random_untouched():
        assert verdicts_of(IMAGES, **setup) == verdicts


def test_neither_the_order_of_images_nor_other_duels_change_a_verdict(
    fought: tuple[dict[str, Any], list[Verdict]],
) -> None:
    setup, verdicts = fought
    whole = by_duel(verdicts)
    for order in ([6, 5, 4, 3, 2, 1, 0], [3], [5, 1, 4]):
        some = by_duel(fight(Campaign(tiny_target(), Some(IMAGES, order), plan(**setup))))
        assert some == {name: verdict for name, verdict in whole.items() if name[0] in order}


@pytest.mark.parametrize("name", ["all", "auto", "baseline", "sparse-rs"])
def test_fewer_duels_at_once_or_a_deeper_queue_change_no_verdict(name: str) -> None:
    whole = by_duel(verdicts_of(IMAGES, **SETUPS[name]))
    shallow = Campaign(tiny_target(), IMAGES, plan(**SETUPS[name]))
    while len(shallow.pool.free) > 2:
        shallow.pool.free.pop()
    assert by_duel(fight(shallow)) == whole
    deep = Campaign(tiny_target(), IMAGES, plan(**SETUPS[name]))
    deep.pool.scorer.depth = 2
    assert by_duel(fight(deep)) == whole


def test_another_seed_gives_other_duels() -> None:
    setup = {"strategy": "rand1", "queries": 200}
    ours, others = (verdicts_of(IMAGES, **setup, seed=seed) for seed in (0, 1))
    assert [v["edits"] for v in by_duel(ours).values()] != [v["edits"] for v in by_duel(others).values()]


def test_duels_draw_from_generators_of_their_own() -> None:
    """Nothing that two duels differ in may be left out of the seed."""
    campaign = Campaign(tiny_target(), IMAGES, plan(goals=ALL, pixels=(1, 2), baseline=False))
    (task,), _ = campaign_module.remaining(plan(), IMAGES[0], [], 4, 3)
    others = [
        task,
        replace(task, image=1),
        replace(task, goals=(0,)),
        replace(task, goals=(1,)),
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

    def update(self, edits: Edits, outcome: Outcome) -> None:
        pass


@pytest.fixture
def briefs(monkeypatch: pytest.MonkeyPatch) -> list[Brief]:
    """Makes ``spy`` a strategy with a budget of 12 queries; gives the briefs of its duels."""
    monkeypatch.setattr(Spy, "briefs", [], raising=False)
    monkeypatch.setitem(STRATEGIES, "spy", Strategy("spy", "", Spy, lambda space: 12))
    return Spy.briefs


def test_one_more_pixel_starts_from_what_the_former_duel_ended_with(briefs: list[Brief]) -> None:
    images = subjects(2)
    found = by_duel(verdicts_of(images, strategy="spy", pixels=(1, 2, 3), queries=None))
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
    (verdict,) = verdicts_of(subjects(1), strategy="spy", queries=None)
    assert (verdict["queries"], verdict["stopped"], verdict["l0"], verdict["l2"]) == (12, "budget", 0, 0.0)
    (verdict,) = verdicts_of(subjects(1), strategy="spy", queries=5)
    assert (verdict["queries"], len(briefs)) == (5, 2)


def test_what_the_clean_image_reaches_is_settled_without_a_query() -> None:
    (image,) = subjects(1, wrong=[0])
    campaign = Campaign(tiny_target(), [image], plan(goals=ALL))
    found = by_duel(fight(campaign))
    already = [goal for (_, goal, _, _), verdict in found.items() if verdict["already"]]
    assert already == [image.prediction]
    assert len(found) == 3
    campaign = Campaign(tiny_target(), [image], plan(pixels=(1, 2), baseline=True))
    (verdict,) = fight(campaign)
    assert (verdict["already"], verdict["success"], verdict["stopped"], campaign.scored) == (True, False, "reached", 0)


def test_su2019_goes_on_until_it_is_sure() -> None:
    """Its targeted duels stop at a probability of 0.9, long after the first success."""
    verdicts = verdicts_of(subjects(4), strategy="su2019", queries=1500, goals=(0,), pixels=(10,))
    sure = [verdict for verdict in verdicts if verdict["stopped"] == "reached" and verdict["queries"] < 1500]
    assert sure
    for verdict in sure:
        assert dict(map(tuple, verdict["top5"]))["class 0"] >= 0.9 - 1e-6
    assert any(verdict["queries_to_success"] < verdict["queries"] - 256 for verdict in sure)
    for verdict in verdicts_of(subjects(4), strategy="su2019", queries=1500, pixels=(10,)):  # untargeted: at the first
        assert verdict["queries"] - verdict["queries_to_success"] < 256


def brute_force(target: Target, image: Subject, goal: int) -> tuple[int | None, float]:
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
    margins = [margin_of(row, image, goal) for row in scores]
    first = next((number for number, margin in enumerate(margins, 1) if margin < -NARROW), None)
    return first, min(margins)


def test_sweeping_all_goals_equals_sweeping_each_alone_and_brute_force() -> None:
    target, images = tiny_target(), subjects(4, wrong=[3])
    together = by_duel(verdicts_of(images, goals=ALL, strategy="corners", queries=None))
    alone = by_duel([v for g in range(4) for v in verdicts_of(images, goals=(g,), strategy="corners", queries=None)])
    assert together.keys() == alone.keys()
    successes = 0
    for name, verdict in together.items():
        if verdict["already"]:
            continue
        image, other = images[name[0]], alone[name]
        first, lowest = brute_force(target, image, name[1])
        assert verdict["queries_to_success"] == other["queries_to_success"] == first
        assert verdict["success"] == other["success"] == (first is not None)
        assert verdict["queries"] == 512
        assert verdict["margin"] == pytest.approx(lowest, abs=1e-4)
        assert verdict["shared"] == (2 if image.prediction != image.label else 3)
        assert other["shared"] == 1
        successes += verdict["success"]
        if not verdict["success"]:
            assert other["margin"] == pytest.approx(lowest, abs=1e-4)
            assert (other["stopped"], verdict["stopped"]) == ("exhausted", "exhausted")
    assert 0 < successes < len(together) - 1


@settings(max_examples=15)
@given(st.sampled_from(sorted(SETUPS)), st.integers(0, 2**32 - 1))
def test_with_some_verdicts_known_the_others_come_out_the_same(name: str, seed: int) -> None:
    """Any subset that could have been written down, also the half of a sweep's goals."""
    verdicts, rng = verdicts_of(IMAGES[:4], **SETUPS[name]), np.random.default_rng(seed)
    written = verdicts[: rng.integers(len(verdicts) + 1)]
    rest = fight(Campaign(tiny_target(), IMAGES[:4], plan(**SETUPS[name])), written)
    assert by_duel(rest) == by_duel(verdicts[len(written) :])


@pytest.mark.parametrize("strategy", ["local", "rand1"])
def test_in_bfloat16_verdicts_hold_float32_s_numbers(strategy: str) -> None:
    target = tiny_target(precision="bfloat16")
    for verdict in verdicts_of(IMAGES, target, strategy=strategy, goals=ALL, queries=120):
        image = IMAGES[verdict["image"]]
        if verdict["already"]:
            continue
        scores = scores_of(target, changed_image(image, verdict))
        assert verdict["margin"] == pytest.approx(margin_of(scores, image, verdict["goal_index"]), abs=1e-4)
        assert verdict["success"] == (verdict["queries_to_success"] is not None)
        assert [value for _, value in verdict["top5"]] == pytest.approx(sorted(scores.tolist())[::-1][:5], abs=1e-5)


def test_in_bfloat16_every_row_that_was_scored_is_a_query() -> None:
    campaign = Campaign(tiny_target(precision="bfloat16"), IMAGES, plan(goals=ALL, queries=120))
    verdicts = fight(campaign)
    assert campaign.scored == sum(verdict["queries"] for verdict in verdicts)


def test_in_bfloat16_the_budget_holds() -> None:
    verdicts = verdicts_of(IMAGES, tiny_target(precision="bfloat16"), goals=ALL, queries=40)
    assert max(verdict["queries"] for verdict in verdicts) <= 40


def test_in_bfloat16_other_duels_change_no_verdict() -> None:
    target, made = tiny_target(precision="bfloat16"), plan(goals=ALL, queries=120)
    whole = by_duel(fight(Campaign(target, IMAGES, made)))
    some = by_duel(fight(Campaign(target, Some(IMAGES, [6, 1, 3]), made)))
    assert some == {name: verdict for name, verdict in whole.items() if name[0] in (6, 1, 3)}


def test_batches_fit_the_device_and_the_search() -> None:
    target = tiny_target()
    assert batch_rows(target, plan()) == 64
    assert batch_rows(target, plan(strategy="sparse-rs")) == 32
    assert batch_rows(tiny_target(micro_batch=5), plan()) == 5
    assert Campaign(target, IMAGES, plan(), rows=7).pool.scorer.rows == 7


def test_class_names_are_the_target_s() -> None:
    verdict = verdicts_of(IMAGES[:1])[0]
    assert verdict["class"] in NAMES
    assert verdict["goal"] == "untargeted"
