"""The walls of the design, held by reading the sources: imports point down, one place prints, no global randomness."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sources

LAYERS = (
    {"errors", "text", "result", "slug", "banks", "checks", "png"},
    {"rng", "files", "budget", "devices", "allocation", "folding", "images", "interrupt", "writer"},
    {"arrays", "loops"},
    {"encodings", "target", "datasets", "folder", "identity"},
    {"shared"},
    {"archive", "population", "zoo", "choice", "lock", "checkpoint", "tuning", "descriptors", "penultimate"},
    {"diversity"},
    {"strategies", "record"},
    {"evolution", "attempts"},
    {"history", "selection", "recipe", "stopwatch"},
    {"run"},
    {"campaign"},
    {"gallery", "report", "repair"},
    {"sitting"},
    {"session", "campaigning"},
    {"views"},
    {"campaign_views"},
    {"console"},
    {"cli"},
    {"__main__"},
)
"""A part of evofool imports from layers before its own only; see docs/ARCHITECTURE.md."""

LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}
PURE = {
    "archive", "shared", "population", "encodings", "target", "strategies", "evolution", "rng", "budget", "devices",
    "folding", "loops", "errors", "datasets", "choice", "attempts", "descriptors", "penultimate", "diversity",
}  # fmt: skip
"""They neither print nor write files."""


def files(wanted: Callable[[tuple[str, ...]], bool] = lambda _: True) -> pytest.MarkDecorator:
    """One test for each source file whose module is wanted."""
    found = [path for path in sources.FILES if wanted(sources.module_of(path))]
    return pytest.mark.parametrize("path", found, ids=[str(path.relative_to(sources.ROOT)) for path in found])


@files(lambda module: module != ())
def test_every_part_has_its_layer(path: Path) -> None:
    part = sources.module_of(path)[0]
    assert part in LEVEL, f"give {part} a layer in tests/test_walls.py"


def test_the_public_api_is_above_all_but_the_command_line() -> None:
    found = sources.imported((sources.ROOT / "__init__.py").read_text(encoding="utf-8"), (), True)
    assert {"session", "target"} <= found
    assert found.isdisjoint({"cli", "console", "views", "__main__"})


@files(lambda module: module != ())
def test_imports_point_down(path: Path) -> None:
    module = sources.module_of(path)
    found = sources.imported(path.read_text(encoding="utf-8"), module, path.name == "__init__.py")
    above = {part for part in found - {module[0]} if LEVEL[part] >= LEVEL[module[0]]}
    assert not above, f"{'.'.join(module)} imports {', '.join(sorted(above))} from above"


@files(lambda module: module != ("console",))
def test_only_the_console_prints(path: Path) -> None:
    assert sources.printing(path.read_text(encoding="utf-8")) == []


@files(lambda module: bool(module) and module[0] in PURE)
def test_the_core_writes_no_file(path: Path) -> None:
    assert sources.writing(path.read_text(encoding="utf-8")) == []


GLOBAL_ON_PURPOSE = {
    ("population",): 4,  # DEAP's operators know no other generator: it is seeded, used and put back
    ("zoo", "networks"): 1,  # initial weights, under a fork of the generator while training
}


@files()
def test_no_global_generator_is_drawn_from_or_seeded(path: Path) -> None:
    found = sources.global_randomness(path.read_text(encoding="utf-8"))
    assert len(found) <= GLOBAL_ON_PURPOSE.get(sources.module_of(path), 0), found


# The readers above can fail:


@pytest.mark.parametrize(
    ("source", "module", "parts"),
    [
        ("from .console import Console", ("archive",), {"console"}),
        ("from . import zoo, __version__", ("session",), {"zoo"}),
        ("from ..run import RunFolder", ("zoo", "train"), {"run"}),
        ("from .. import cli", ("zoo", "train"), {"cli"}),
        ("from . import data", ("zoo", "train"), {"zoo"}),
        ("def f():\n    from .gallery.sheet import write_sheet", ("evolution",), {"gallery"}),
        ("import evofool.cli", ("evolution",), {"cli"}),
        ("from evofool.console import Console", ("evolution",), {"console"}),
        ("import torch\nfrom torch import nn\nfrom numpy import *", ("evolution",), set()),
    ],
)
def test_imports_are_found_wherever_they_stand(source: str, module: tuple[str, ...], parts: set[str]) -> None:
    assert sources.imported(source, module, False) == parts


def test_relative_imports_of_a_package_start_from_itself() -> None:
    assert sources.imported("from ..errors import X\nfrom .cards import Y", ("zoo",), True) == {"errors", "zoo"}


@pytest.mark.parametrize("line", ["print(1)", "typer.echo('x')", "sys.stdout.write('x')", "log(file=sys.stderr)"])
def test_printing_is_found(line: str) -> None:
    assert len(sources.printing(line)) == 1


@pytest.mark.parametrize(
    "line", ["console.print(1)", "blueprint(2)", "with redirect_stdout(sys.stderr): f()", "sys.stdout.reconfigure()"]
)
def test_what_prints_nothing_by_itself_is_no_finding(line: str) -> None:
    assert sources.printing(line) == []


@pytest.mark.parametrize("line", ["open('x')", "path.write_text('x')", "np.savez(f)", "write_atomically(p, b'')"])
def test_writing_is_found(line: str) -> None:
    assert len(sources.writing(line)) == 1


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
