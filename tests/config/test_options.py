"""Options are declared once: what a declaration gives, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import pytest

from evofool.config.attack import AttackOptions
from evofool.config.evolve import EvolveOptions
from evofool.config.options import Natural, Options, Positive, declarations, option
from evofool.errors import ConfigError


class Sample(Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A few options of every type."""

    count: Annotated[Positive | None, option("How many.", short="-c", identity=True)] = None
    seed: Annotated[Natural, option("Random seed.")] = 0
    share: Annotated[Annotated[float, msgspec.Meta(gt=0, le=1)] | None, option("How much.")] = None
    names: Annotated[tuple[int | str, ...] | None, option("Which.", reset_by=("file",))] = None
    file: Annotated[str | None, option("Where from.", path=True)] = None
    fast: Annotated[bool, option("Whether to hurry.")] = False


def test_left_out_options_have_their_defaults() -> None:
    assert Sample.of({}) == Sample()


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        ({"count": np.int64(3)}, "count", 3),
        ({"share": np.float32(0.5)}, "share", 0.5),
        ({"share": 1}, "share", 1.0),
        ({"names": "cat, dog,8"}, "names", ("cat", "dog", "8")),
        ({"names": 3}, "names", (3,)),
        ({"names": ["cat", 3]}, "names", ("cat", 3)),
        ({"names": np.array([1, 2])}, "names", (1, 2)),
        ({"names": range(2)}, "names", (0, 1)),
        ({"names": [np.int64(4)]}, "names", (4,)),
        ({"file": Path("a") / "b"}, "file", str(Path("a") / "b")),
    ],
)
def test_values_are_taken_as_people_write_them(given: dict[str, Any], name: str, value: object) -> None:
    taken = getattr(Sample.of(given), name)
    assert taken == value
    assert type(taken) is type(value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"count": 0}, "`count` must be a whole number of at least 1, got 0"),
        ({"count": 1.5}, "`count` must be a whole number of at least 1, got 1.5"),
        ({"count": True}, "`count` must be a whole number of at least 1, got True"),
        ({"count": "many"}, '`count` must be a whole number of at least 1, got "many"'),
        ({"count": 2**62}, "`count` must be a whole number of at least 1, got"),
        ({"count": 10**400}, "`count` must be a whole number of at least 1, got 1000"),
        ({"seed": -1}, "`seed` must be a whole number of at least 0, got -1"),
        ({"seed": None}, "`seed` must be a whole number of at least 0, got None"),
        ({"share": 0}, "`share` must be a number above 0 and at most 1, got 0"),
        ({"share": float("nan")}, "`share` must be a number above 0 and at most 1, got nan"),
        ({"names": [1.5]}, "`names` must be one or more names or indices, got [1.5]"),
        ({"file": 3}, "`file` must be text, got 3"),
        ({"fast": "yes"}, '`fast` must be true or false, got "yes"'),
        ({"cuont": 1}, 'there is no option `cuont` (did you mean "count"?)'),
    ],
)
def test_what_can_not_be_is_refused_in_one_line(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        Sample.of(given)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 200


def test_identity_holds_what_makes_another_job() -> None:
    assert Sample.of({"count": 3, "seed": 4}).identity() == {"count": 3}


def test_a_changed_option_resets_what_belongs_to_it() -> None:
    recorded = Sample.of({"count": 3, "names": "cat", "file": "a"})
    assert Sample.given_beside(recorded, {"file": "b"}) == Sample(count=3, file="b")
    assert Sample.given_beside(recorded, {"count": 4}) == Sample(count=4, names=("cat",), file="a")
    assert Sample.given_beside(recorded, {"file": "b", "names": "dog"}) == Sample(count=3, names=("dog",), file="b")


def test_options_can_not_change() -> None:
    with pytest.raises(AttributeError):
        Sample().seed = 3  # type: ignore[misc]


@pytest.mark.parametrize("options", [EvolveOptions, AttackOptions])
def test_every_option_says_what_it_does(options: type[Options]) -> None:
    for name, declaration in declarations(options).items():
        assert declaration.help[:1].isupper(), name
        assert declaration.help.endswith("."), name


@pytest.mark.parametrize("options", [EvolveOptions, AttackOptions])
def test_options_that_reset_others_exist(options: type[Options]) -> None:
    declared = declarations(options)
    assert {name for one in declared.values() for name in one.extra("reset_by")} <= declared.keys()


@pytest.mark.parametrize("options", [EvolveOptions, AttackOptions])
def test_options_survive_json(options: type[Options]) -> None:
    given = options.of({"seed": 3, "target": "cifar10"})
    assert msgspec.json.decode(msgspec.json.encode(given), type=options) == given


@pytest.mark.parametrize(
    "limit", [{"generations": 0}, {"evaluations": -1}, {"minutes": 0.0}, {"until": 0.0}, {"until": 1.5}]
)
def test_a_budget_that_can_not_be_is_refused(limit: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"`{next(iter(limit))}`"):
        EvolveOptions.of(limit)


def test_a_percentage_is_understood() -> None:
    with pytest.raises(ConfigError, match=r"did you mean 0\.99\?"):
        EvolveOptions.of({"until": 99})
