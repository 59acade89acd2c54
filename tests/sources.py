"""Readers of evofool's sources: who imports whom, who prints, who writes files, who draws from global generators."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import evofool

ROOT = Path(evofool.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

GLOBAL_TORCH = {
    "rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like", "normal", "bernoulli",
    "multinomial", "poisson", "seed", "manual_seed",
}  # fmt: skip
IN_PLACE = {"uniform_", "normal_", "random_", "bernoulli_", "exponential_", "log_normal_", "cauchy_", "geometric_"}
NUMPY_WITHOUT_STATE = {"Generator", "PCG64", "SeedSequence", "BitGenerator"}
WRITERS = {"open", "write_text", "write_bytes", "write_atomically", "save", "savez", "savez_compressed", "mkdir"}
"""Names of functions and methods that make files or folders."""


def module_of(path: Path) -> tuple[str, ...]:
    """Return ("targets", "cards") for targets/cards.py, ("targets",) for its __init__, () for the package's own."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def imported(source: str, module: tuple[str, ...], is_package: bool) -> set[tuple[str, ...]]:
    """Return the modules of evofool that a module imports, in type checking and functions, too.

    A name that is imported from a package counts as the module of that name where there is one, else as the package.
    """
    modules: set[tuple[str, ...]] = set()
    package = module if is_package else module[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [tuple(alias.name.split(".")) for alias in node.names]
            modules |= {parts[1:] for parts in names if parts[0] == "evofool" and len(parts) > 1}
        elif isinstance(node, ast.ImportFrom):
            written = tuple(node.module.split(".")) if node.module else ()
            if node.level:
                base = package[: len(package) - node.level + 1] + written
            elif written[:1] == ("evofool",):
                base = written[1:]
            else:
                continue
            for alias in node.names:
                inner = (*base, alias.name)
                modules.add(inner if inner in MODULES else base)
    return modules


def dotted(node: ast.expr) -> str:
    """Return ``np.random.rand`` for that expression; an empty string for what is no plain name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


MODULES = {module_of(path) for path in FILES}
"""All modules, as :func:`module_of` names them."""


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Yield all calls in a source."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def printing(source: str) -> list[str]:
    """Return the places that write to the terminal by themselves."""
    tree = ast.parse(source)
    places = [
        f"line {call.lineno}: {dotted(call.func)}"
        for call in calls(tree)
        if dotted(call.func) in ("print", "typer.echo", "typer.secho", "click.echo", "rich.print")
    ]
    streams = ("sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__")
    for call in calls(tree):
        owner, _, method = dotted(call.func).rpartition(".")
        given = any(keyword.arg == "file" and dotted(keyword.value) in streams for keyword in call.keywords)
        if given or (owner in streams and method.startswith("write")):
            places.append(f"line {call.lineno}: {dotted(call.func)}")
    return places


def writing(source: str) -> list[str]:
    """Return the places that write files."""
    return [
        f"line {call.lineno}: {ast.unparse(call.func)}"
        for call in calls(ast.parse(source))
        if ast.unparse(call.func).split(".")[-1] in WRITERS and not _reads(call)
    ]


def _reads(call: ast.Call) -> bool:
    """Return whether a call opens something for reading."""
    method = isinstance(call.func, ast.Attribute)
    modes = [argument.value for argument in call.args[not method :] if isinstance(argument, ast.Constant)][:1]
    return ast.unparse(call.func).split(".")[-1] == "open" and modes in ([], ["r"], ["rb"])


def global_randomness(source: str) -> list[str]:
    """Return the calls that draw from, or seed, a generator of the whole process."""
    tree = ast.parse(source)
    forked = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.With) and any("fork_rng" in ast.unparse(item) for item in node.items)
        for inner in ast.walk(node)
    }
    places = []
    for call in calls(tree):
        name, last = dotted(call.func), ast.unparse(call.func).split(".")[-1]
        with_generator = any(keyword.arg == "generator" for keyword in call.keywords)
        seeded = last == "default_rng" and bool(call.args)
        torch_draws = name.startswith("torch.") and name.removeprefix("torch.") in GLOBAL_TORCH
        if (
            (name.startswith(("np.random.", "numpy.random.")) and last not in NUMPY_WITHOUT_STATE and not seeded)
            or name.startswith("random.")
            or (torch_draws and not with_generator and call not in forked)
            or (last in IN_PLACE and not with_generator)
            or ("init." in name and last.endswith("_"))
        ):
            places.append(f"line {call.lineno}: {name or last}")
    return places
