"""The JSON Schema and the model card, read by others: jsonschema, YAML, huggingface_hub."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from audit_details import whole_audit
from audit_records import figure, record
from huggingface_hub.repocard_data import model_index_to_eval_results

from evofool.audits.figure_table import FIGURES
from evofool.audits.publishing import json_schema, model_card
from evofool.audits.record import AuditedTarget


def validator() -> jsonschema.Draft202012Validator:
    """A validator of the schema, which is checked itself."""
    schema = json.loads(json.dumps(json_schema()))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_records_are_what_the_schema_says(tmp_path: Path) -> None:
    check = validator()
    for audit in (record({}), record({}, data=None, budget="90s"), whole_audit(tmp_path)):
        check.validate(json.loads(audit.to_json()))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), 2),
        (("extra",), 1),
        (("queries",), -1),
        (("figures", "ece"), None),
        (("figures", "unknown"), {"value": None, "low": None, "high": None, "n": 0}),
        (("figures", "ece"), {"value": "much", "low": 0, "high": 1, "n": 1}),
        (("parts", "fooling", "status"), "failed"),
        (("target", "image_shape"), [8, 8]),
    ],
)
def test_the_schema_refuses_what_a_record_may_not_be(path: tuple[str, ...], value: object) -> None:
    content = json.loads(record({}).to_json())
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    assert not validator().is_valid(content)


@pytest.mark.parametrize("key", ["schema", "figures", "parts", "target"])
def test_the_schema_asks_for_what_must_be_there(key: str) -> None:
    content = json.loads(record({}).to_json())
    del content[key]
    assert not validator().is_valid(content)


def test_the_schema_tells_what_every_figure_means() -> None:
    described = json_schema()["$defs"]["AuditRecord"]["properties"]["figures"]["properties"]
    assert described["fooled_at_99"]["description"].endswith("more is worse")
    assert described.keys() == FIGURES.keys()


def test_hugging_face_reads_the_card() -> None:
    audit = record({"fooled_at_99": figure(0.5, 0.25, 0.75, 10)}, budget="50000 queries")
    front = yaml.safe_load(model_card(audit).split("---\n")[1])
    name, (result,) = model_index_to_eval_results(front["model-index"])
    assert (name, result.metric_type, result.metric_value) == ("digits", "fooled_at_99", 0.5)
    assert result.dataset_name == "digits, 100 images"
    assert result.metric_args == {
        "low": 0.25, "high": 0.75, "n": 10, "evofool": "1.0", "profile": "quick", "budget": "50000 queries", "seed": 0,
    }  # fmt: skip


def test_no_name_adds_keys_to_the_card() -> None:
    evil = 'x"\nlicense: mit\n---\n'
    target = AuditedTarget(name=evil, weights_sha256=None, classes=2, image_shape=(1, 2, 2))
    (front,) = yaml.safe_load_all(model_card(record({}, target=target)).removesuffix("---\n"))
    assert front.keys() == {"model-index"}
    assert front["model-index"][0]["name"] == evil
