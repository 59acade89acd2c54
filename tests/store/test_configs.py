"""``config.json``: what no job can have is refused in one line that names the file and the value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from configs import REMOVED, campaign_config, edit_config, run_config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from runs import tree

from evofool.config.records import CampaignConfig, JobConfig, RunConfig
from evofool.errors import RunError
from evofool.store.campaign import CampaignFolder
from evofool.store.folder import INSIDE, kind_of, make_folder, read_config
from evofool.store.run import RunFolder

CONFIGS: dict[str, JobConfig] = {"run": run_config(), "campaign": campaign_config()}


@pytest.fixture(params=CONFIGS)
def job(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder of a job of each kind."""
    make_folder(tmp_path / "job", CONFIGS[request.param])
    return tmp_path / "job"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    make_folder(tmp_path / "run", run_config())
    return tmp_path / "run"


@pytest.fixture
def campaign(tmp_path: Path) -> Path:
    make_folder(tmp_path / "campaign", campaign_config())
    return tmp_path / "campaign"


def read(path: Path) -> JobConfig:
    return read_config(path, {"run": RunConfig, "campaign": CampaignConfig}[kind_of(path)])


def refused(path: Path, *parts: str) -> None:
    """Check that the config is refused in one short line with these parts, and that nothing is changed."""
    before = tree(path)
    with pytest.raises(RunError) as caught:
        read(path)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400 + len(str(path))
    for part in (str(path), *parts):
        assert part in message
    assert tree(path) == before


def test_what_is_written_is_read_again(job: Path) -> None:
    assert read(job) == CONFIGS[kind_of(job)]
    content = json.loads((job / "config.json").read_text())
    assert (content["format"], content["job"]) == (2, kind_of(job))


RUN_FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"target": None}, "target"),
    ({"target": {}}, "name"),
    ({"target.name": 5}, "target.name"),
    ({"target.image_shape": [2, 8, 8]}, "image_shape"),
    ({"target.image_shape": [3, 0, 8]}, "image_shape"),
    ({"target.image_shape": [3, 8, 10**6]}, "image_shape"),
    ({"target.image_shape": [3, 8]}, "image_shape"),
    ({"target.micro_batch": 0}, "micro_batch"),
    ({"target.classes": 0}, "classes"),
    ({"options": None}, "options"),
    ({"options.encoding": ["cppn"]}, "encoding"),
    ({"options.preset": None}, "preset"),
    ({"options.settings": []}, "settings"),
    ({"options.settings": None}, "settings"),
    ({"options.settings": {"rate": [[1]]}}, "settings"),
    ({"options.settings": {"rate": float("nan")}}, "nan"),
    ({"options.settings": {"rate": float("-inf")}}, "-inf"),
    ({"options.settings": {"rate": 10**400}}, "too large"),
    ({"options.selector": None}, "selector"),
    ({"options.emitters": None}, "emitters"),
    ({"options.emitters": "vary"}, "emitters"),
    ({"options.batch": None}, "batch"),
    ({"options.batch": 0}, "batch"),
    ({"options.batch": 65_537}, "batch"),
    ({"options.seed": -1}, "seed"),
    ({"options.seed": "0"}, "seed"),
    ({"options.seed": 1e3}, "seed"),
    ({"options.seed": True}, "seed"),
    ({"options.seed": 2**62}, "too large"),
    ({"options.bins": 65}, "bins"),
    ({"options.apart": 0.0}, "apart"),
    ({"options.generations": 0}, "generations"),
    ({"options.minutes": -1.0}, "minutes"),
    ({"options.minutes": float("nan")}, "nan"),
    ({"options.until": 5.0}, "until"),
    ({"class_indices": []}, "class_indices"),
    ({"class_indices": [4]}, "class_indices"),
    ({"class_indices": [1, 1]}, "class_indices"),
    ({"class_indices": [2, 1]}, "class_indices"),
    ({"class_indices": [-1]}, "class_indices"),
    ({"class_indices": ["cat"]}, "class_indices"),
]


@pytest.mark.parametrize(("changes", "part"), RUN_FAULTS, ids=str)
def test_a_config_that_no_run_can_have_is_refused(changes: dict[str, Any], part: str, run: Path) -> None:
    edit_config(run, changes)
    refused(run, "config.json is damaged (", part)


