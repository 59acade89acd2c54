"""``evofool zoo train``: the networks that ship with evofool."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..config.evolve import EvolveOptions
from ..config.training import check_train_precision
from ..io.interrupts import kept
from ..text import clock, percent
from .common import Quiet
from .declared import real_number, whole_number, with_options

EPOCHS_KEPT = "the epochs so far are kept, and the same command goes on"
"""What is said of a training that was stopped after an epoch."""


@with_options(EvolveOptions, ("seed", "device"))
def train(
    given: dict[str, Any],
    name: Annotated[str, typer.Argument(help="digits, mnist, mnist:logistic or cifar10.")],
    data: Annotated[Path, typer.Option(help="Where the images are, or are downloaded to.")] = Path("data"),
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Weights file. [default: NAME.safetensors]")] = None,
    epochs: Annotated[
        int | None,
        typer.Option(help="Number of epochs. [default: the recipe's]", parser=whole_number, metavar="<int>"),
    ] = None,
    adversarial: Annotated[
        float | None,
        typer.Option(
            help="Train against perturbations too: the largest change of a value of a pixel, such as 8/255.",
            parser=real_number,
            metavar="<number>",
        ),
    ] = None,
    steps: Annotated[
        int, typer.Option(help="Steps of those perturbations; one is FGSM.", parser=whole_number, metavar="<int>")
    ] = 1,
    train_precision: Annotated[
        str,
        typer.Option(
            help="Number format to train in: float32, or bfloat16, which takes about half the time on processors that "
            "have it."
        ),
    ] = "float32",
    quiet: Quiet = False,
) -> None:
    """Train an embedded network anew.

    The same command goes on after an interruption.
    """
    from ..console.console import Console
    from ..targets.execution.options import check_device
    from ..targets.training.trained import check_adversary, check_trained, state_beside

    console, options = Console(quiet=quiet), EvolveOptions.of(given)
    check_trained(name)
    check_adversary(adversarial, steps)
    check_train_precision(train_precision)
    check_device(options.device)
    from ..attacks.gradients.adversary import Adversary  # This and the next import torch.
    from ..targets.execution.devices import choose_device
    from ..targets.training.embedded import train as train_network

    adversary = None if adversarial is None else Adversary(adversarial, steps)
    file, device = out or Path(f"{name}.safetensors"), str(choose_device(options.device))
    with kept(lambda: EPOCHS_KEPT if state_beside(file).exists() else ""):
        for epoch in train_network(
            name,
            data,
            file,
            seed=options.seed,
            epochs=epochs,
            device=device,
            adversary=adversary,
            autocast=train_precision == "bfloat16",
        ):
            console.say(
                f"epoch {epoch.number}/{epoch.total}  loss {epoch.loss:.4f}  held out {percent(epoch.accuracy)}  "
                f"{clock(epoch.seconds)} an epoch, {clock(epoch.to_go)} to go"
            )
    console.say(f"weights: {file}")
