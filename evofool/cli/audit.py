"""``evofool audit``: one classifier, one verdict."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..config.audit import AuditOptions
from ..errors import ConfigError
from .common import Out, end_as_stopped, folder_of_job, resume_command
from .declared import with_options
from .output import Output, with_output

if TYPE_CHECKING:
    from ..audits.record import AuditRecord
    from ..audits.rules import Rule
    from ..console.console import Console

Folders = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Audits that are done: one is judged again by --fail-on, two or more are for --compare.",
        show_default=False,
    ),
]
FailOn = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-on",
        metavar="RULE",
        help="What must not be, such as 'fooled_at_99 > 0.5'; exit code 3 where it is. May be repeated.",
        show_default=False,
    ),
]
Junit = Annotated[Path | None, typer.Option("--junit", help="Write parts and rules to this file as JUnit's XML.")]
ModelCard = Annotated[
    Path | None,
    typer.Option("--model-card", help="Write the figures to this file as the YAML that a Hugging Face card has."),
]
Compare = Annotated[
    bool,
    typer.Option("--compare", help="Compare audits with the first of them; exit code 3 where one is surely worse."),
]
Schema = Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of audit.json.")]


@with_options(AuditOptions)
@with_output
def audit(
    given: dict[str, Any],
    output: Output,
    folders: Folders = None,
    out: Out = None,
    fail_on: FailOn = None,
    junit: Junit = None,
    model_card: ModelCard = None,
    compare: Compare = False,
    schema: Schema = False,
) -> None:
    """Say how easily a classifier is fooled, in one report.

    It evolves images for every class, changes pixels of real ones, and looks whether the classifier's own confidence
    tells them apart. It goes on with: evofool resume.
    """
    from ..audits.rules import parse_rules

    console, judge = output.console, _Judge(parse_rules(fail_on or ()), junit, model_card)
    if schema or compare or folders:
        output.without_job()
    if schema:
        from ..audits.publishing import json_schema

        console.json(json_schema())
    elif compare or folders:
        _read(console, folders or [], given, judge, compare, out, output.as_json)
    else:
        from ..console.audit_view import AuditView

        options = AuditOptions.of(given)
        stem = f"audit-{Path(options.target).name if options.target else Path(options.data or 'digits').stem}"
        with folder_of_job(out, stem) as folder, output.watch(AuditView()) as observer:
            from ..audits import start

            result = start.run(options, out=folder, observer=observer)
        show_audit(console, result, output.as_json, judge)


class _Judge:
    """What is made of a record: files for others, and verdicts of rules.

    Args:
        rules: The rules.
        junit, model_card: Files to write, or None.

    Raises:
        ConfigError: A file is a folder, or can't be written where it is to be.
    """

    def __init__(self, rules: Sequence[Rule] = (), junit: Path | None = None, model_card: Path | None = None) -> None:
        for name, file in (("junit", junit), ("model_card", model_card)):
            if file is not None:
                _check_place(name, file)
        self.rules, self.junit, self.model_card = rules, junit, model_card

    @property
    def wanted(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.rules or self.junit or self.model_card)

    def end(self, console: Console, record: AuditRecord, figures: Mapping[str, Any] | None) -> None:
        """Write the files, print the verdicts, and end the command with exit code 3 where a rule is broken.

        Args:
            console: What prints.
            record: What the audit found.
            figures: What ``--json`` prints; None without it.
        """
        from ..audits.publishing import model_card
        from ..audits.rules import BROKEN, check_rules, junit
        from ..gallery.pages.page_file import write_page

        verdicts = check_rules(self.rules, record)
        if self.junit:
            write_page(self.junit, junit(record, verdicts))
        if self.model_card:
            write_page(self.model_card, model_card(record))
        broken = [verdict for verdict in verdicts if verdict.broken]
        if figures is not None:
            console.json({**figures, "rules": [verdict.to_json() for verdict in verdicts]})
        else:
            for verdict in verdicts:
                console.say(f"  {'broken' if verdict.broken else 'kept'}: {verdict.rule.text}   {verdict.why}")
        if broken:
            raise typer.Exit(BROKEN)


def _check_place(name: str, file: Path) -> None:
    """Check, before hours of work, that a file can be written where it is to be.

    Raises:
        ConfigError: It can't.
    """
    if file.is_dir():
        raise ConfigError(f"`{name}` must name a file, got the folder {file}")
    place = next(folder for folder in file.absolute().parents if folder.exists())
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise ConfigError(f"`{name}`: {file} can't be written, since {place} takes no files; choose another place")


def _read(
    console: Console,
    folders: Sequence[Path],
    given: Mapping[str, Any],
    judge: _Judge,
    compare: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Judge an audit that is done, or compare several.

    Raises:
        ConfigError: Options are given that neither has.
    """
    if given:
        name = next(iter(given))
        raise ConfigError(f"`{name}` belongs to a new audit, and folders to those that are done; leave one out")
    if compare:
        if judge.wanted:
            raise ConfigError("`compare` takes no rules and no other files; judge one audit by: evofool audit FOLDER")
        _compare(console, folders, out, as_json)
        return
    if len(folders) > 1:
        raise ConfigError(f"{len(folders)} audits are judged one by one; to compare them, say `compare` as well")
    if out is not None:
        raise ConfigError("`out` belongs to a new audit or to `compare`; leave it out")
    from ..audits.record import read_record

    record = read_record(folders[0])
    judge.end(console, record, {"audit": str(folders[0]), **record.flat()} if as_json else None)


def _compare(console: Console, folders: Sequence[Path], out: Path | None, as_json: bool) -> None:
    """Compare audits: the page, the finding, and exit code 3 where one is surely worse."""
    from ..audits.comparison import compare_audits, write_comparison
    from ..audits.rules import BROKEN

    comparison = compare_audits(folders)
    page = write_comparison(comparison, out)
    figures = comparison.figures()
    if as_json:
        console.json({"report": str(page), **figures})
    else:
        for each in figures["comparisons"]:
            console.say(f"{each['audit']} against {each['against']}: {each['finding']}")
            for warning in each["warnings"]:
                console.say(f"  mind: {warning}")
        console.say(f"comparison: {page}")
    if comparison.worse:
        raise typer.Exit(BROKEN)


def show_audit(console: Console, result: Any, as_json: bool, judge: _Judge | None = None) -> None:
    """Print what an audit ended with, and end the command as stopped if it was, or as the rules say."""
    if not as_json:
        console.finished_audit(result, resume_command(result.path))
    elif result.interrupted or judge is None:
        console.json(result.summary())
    end_as_stopped(result.interrupted)
    if judge:
        judge.end(console, result.record, result.summary() if as_json else None)
