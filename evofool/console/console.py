"""The only place that prints: live progress, summaries, tables."""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from rich.console import Console as RichConsole
from rich.console import ConsoleOptions, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.segment import Segment
from rich.spinner import Spinner
from rich.text import Text

from ..io.interrupts import BROKEN_PIPE, stop
from . import summaries, tables
from .live import LiveView, PlainView, View
from .terminal import can_draw

if TYPE_CHECKING:
    from ..audits.result import AuditResult
    from ..jobs.result import CampaignResult, Result
    from ..lab.result import ExperimentResult
    from ..sweeps.result import SweepResult
    from ..targets.cards import Card
    from ..targets.execution.trials import Trial
    from ..targets.torch_target import TorchTarget
    from .event_lines import EventLines
    from .notebook import NotebookView

STARTING = "starting … (once on each machine, loops are compiled and the network's fastest way is tried)"

ELITES_SHOWN = 20
"""How many elites are shown of a run that is inspected."""

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
"""Control characters, but for the line feed."""

_SURROGATE = re.compile("[\ud800-\udfff]")
"""What stands in a text for bytes that are no Unicode."""


class SafeConsole(RichConsole):
    """A console that drops control characters from what it prints, so that a name can't give the terminal orders."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(_CONTROL.sub("", segment.text), segment.style)

    def on_broken_pipe(self) -> None:
        """Print no more, and have the job under way end as if it was stopped; without one the command ends."""
        self.quiet = True
        if not _nobody_reads():
            raise BrokenPipeError


class Console:
    """Prints all that evofool has to say.

    Args:
        quiet: Print nothing but results that were asked for, and errors.
        to_stderr: Print to standard error, and keep standard output for one JSON object.
        events: Print nothing but JSON lines of what a job does, and errors. With ``quiet``, these have no progress.

    Attributes:
        events: What writes the JSON lines, or None.
    """

    def __init__(self, *, quiet: bool = False, to_stderr: bool = False, events: bool = False) -> None:
        self.quiet = quiet or events
        self.events: EventLines | None = None
        if events:
            from .event_lines import EventLines

            self.events = EventLines(self._line, quiet=quiet)
        self.rich: RichConsole = SafeConsole(stderr=to_stderr, highlight=False)
        self.errors = SafeConsole(stderr=True, highlight=False)
        for stream in (self.rich.file, self.errors.file):  # Those of a Python user that it doesn't print to stay as is.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # a question mark stands for a character that can't be shown

    def error(self, message: str) -> None:
        """Print an error in one line on standard error."""
        line = " ".join(message.split())
        self.errors.print(Text.assemble(("error: ", "bold red"), line), soft_wrap=True)

    def failed(self, message: str, code: int) -> None:
        """Print what ended a command as the last of the JSON lines, if there are any."""
        if self.events:
            self.events.error(message, code)

    def json(self, value: Any) -> None:
        """Print what came out as one JSON object on standard output; as the last of the JSON lines, if there are any.

        It is in UTF-8 where that is the stream's encoding, else in ASCII with escapes, whatever the code page. Names
        that are no Unicode, such as those of files in another encoding, are escaped as well.
        """
        if self.events:
            self.events.finish(value)
        else:
            self._print(value)

    def _line(self, event: Mapping[str, Any]) -> None:
        """Print an event at once. Where nobody reads any more, the job under way ends as if it was stopped."""
        try:
            self._print(event, flush=True)
        except BrokenPipeError:
            if not _nobody_reads():
                raise

    def _print(self, value: Any, *, flush: bool = False) -> None:
        stream = sys.stdout
        is_utf8 = stream.encoding is not None and codecs.lookup(stream.encoding).name == "utf-8"
        if not is_utf8 and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="ascii")  # UTF-16 and EBCDIC have other bytes for the same letters
        text = json.dumps(value, ensure_ascii=not is_utf8)
        print(json.dumps(value) if _SURROGATE.search(text) else text, flush=flush)

    def say(self, text: str = "") -> None:
        """Print a line of news, unless quiet."""
        if not self.quiet:
            self.rich.print(Text(text), soft_wrap=True)

    def note(self, text: str) -> None:
        """Print what people should know in a line, unless quiet."""
        if self.events:
            self.events.warn(text)
        else:
            self.say(f"note: {text}")

    def warn(self, text: str) -> None:
        """Print what went wrong beside the job in a line, on standard error and even if quiet."""
        if self.events:
            self.events.warn(text)
        else:
            self.errors.print(Text.assemble(("warning: ", "bold yellow"), text), soft_wrap=True)

    def show(self, result: RenderableType) -> None:
        """Print a result that was asked for; a text is printed as it is, without markup."""
        self.rich.print(Text(result) if isinstance(result, str) else result)

    def answer(self, text: str) -> None:
        """Print a text that was asked for as it is, without folding its lines."""
        self.rich.print(Text(text), soft_wrap=True)

    def pairs(self, rows: Sequence[tuple[str, str]]) -> None:
        """Print names and values in two columns; values are never folded, so that paths and commands can be copied."""
        width = max(len(name) for name, _ in rows)
        for name, value in rows:
            self.rich.print(Text.assemble((f"  {name:<{width}}  ", "dim"), value), soft_wrap=True)

    @contextmanager
    def watch(self, view: View, observed: Any = None) -> Iterator[Callable[[Any], object] | None]:
        """Show how far a job is while it works, and tell observers.

        In a terminal this is a live view, which a spinner precedes; in a notebook's cell an output that is written
        over; elsewhere it is a line now and then.

        Args:
            view: Describes the job's steps; see :func:`~evofool.console.views.view_of_job`.
            observed: The user's observers; see :func:`~evofool.observers.registry.observers_of`.

        Yields:
            The job's observer, or None where nothing is to be seen.
        """
        observers: list[Callable[[Any], object]] = []
        if observed is not None:
            from ..observers.registry import observers_of

            observers = observers_of(observed, self.warn)
        for note in view.notes:
            self.note(note)
        with self._shown(view) as shown:
            if not observers:
                yield shown
                return
            from ..observers.registry import together

            yield together([*([shown] if shown else []), *observers])

    @contextmanager
    def _shown(self, view: View) -> Iterator[EventLines | LiveView | NotebookView | PlainView | None]:
        """Show a job's steps, and give the observer that does; None when quiet."""
        if self.events or self.quiet:
            yield self.events
        elif can_draw(self.rich):
            spinner = Spinner("dots", Text(STARTING, style="dim"))
            with Live(spinner, console=self.rich, refresh_per_second=8, transient=True) as live:
                yield LiveView(live, view)
        elif self.rich.is_jupyter:
            from .notebook import NotebookView  # It needs the pages' templates, and no command has a use for it.

            with closing(NotebookView(view, STARTING)) as cell:
                yield cell
        else:
            plain = PlainView(self.say, view)
            yield plain
            plain.close()

    def finished_run(self, result: Result, resume_command: str) -> None:
        """Print the summary of a run, unless quiet."""
        if not self.quiet:
            self._titled(*summaries.finished_run(result, resume_command))

    def finished_sweep(self, result: SweepResult, resume_command: str) -> None:
        """Print the summary of a sweep, unless quiet."""
        if not self.quiet:
            self._titled(*summaries.finished_sweep(result, resume_command))

    def planned_sweep(self, facts: Mapping[str, Any]) -> None:
        """Print what a sweep is to do."""
        self._titled(*summaries.planned_sweep(facts))

    def finished_campaign(self, result: CampaignResult, resume_command: str) -> None:
        """Print the summary of a campaign, unless quiet."""
        if not self.quiet:
            self._titled(*summaries.finished_campaign(result, resume_command))

    def finished_experiment(self, result: ExperimentResult, resume_command: str) -> None:
        """Print the summary of an experiment, unless quiet."""
        if not self.quiet:
            paths = [("report", str(result.report)), ("experiment", str(result.path))]
            note = [("stopped", result.note)] if result.note else []
            end = [("go on", resume_command)] if result.interrupted else []
            self._titled(result.title, [*result.findings.rows, *note, *paths, *end])

    def finished_audit(self, result: AuditResult, resume_command: str) -> None:
        """Print the main figures of an audit, unless quiet."""
        if not self.quiet:
            end = [("go on", resume_command)] if result.interrupted else []
            paths = [("report", str(result.report)), ("audit", str(result.path))]
            self._titled(result.title, [*result.rows, *paths, *end])

    def experiments(self, entries: Iterable[tuple[str, str, str]]) -> None:
        """Print what experiments there are: their names, what they ask, and where they come from."""
        for name, question, source in entries:
            self._titled(name, [("asks", question), ("source", source), ("command", f"evofool lab {name}")])

    def facts(self, facts: Mapping[str, Any]) -> None:
        """Print what is known of a job of any kind."""
        self.pairs(summaries.fact_rows(facts))

    def inspected_run(self, facts: Mapping[str, Any], elites: Iterable[Mapping[str, Any]]) -> None:
        """Print what is known of a run, and its hardest elites.

        Args:
            facts: What inspecting it returned, without the elites.
            elites: Lines of ``elites.jsonl``.
        """
        self.facts(facts)
        hardest = sorted(elites, key=lambda line: float(line["score"]))
        self.show(Padding(tables.elites_table(hardest[:ELITES_SHOWN]), (1, 0, 0, 2)))
        if not facts["elites_written"]:
            self.say(f"  newer elites are in no files yet; if it was killed, evofool resume {facts['run']} writes them")
        if len(hardest) > ELITES_SHOWN:
            self.show(f"  … the hardest {ELITES_SHOWN} of {len(hardest)}; all of them with --json")

    def targets(self, cards: Iterable[Card], doors: Iterable[tuple[str, str]]) -> None:
        """Print a table of targets, and how to name others.

        Args:
            cards: Their model cards.
            doors: An example of a name from every other door, and what it is.
        """
        self.show(tables.targets_table(cards))
        self.show("\nOr a classifier from elsewhere, as --target:")
        self.show(tables.doors_table(doors))
        self.show("\nA model card: evofool targets NAME. The names that a library knows: evofool targets torchvision")

    def card(self, card: Card) -> None:
        """Print a model card."""
        self._titled(card.name, tables.card_rows(card))

    def trials(self, target: TorchTarget, trials: Iterable[Trial]) -> None:
        """Print which ways to run a target were tried, and which was chosen."""
        self.show(Text(f"{target.name} on {target.device}", style="bold"))
        self.show(tables.trials_table(target, trials))
        self.show(
            "\nFolded: batch normalisations are part of the convolutions before them.\n"
            "Error: the largest difference of a probability from that of a float32 confirmation.\n"
            "The default stays unless another way is faster by more than 5 %."
        )

    def scores(self, scored: Mapping[str, Any]) -> None:
        """Print a target's best guesses for every image that it scored."""
        whose = f", the target of {scored['target_of']}" if "target_of" in scored else ""
        for image in scored["images"]:
            for line in tables.score_lines(scored["target"] + whose, image):
                self.rich.print(line, soft_wrap=True)

    def profile(self, shares: Mapping[str, float]) -> None:
        """Print where the time of a run went."""
        self.pairs(tables.profile_rows(shares))

    def _titled(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        self.show(Text(title, style="bold"))
        self.pairs(rows)


def _nobody_reads() -> bool:
    """Have the job under way end, as nobody reads what it prints, and return whether there is one.

    Whatever is still printed goes nowhere, so that the process ends without a complaint about it.
    """
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return stop(BROKEN_PIPE)
