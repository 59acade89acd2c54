"""The walls of the house, held by reading the sources: imports point down, one wing prints, no global randomness."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import sources

WINGS = (
    "cli", "api", "peers", "console", "observers", "sweeps", "audits", "lab", "jobs", "gallery", "store", "checkup",
    "detection", "search", "attacks", "engines", "targets", "encodings", "datasets", "config", "kernels", "io",
)  # fmt: skip
"""The wings from the top down. A wing imports wings that stand after it, and nothing else; docs/ARCHITECTURE.md has the
picture."""

GROUND = ("text", "rng", "errors", "version")
"""The files at the top of the package that every wing may import."""

TOP = {(), ("__main__",)}
"""The package itself and its ``__main__``, which stand above the wings."""

PURE = ("search", "attacks", "engines", "targets", "encodings")
"""Wings that neither print nor write files, but for what ``WRITES_ON_PURPOSE`` names."""

WRITES_ON_PURPOSE = {
    ("targets", "execution", "tuning_cache"),  # what was found fastest is kept for this machine
    ("targets", "queries", "cache"),  # what was paid for is kept for other jobs on the same target
    ("targets", "training", "state"),  # training ends with a file of weights
}

MAX_LINES = 400
"""Most lines of a Python or JavaScript file."""

Modules = Mapping[tuple[str, ...], set[tuple[str, ...]]]


def files(wanted: Callable[[tuple[str, ...]], bool] = lambda _: True) -> pytest.MarkDecorator:
    """One test for each source file whose module is wanted."""
    paths = [path for path in sources.FILES if wanted(sources.module_of(path))]
    return pytest.mark.parametrize("path", paths, ids=[str(path.relative_to(sources.ROOT)) for path in paths])


def imports_of(path: Path) -> set[tuple[str, ...]]:
    """The modules of evofool that a source file imports."""
    return sources.imported(path.read_text(encoding="utf-8"), sources.module_of(path), path.name == "__init__.py")


def circle(modules: Modules) -> list[tuple[str, ...]] | None:
    """Modules that import each other in a circle, or None."""
    done: set[tuple[str, ...]] = set()

    def walk(module: tuple[str, ...], way: list[tuple[str, ...]]) -> list[tuple[str, ...]] | None:
        if module in way:
            return way[way.index(module) :]
        if module not in done:
            for other in sorted(modules.get(module, ())):
                if found := walk(other, [*way, module]):
                    return found
            done.add(module)
        return None

    return next((found for module in sorted(modules) if (found := walk(module, []))), None)


@files(lambda module: module not in TOP)
def test_every_file_stands_in_a_wing(path: Path) -> None:
    wing = sources.module_of(path)[0]
    assert wing in WINGS + GROUND, f"{wing} is no wing; see WINGS in tests/test_walls.py and docs/ARCHITECTURE.md"


@pytest.mark.parametrize("wing", WINGS)
def test_every_wing_says_its_purpose_in_the_first_line(wing: str) -> None:
    source = (sources.ROOT / wing / "__init__.py").read_text(encoding="utf-8")
    assert re.match(r'"""[A-Z][^\n]+[.:]', source)


@files(lambda module: module not in TOP and module[0] in WINGS)
def test_imports_between_wings_point_down(path: Path) -> None:
    wing = sources.module_of(path)[0]
    below = {*WINGS[WINGS.index(wing) :], *GROUND}
    above = {module for module in imports_of(path) if not module or module[0] not in below}
    assert not above, f"{path.relative_to(sources.ROOT)} imports from above: {sorted(above)}"


@files(lambda module: module not in TOP and module[0] in GROUND)
def test_the_ground_imports_no_wing(path: Path) -> None:
    assert all(module and module[0] in GROUND for module in imports_of(path))


def test_no_modules_import_each_other_in_a_circle() -> None:
    modules = {sources.module_of(path): imports_of(path) - TOP for path in sources.FILES}
    found = circle(modules)
    assert found is None, " → ".join(".".join(module) for module in found or ())


def test_the_public_api_is_above_all_but_the_command_line() -> None:
    paths = (sources.ROOT / "__init__.py", *(sources.ROOT / "api").glob("*.py"))
    wings = {module[0] for path in paths for module in imports_of(path)}
    assert {"console", "jobs", "targets"} <= wings
    assert "cli" not in wings


@files(lambda module: module[:1] != ("console",))
def test_only_the_console_prints(path: Path) -> None:
    assert sources.printing(path.read_text(encoding="utf-8")) == []


@files(lambda module: bool(module) and module[0] in PURE and module not in WRITES_ON_PURPOSE)
def test_the_core_writes_no_file(path: Path) -> None:
    assert sources.writing(path.read_text(encoding="utf-8")) == []


def test_no_file_is_long() -> None:
    scripts = sorted(sources.ROOT.rglob("*.js"))
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in [*sources.FILES, *scripts]}
    assert {str(path): length for path, length in lengths.items() if length > MAX_LINES} == {}


