"""The runs that a sweep's file plans: shared options, lists that are multiplied, and variants.

Every message begins with the file and the place in it: ``sweep.toml: grid.batch must be …``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from ..config.arguments import plain
from ..config.options import Declaration, declarations
from ..config.seeds import parse_seeds
from ..config.sweep import COMMANDS, MAX_RUNS, JobOptions, PlannedRun
from ..datasets import NAMED_DATASETS
from ..encodings.banks import genome_path_exists
from ..errors import ConfigError, EvofoolError, suggestion
from ..io.files import open_regular
from ..text import cut
from .naming import label_of, name_of

COMMAND, SEEDS, GRID, RUNS, NAME = "command", "seeds", "grid", "runs", "name"
"""Keys of a file that are no options."""

LARGEST_FILE = 2**20
"""Largest number of bytes of a file."""

OF_THE_COMMAND_LINE = ("out", "gallery", "quiet", "json", "config", "profile")
"""Options of the commands that a file can't have."""


@dataclass(frozen=True)
class SweepPlan:
    """What a sweep is to do.

    Attributes:
        command: What each run is: ``evolve`` or ``attack``.
        runs: The runs in order.
        stem: What the sweep's folder is called, where nobody names it.
    """

    command: str
    runs: tuple[PlannedRun, ...]
    stem: str


class Place:
    """A place in a file, for messages.

    Args:
        file: What the file is called.
        given: Every option that the file gives: its place, its name and its value.
    """

    def __init__(self, file: str, given: Sequence[tuple[str, str, Any]] = ()) -> None:
        self.file, self._given = file, given

    def refused(self, where: str, words: str) -> ConfigError:
        """Return the error that says of a place what is wrong there, as the rest of a sentence."""
        return ConfigError(f"{self.file}: {where} {words}")

    def passed_on(self, where: str, error: object) -> ConfigError:
        """Return a library's error with the place that it is about, instead of the parameter if it begins with one."""
        text, name = str(error), where.rpartition(".")[2]
        rest = text.removeprefix(f"`{name}`")
        separate = rest[:1] not in (" ", ":") or rest == text
        return ConfigError(f"{self.file}: {where}{': ' if separate else ''}{_unquoted(rest)}")

    def blamed(self, run: str, error: object) -> ConfigError:
        """Return the error that says of a run what is wrong with it, at the place of the option that it is about."""
        text = str(error)
        names = re.findall(r"`([a-z_]+)[=`]", text)
        by_name = [where for each in names for where, name, _ in self._given if name == each]
        by_value = [where for where, _, value in self._given if any(f'"{word}"' in text for word in _words(value))]
        return self.passed_on(next(iter([*by_value, *by_name]), f'run "{run}"'), text)


def read_plan(source: Path | Mapping[str, Any], check: Callable[[str, JobOptions], None]) -> SweepPlan:
    """Return what a file plans.

    Args:
        source: A TOML file, or what it would hold.
        check: Raises where options that are possible alone can't be together, or name what there isn't.

    Raises:
        ConfigError: The file can't be read, or something in it can't be; the message names the place.
    """
    if isinstance(source, Path):
        content, place, stem = _content(source), Place(source.name), source.stem
    else:
        content, place, stem = dict(plain(source)), Place("sweep"), "sweep"
    command = content.pop(COMMAND, "evolve")
    if command not in COMMANDS:
        raise place.refused(COMMAND, f'must be {" or ".join(COMMANDS)}, got "{cut(str(command), 40)}"')
    return SweepPlan(command, tuple(_Reader(place, command, content).runs(check)), stem)