CAMPAIGN_FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"target": None}, "target"),
    ({"target.image_shape": [2, 8, 8]}, "image_shape"),
    ({"target.image_shape": [3, 0, 8]}, "image_shape"),
    ({"target.image_shape": [3, 8, 10**6]}, "image_shape"),
    ({"data": None}, "data"),
    ({"data.chosen": -1}, "chosen"),
    ({"data.labelled": "yes"}, "labelled"),
    ({"data.skipped": []}, "skipped"),
    ({"data.mapping": [["cat"]]}, "mapping"),
    ({"data.mapping": [["cat", 99]]}, "mapping"),
    ({"plan": None}, "plan"),
    ({"plan.criterion": None}, "criterion"),
    ({"plan.criteria": None}, "criteria"),
    ({"plan.criteria": "some"}, "criteria"),
    ({"plan.criteria": []}, "criteria"),
    ({"plan.criteria": ["cat"]}, "criteria"),
    ({"plan.criteria": [99]}, "criteria"),
    ({"plan.criteria": [-1]}, "criteria"),
    ({"plan.criteria": [1, 2, 1]}, "criteria"),
    ({"plan.pixels": None}, "pixels"),
    ({"plan.pixels": []}, "pixels"),
    ({"plan.pixels": [0]}, "pixels"),
    ({"plan.pixels": ["1"]}, "pixels"),
    ({"plan.pixels": [65]}, "pixels"),
    ({"plan.pixels": [1, 10**12]}, "pixels"),
    ({"plan.pixels": [2, 1]}, "pixels"),
    ({"plan.strategy": None}, "strategy"),
    ({"plan.queries": "many"}, "queries"),
    ({"plan.queries": 0}, "queries"),
    ({"plan.baseline": None}, "baseline"),
    ({"plan.seed": None}, "seed"),
    ({"plan.seed": "0"}, "seed"),
    ({"plan.seed": -1}, "seed"),
    ({"plan.rows": None}, "rows"),
    ({"plan.rows": 0}, "rows"),
    ({"plan.rows": -1}, "rows"),
    ({"plan.rows": 2**14 + 1}, "rows"),
    ({"plan.rows": 10**12}, "rows"),
    ({"plan.rows": True}, "rows"),
    ({"plan.rows": "64"}, "rows"),
    ({"classes": None}, "classes"),
    ({"classes": ["a"]}, "classes"),
    ({"classes": [1, 2, 3, 4]}, "classes"),
    ({"options.pixels": 0}, "pixels"),
    ({"options.seed": 10**400}, "too large"),
]


@pytest.mark.parametrize(("changes", "part"), CAMPAIGN_FAULTS, ids=lambda value: str(value)[:60])
def test_a_config_that_no_campaign_can_have_is_refused(changes: dict[str, Any], part: str, campaign: Path) -> None:
    edit_config(campaign, changes)
    refused(campaign, "config.json is damaged (", part)


def fields_of(record: Mapping[str, Any], above: str = "") -> list[str]:
    """Return the dotted names of all fields, but for those of free content."""
    names = []
    for name, value in record.items():
        names.append(above + name)
        if isinstance(value, dict) and name not in ("versions", "settings", "skipped", "swapped"):
            names += fields_of(value, f"{above}{name}.")
    return names


def test_a_config_that_lacks_a_field_is_refused_or_has_its_default(job: Path) -> None:
    """Only options have defaults; a job's own records, and options that a run has resolved, have none."""
    content = (job / "config.json").read_text()
    required = 0
    for name in fields_of(json.loads(content)):
        (job / "config.json").write_text(content)
        edit_config(job, {name: REMOVED})
        if name.startswith(("options.", "target.model.")) and name not in {
            f"options.{resolved}" for resolved in RESOLVED[kind_of(job)]
        }:
            read(job)
            continue
        with pytest.raises(RunError, match=r"config\.json is damaged \(") as caught:
            read(job)
        assert name.rpartition(".")[2] in str(caught.value)
        required += 1
    assert required > 15


FOUND = ("target", "classes", "device", "precision", "micro_batch", "memory_format", "fold", "parallel")
RESOLVED = {"run": ("settings", "selector", "emitters", "batch", *FOUND), "campaign": ()}
"""Options that a job's config can't lack, since their defaults are others."""


def test_an_unknown_field_is_refused_wherever_it_is(job: Path) -> None:
    content = (job / "config.json").read_text()
    records = ["", *(f"{name}." for name, value in json.loads(content).items() if isinstance(value, dict))]
    for record in records:
        if record not in ("versions.", "swapped."):
            (job / "config.json").write_text(content)
            edit_config(job, {f"{record}new": 1})
            refused(job, "unknown field new")