def test_few_files_stand_at_the_top() -> None:
    assert len(list(sources.ROOT.glob("*.py"))) <= 7


GLOBAL_ON_PURPOSE = {
    ("rng",): 6,  # a user's operators may draw from them: they are seeded for a call and put back
    ("targets", "networks"): 1,  # initial weights, under a fork of the generator while training
}


@files()
def test_no_global_generator_is_drawn_from_or_seeded(path: Path) -> None:
    found = sources.global_randomness(path.read_text(encoding="utf-8"))
    assert len(found) <= GLOBAL_ON_PURPOSE.get(sources.module_of(path), 0), found


# The readers above can fail:


@pytest.mark.parametrize(
    ("source", "module", "modules"),
    [
        ("from .console import Console", ("console", "tables"), {("console", "console")}),
        ("from ..version import __version__", ("targets", "prepare"), {("version",)}),
        ("from .. import errors", ("targets", "prepare"), {("errors",)}),
        ("from .. import __version__", ("targets", "prepare"), {()}),
        ("from ..store.run import RunFolder", ("targets", "prepare"), {("store", "run")}),
        ("from . import registry", ("targets", "prepare"), {("targets", "registry")}),
        (
            "def f():\n    from ..gallery.prints.sheet import write_sheet",
            ("search", "x"),
            {("gallery", "prints", "sheet")},
        ),
        ("if TYPE_CHECKING:\n    from ..search.archive import Archive", ("store", "x"), {("search", "archive")}),
        ("import evofool.cli.app", ("search", "x"), {("cli", "app")}),
        ("from evofool.console.console import Console", ("search", "x"), {("console", "console")}),
        ("import torch\nfrom torch import nn\nfrom numpy import *", ("search", "x"), set()),
    ],
)
def test_imports_are_found_wherever_they_stand(
    source: str, module: tuple[str, ...], modules: set[tuple[str, ...]]
) -> None:
    assert sources.imported(source, module, False) == modules


def test_relative_imports_of_a_package_start_from_itself() -> None:
    found = sources.imported("from ..errors import X\nfrom .cards import Y", ("targets",), True)
    assert found == {("errors",), ("targets", "cards")}


def test_a_circle_is_found() -> None:
    assert circle({("a",): {("b",)}, ("b",): {("c",)}, ("c",): {("a",)}}) is not None
    assert circle({("a",): {("b",), ("c",)}, ("b",): {("c",)}, ("c",): set()}) is None


@pytest.mark.parametrize("line", ["print(1)", "typer.echo('x')", "sys.stdout.write('x')", "log(file=sys.stderr)"])
def test_printing_is_found(line: str) -> None:
    assert len(sources.printing(line)) == 1


@pytest.mark.parametrize(
    "line", ["console.print(1)", "blueprint(2)", "with redirect_stdout(sys.stderr): f()", "sys.stdout.reconfigure()"]
)
def test_what_prints_nothing_by_itself_is_no_finding(line: str) -> None:
    assert sources.printing(line) == []


@pytest.mark.parametrize(
    "line",
    ["open('x', 'wb')", "Path('x').open('w')", "path.write_text('x')", "np.savez(f)", "write_atomically(p)"],
)
def test_writing_is_found(line: str) -> None:
    assert len(sources.writing(line)) == 1


@pytest.mark.parametrize("line", ["open('x')", "open('x', 'rb')", "archive.open(member)"])
def test_reading_is_no_finding(line: str) -> None:
    assert sources.writing(line) == []


@pytest.mark.parametrize(
    "line",
    [
        "np.random.rand(3)",
        "np.random.seed(0)",
        "np.random.default_rng()",
        "random.random()",
        "random.seed(0)",
        "torch.rand(3)",
        "torch.randperm(5)",
        "torch.rand_like(x)",
        "torch.manual_seed(0)",
        "x.uniform_(0, 1)",
        "f(x).normal_()",
        "nn.init.kaiming_normal_(w)",
    ],
)
def test_global_randomness_is_found(line: str) -> None:
    assert len(sources.global_randomness(line)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "np.random.Generator(np.random.PCG64(np.random.SeedSequence(0)))",
        "np.random.default_rng(0)",
        "torch.rand(3, generator=g)",
        "torch.Generator().manual_seed(0)",
        "self.tensors.manual_seed(0)",
        "rng.host.random(3)",
        "encoding.random(3, rng)",
        "with torch.random.fork_rng():\n    torch.manual_seed(0)",
    ],
)
def test_own_generators_are_no_finding(line: str) -> None:
    assert sources.global_randomness(line) == []


def test_no_two_test_files_have_one_name() -> None:
    """pytest imports them by name, and would take one for the other."""
    names = [path.name for path in Path(__file__).parent.rglob("*.py") if path.name != "conftest.py"]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []
