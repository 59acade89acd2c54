"""Write OPTIONS.md, beside this file, from the declarations in ``evofool.config``: ``python docs/make_options.py``."""

from __future__ import annotations

from pathlib import Path

from evofool.audits.figure_table import FIGURES
from evofool.config.attack import AttackOptions
from evofool.config.audit import AuditOptions
from evofool.config.documented import markdown
from evofool.config.evolve import EvolveOptions
from evofool.config.experiment_options import ExperimentOptions
from evofool.config.experiments import EXPERIMENT_OPTIONS

PAGE = Path(__file__).with_name("OPTIONS.md")


def content() -> str:
    """Return the page."""
    return f"""# Options

This page is made from the declarations: `python docs/make_options.py` writes it anew. A run's `config.json` records the
options of `evofool evolve`, a campaign's those of `evofool attack`, an audit's those of `evofool audit`, and an
experiment's those of `evofool lab NAME`, by their Python names.

## evofool evolve, evofool.evolve()

{markdown(EvolveOptions)}
## evofool attack, evofool.attack()

{markdown(AttackOptions)}
## evofool audit, evofool.audit()

{markdown(AuditOptions)}
### Figures of an audit

The names that `audit.json`, `audit.csv`, `--json` and `--fail-on` share, each also with `_low` and `_high`.

| figure | what it is | worse |
|---|---|---|
{"".join(map(_figure, FIGURES))}{"".join(map(_experiment, EXPERIMENT_OPTIONS))}"""


def _figure(name: str) -> str:
    """Return the row of an audit's figure."""
    kind = FIGURES[name]
    return f"| `{name}` | {kind.meaning} | {kind.worse or '–'} |\n"


def _experiment(options: type[ExperimentOptions]) -> str:
    """Return the section of an experiment."""
    name = options.__struct_config__.tag
    return f"""
## evofool lab {name}, evofool.{name}()

{markdown(options)}"""


if __name__ == "__main__":
    PAGE.write_text(content(), encoding="utf-8")