class _Reader:
    """Reads the content of a file.

    Args:
        place: The file.
        command: What each run is.
        content: The file's content, without the command.
    """

    def __init__(self, place: Place, command: str, content: dict[str, Any]) -> None:
        self._place, self._command = place, command
        self._declared = declarations(COMMANDS[command])
        self._given: list[tuple[str, str, Any]] = []
        grid, variants = content.pop(GRID, {}), content.pop(RUNS, [{}])
        if not isinstance(grid, dict):
            raise place.refused(GRID, 'must be a table of lists, as in [grid] and encoding = ["cppn", "direct"]')
        if not isinstance(variants, list) or not variants or not all(isinstance(each, dict) for each in variants):
            raise place.refused(RUNS, 'must be tables, each as in [[runs]] and name = "small"')
        seeds = self._seeds(content, grid)
        self._shared = {name: self._value(name, name, value) for name, value in self._named(content, "")}
        self._axes = {name: self._axis(f"grid.{name}", name, value) for name, value in self._named(grid, "grid.")}
        self._variants = [self._variant(number, each) for number, each in enumerate(variants, 1)]
        if seeds is not None:
            self._axes["seed"] = seeds
        if twice := next((name for name in self._axes if name in self._shared), None):
            raise place.refused(twice, f"is also {'given by seeds' if twice == 'seed' else 'under [grid]'}; leave one")
        self._several = {name for name, values in self._axes.items() if len(values) > 1 and name != "seed"}

    def runs(self, check: Callable[[str, JobOptions], None]) -> Iterator[PlannedRun]:
        """Yield every run. All configurations come with the first seed, then with the second, and so on."""
        place, kind = Place(self._place.file, self._given), COMMANDS[self._command]
        seeds = self._axes.pop("seed", [None])
        count = len(seeds) * len(self._variants)
        for values in self._axes.values():
            count *= len(values)
        if count > MAX_RUNS:
            raise self._place.refused("the file", f"plans {count:,} runs, and a sweep has at most {MAX_RUNS:,}")
        names: dict[str, str] = {}
        seen: dict[str, str] = {}
        firsts: dict[str, tuple[str, JobOptions]] = {}
        for seed, (variant, said), *values in product(seeds, self._variants, *self._axes.values()):
            varied = dict(zip(self._axes, values, strict=True))
            if any(name in said and value != self._axes[name][0] for name, value in varied.items()):
                continue  # A variant's own value stands for all of the grid's.
            if seed is not None and "seed" in said and seed != seeds[0]:
                continue
            given = {**self._shared, **varied, **({} if seed is None else {"seed": seed}), **said}
            shown = {name: given[name] for name in self._declared if name in self._several or name in self._own(said)}
            label = label_of(variant, {name: value for name, value in shown.items() if not variant or name not in said})
            name = name_of(label, given.get("seed", 0) if seed is not None or not label else None)
            try:
                options = kind.of(given)
                if label not in firsts:
                    check(name, options)
            except EvofoolError as error:
                raise place.blamed(name, error) from error
            run = PlannedRun.of(name, label, options)
            run = PlannedRun(name=name, configuration=label, given=_whole_paths(run.given, self._declared))
            text = repr(sorted(run.given.items()))
            if name.lower() in names:
                raise place.refused(
                    f'run "{name}"', 'is there twice; give each of the [[runs]] a name of its own, as in name = "small"'
                )
            if text in seen:
                raise place.refused(f'run "{name}"', f'has the options of run "{seen[text]}"; take one of them out')
            first, like = firsts.setdefault(label, (name, options))
            if replace(options, seed=like.seed) != like:
                raise place.refused(
                    f'run "{name}"', f'has other options than run "{first}" of the same name; give it a name of its own'
                )
            names[name.lower()], seen[text] = name, name
            yield run

    def _own(self, said: Mapping[str, Any]) -> set[str]:
        """Return the options of a variant that its label has: all but its seed."""
        return said.keys() - {"seed"}

    def _seeds(self, content: dict[str, Any], grid: dict[str, Any]) -> list[Any] | None:
        """Return the seeds, taken out of the content; None where there are none."""
        known = ((SEEDS, SEEDS, content), (f"{GRID}.{SEEDS}", SEEDS, grid), (f"{GRID}.seed", "seed", grid))
        found = [(where, each.pop(key)) for where, key, each in known if key in each]
        if len(found) > 1:
            raise self._place.refused(found[1][0], f"is also given by {found[0][0]}; leave one")
        for where, value in found:
            try:
                return list(parse_seeds(value))
            except ConfigError as error:
                raise self._place.passed_on(where, error) from error
        return None

    def _named(self, values: Mapping[str, Any], where: str) -> list[tuple[str, Any]]:
        """Return a table's options by their Python names."""
        aliases = {one.extra("alias").lstrip("-"): name for name, one in self._declared.items() if one.extra("alias")}
        named = []
        for key, value in values.items():
            name = aliases.get(key, key.replace("-", "_"))
            if name in OF_THE_COMMAND_LINE:
                raise self._place.refused(f"{where}{key}", "belongs to the command line: evofool sweep FILE --help")
            if name not in self._declared:
                flags = {one.replace("_", "-") for one in self._declared} | {COMMAND, SEEDS, GRID, RUNS}
                hint = suggestion(key, flags | set(self._declared)) or "; see: evofool " + f"{self._command} --help"
                raise self._place.refused(f"{where}{key}", f"is no option of evofool {self._command}{hint}")
            named.append((name, value))
        return named

    def _value(self, where: str, name: str, value: Any) -> Any:
        """Return a value as the option has it."""
        self._given.append((where, name, value))
        try:
            return self._declared[name].taken(value)
        except ConfigError as error:
            several = isinstance(value, list) and not where.startswith(GRID)
            hint = "; lists whose values are tried in turn stand under [grid]" if several else ""
            raise self._place.passed_on(where, f"{error}{hint}") from error

    def _axis(self, where: str, name: str, values: Any) -> list[Any]:
        """Return the values of an option that is multiplied."""
        if not isinstance(values, list) or not values:
            got = f'"{values}"' if isinstance(values, str) else repr(values)
            raise self._place.refused(
                where, f"must be a list of values, got {cut(got, 60)}; a single value stands at the top, above [grid]"
            )
        taken = [self._value(where, name, value) for value in values]
        if twice := [value for at, value in enumerate(taken) if value in taken[:at]]:
            raise self._place.refused(where, f"has {twice[0]!r:.60} twice; take one out")
        return taken

    def _variant(self, number: int, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return the name, empty where it has none, and the options of one of ``[[runs]]``."""
        where, values = f"runs[{number}].", dict(values)
        name = values.pop(NAME, "")
        if not isinstance(name, str) or (not name.strip() and name):
            raise self._place.refused(f"{where}{NAME}", f"must be text, got {name!r:.60}")
        if SEEDS in values:
            raise self._place.refused(f"{where}{SEEDS}", "stand at the top of the file: each of [[runs]] has them all")
        return name.strip(), {
            key: self._value(f"{where}{key}", key, value) for key, value in self._named(values, where)
        }


def _words(value: Any) -> list[str]:
    """Return the words of a value that is text, or a list of texts."""
    texts = value if isinstance(value, list) else [value]
    return [word.strip() for text in texts if isinstance(text, str) for word in (text, *text.split(","))]


def _whole_paths(given: dict[str, Any], declared: Mapping[str, Declaration]) -> dict[str, Any]:
    """Return options whose paths can be found from elsewhere. Names of data sets and of banks stay."""

    def whole(value: Any) -> Any:
        known = isinstance(value, str) and value.lower() not in NAMED_DATASETS and genome_path_exists(value)
        return str(Path(value).absolute()) if known else value

    return {name: whole(value) if declared[name].extra("path") else value for name, value in given.items()}


def _content(file: Path) -> dict[str, Any]:
    """Return what a TOML file holds.

    Raises:
        ConfigError: It can't be read, or is none.
    """
    try:
        with open_regular(file) as stream:
            text = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {file} ({error.strerror}); expected a sweep's TOML file") from error
    if len(text) > LARGEST_FILE:
        raise ConfigError(f"{file} has more than {LARGEST_FILE:,} bytes; expected a sweep's TOML file")
    try:
        return tomllib.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file.name} is no TOML: {' '.join(str(error).split()):.200}; put that right") from error


def _unquoted(message: str) -> str:
    """Return a library's message as it reads of a file: parameters without backticks."""
    return re.sub(r"`([a-z][a-z0-9_]*(?:=[^`]*)?)`", r"\1", message)