def test_a_field_whose_name_has_lines_is_refused_in_one(job: Path) -> None:
    edit_config(job, {"a\nb" * 1000: 1})
    refused(job, "unknown field")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"nonsense", b"{", b"[]", b"null", b"{}", b"5", b"\xff\xfe", b"[" * 100_000,
        b'{"format": ' + b"1" * 5000 + b"}", b'{"format": 2}', b'{"format": 2, "job": 5}',
        b'{"format": 2, "job": null}',
    ],
    ids=lambda content: str(content[:30]),
)  # fmt: skip
def test_what_is_no_config_is_refused(content: bytes, job: Path) -> None:
    (job / "config.json").write_bytes(content)
    refused(job, "config.json is damaged (")


def test_values_nested_without_end_are_refused(run: Path) -> None:
    deep: Any = 1
    for _ in range(40):
        deep = [deep]
    edit_config(run, {"versions": deep})
    refused(run, "more than 32 deep")


@pytest.mark.parametrize(("version", "shown"), [(1, "1"), (3, "3"), ("2", "2"), (None, "None"), ("a\nb" * 99, "a b")])
def test_another_format_is_refused_with_the_version_that_made_it(version: Any, shown: str, job: Path) -> None:
    edit_config(job, {"format": version, "versions": {"evofool": "9.1"}})
    refused(job, f"has format {shown}", "this version of evofool reads 2", "use the one that made it (evofool 9.1)")


@pytest.mark.parametrize(
    "versions", [REMOVED, None, 5, {}, {"evofool": None}], ids=["none", "null", "5", "{}", "no name"]
)
def test_another_format_is_refused_whatever_else_the_config_says(versions: Any, job: Path) -> None:
    edit_config(job, {"format": 1, "versions": versions})
    refused(job, "has format 1, this version of evofool reads 2; use the one that made it")


def test_a_folder_of_format_1_is_refused_as_it_was_written(tmp_path: Path) -> None:
    old = {
        "format": 1, "evofool": "evolve", "target": {"name": "digits"}, "encoding": "cppn", "settings": {},
        "niches": [0], "batch": 20, "seed": 0, "versions": {"evofool": "0.5.0"},
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(old))
    refused(tmp_path, "has format 1, this version of evofool reads 2", "evofool 0.5.0")


def test_a_run_and_a_campaign_are_told_apart(run: Path, campaign: Path) -> None:
    with pytest.raises(RunError, match=f"{campaign} is a campaign; expected a run"):
        RunFolder.open(campaign)
    with pytest.raises(RunError, match=f"{run} is a run; expected a campaign"):
        CampaignFolder.open(run)
    edit_config(run, {"job": "a\nb" * 100})
    with pytest.raises(RunError, match="expected a run") as caught:
        RunFolder.open(run)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 100 + len(str(run))


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: None], ids=["empty", "missing"])
def test_where_no_job_is_the_kind_that_was_looked_for_is_named(make: Any, tmp_path: Path) -> None:
    make(tmp_path / "a")
    with pytest.raises(RunError, match=f"no run at {tmp_path / 'a'}: expected a folder with config.json"):
        RunFolder.open(tmp_path / "a")
    with pytest.raises(RunError, match=f"no campaign at {tmp_path / 'a'}: expected a folder with config.json"):
        CampaignFolder.open(tmp_path / "a")


@pytest.mark.parametrize("name", INSIDE)
def test_a_folder_inside_that_is_a_link_is_refused(name: str, job: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (job / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match=f"{job / name} is a link, and what is written there would be elsewhere"):
        read(job)


def test_a_config_that_is_no_file_is_refused(job: Path) -> None:
    (job / "config.json").unlink()
    (job / "config.json").mkdir()
    with pytest.raises(RunError, match="no job at"):
        read(job)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(data=st.data())
def test_any_json_in_any_field_is_read_or_refused_in_one_line(data: st.DataObject, job: Path) -> None:
    make = CONFIGS[kind_of(job)]
    original = (job / "config.json").read_text()
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    )
    name = data.draw(st.sampled_from(fields_of(json.loads(original))))
    edit_config(job, {name: data.draw(values)})
    try:
        assert type(read_config(job, type(make))) is type(make)
    except RunError as error:
        assert "\n" not in str(error)  # noqa: PT017
        assert str(job) in str(error)  # noqa: PT017
    finally:
        (job / "config.json").write_text(original)
