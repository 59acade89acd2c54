"""``evofool targets``, ``evofool targets check`` and ``evofool score``: the classifiers under test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from ..config.check import CheckOptions
from ..config.evolve import EvolveOptions
from ..config.model import ASKING, UNDERSTANDING
from ..config.options import declarations
from ..errors import ConfigError
from .common import Json
from .declared import as_options, with_options

if TYPE_CHECKING:
    from ..console.console import Console

GUESSES = 5
"""How many guesses are shown for a picture."""

CHECK = ("data", "data_dir", "count", "seed", "weights", "device", *UNDERSTANDING, *ASKING)
"""The options of ``evofool targets check``, in the order of its help."""


class Targets(TyperGroup):
    """The commands of ``evofool targets``. Without the name of one, it shows the targets."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return the arguments, with the command that they are for."""
        return super().parse_args(ctx, args if args and args[0] in self.commands else ["show", *args])


@with_options(EvolveOptions, ("weights", "device", *UNDERSTANDING))
def targets(
    given: dict[str, Any],
    name: Annotated[str | None, typer.Argument(help="A target, or a prefix such as torchvision for its names.")] = None,
    tune: Annotated[bool, typer.Option("--tune", help="Try anew how it runs fastest on this machine.")] = False,
    as_json: Json = False,
) -> None:
    """List the targets, or show one's model card.

    With --tune, show how fast one runs on this machine. Another command, evofool targets check, looks for mistakes in
    how a classifier is understood.
    """
    from ..console.console import Console
    from ..targets import registry

    console = Console(to_stderr=as_json)
    doors = {door.PREFIX.removesuffix(":"): door for door in registry.prefixed_doors()}
    options = EvolveOptions.of(given)
    if tune:
        if name is None:
            raise ConfigError("`tune` needs a target: evofool targets cifar10 --tune")
        _tune(console, name, options, as_json)
    elif name is not None and (door := doors.get(name.removesuffix(":"))):
        models = [door.PREFIX + model for model in door.names()]
        console.json(models) if as_json else console.show("\n".join(models))
    elif name is not None:
        if given and name in registry.plain_names():
            option = next(iter(given))
            raise ConfigError(f"`{option}` changes nothing of the card of {name}; leave it out, or add `tune=True`")
        card = registry.card(name, options.model)
        console.json(vars(card)) if as_json else console.card(card)
    elif as_json:
        console.json(list(registry.plain_cards()))
    else:
        doors_shown = [(door.EXAMPLE, door.WHAT) for door in registry.DOORS if door.WHAT]
        console.targets(registry.plain_cards().values(), doors_shown)


@with_options(CheckOptions, CHECK)
def check(
    given: dict[str, Any],
    name: Annotated[str, typer.Argument(metavar="TARGET", help="A name, a file, a URL or path/to/file.py:attribute.")],
    as_json: Json = False,
) -> None:
    """Check that a classifier is understood rightly, and show the usual mistakes with the evidence.

    With --data, other ways to read the images are tried on the same ones: red and blue swapped, other ranges and
    normalisations, axes, the order of class names. The exit code is 0 where nothing is wrong, 1 where something is, and
    2 for wrong input.
    """
    from ..checkup.request import request_of
    from ..console.console import Console

    options = request_of(name, given)
    from ..checkup import check as checkups  # importing torch takes some seconds

    flags = {option: declaration.flag for option, declaration in declarations(CheckOptions).items()}
    checkup = checkups.check(name, options).with_words(lambda words: as_options(words, flags))
    console = Console(to_stderr=as_json)
    console.json(checkup.json()) if as_json else console.answer(str(checkup))
    if checkup.findings:
        raise typer.Exit(1)


@with_options(EvolveOptions, ("target", "weights", "combine", "device", *UNDERSTANDING), defaults=False)
def score(
    given: dict[str, Any],
    images: Annotated[
        list[Path], typer.Argument(help="Pictures, genome files (.json), or entries of a bank: imagenet-cppn#volcano.")
    ],
    as_json: Json = False,
) -> None:
    """Show a target's five best guesses for pictures and genomes.

    Unless --target names another, what lies in the folder of a run or a campaign is scored by its target, a genome by
    the network it was evolved for, and any other picture by cifar10. A genome is drawn at that network's size. Scores
    are float32.
    """
    from ..console.console import Console
    from ..jobs.scoring import score as score_files

    console = Console(to_stderr=as_json)
    options = EvolveOptions.of(given)
    target = options.target if "target" in given else None
    said = options.model.said | ({"combine": options.combine} if "combine" in given else {})
    scored = score_files(images, target, weights=options.weights, device=options.device, top=GUESSES, options=said)
    if as_json:
        console.json(scored)
    else:
        console.scores(scored)


def _tune(console: Console, name: str, options: EvolveOptions, as_json: bool) -> None:
    """Try every execution of a target and show how fast each is."""
    from ..targets.outline import check_named
    from ..targets.registry import load_target

    check_named(name, weights=options.weights, device=options.device)
    from ..targets.execution.tuning import retune  # This and the next import torch.
    from ..targets.torch_target import TorchTarget

    target = load_target(name, weights=options.weights, device=options.device, **options.model.said)
    if not isinstance(target, TorchTarget):
        raise ConfigError(f"target {name} does not run in torch; there is nothing to tune")
    trials = retune(target)
    if not as_json:
        console.trials(target, trials)
        return
    rows = [
        {**vars(trial.execution), "images_per_second": round(trial.images_per_second, 1), "error": trial.error}
        for trial in trials
    ]
    chosen = vars(target.execution)
    console.json({"target": target.name, "device": str(target.device), "trials": rows, "chosen": chosen})
