"""The command line: reads options, calls the library, and lets the console tell. Heavy imports are inside."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from ..errors import ConfigError, EvofoolError, suggestion
from ..version import __version__

app = typer.Typer(
    name="evofool",
    help="Evolve images that fool image classifiers: pictures a network is sure about and people can't recognise; and "
    "attack real images by a pixel.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: the rich one costs a third of a second
    context_settings={"help_option_names": ["-h", "--help"]},
)
zoo_app = typer.Typer(help="Train the embedded networks.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(zoo_app, name="zoo")


Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:0 … or mps.")]
Precision = Annotated[
    str,
    typer.Option(
        help="What the search scores in: auto, float32 or bfloat16. Elites are float32 always.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Weights = Annotated[
    Path | None,
    typer.Option(help="Weights of your own: .safetensors or a torch checkpoint."),
]
Gallery = Annotated[
    bool, typer.Option("--gallery/--no-gallery", help="Keep index.html up to date, and a contact sheet at the end.")
]
Generations = Annotated[
    int | None, typer.Option(help="Stop after this many generations (the first limit reached ends the run).")
]
Evaluations = Annotated[int | None, typer.Option(help="Stop after this many scored images. [default: 20000]")]
Minutes = Annotated[float | None, typer.Option(help="Stop after this many minutes.")]
Until = Annotated[float | None, typer.Option(help="Stop when the median confidence reaches this, say 0.99.")]


def _version(wanted: bool) -> None:
    if wanted:
        from ..console.console import Console

        Console().say(f"evofool {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def evolve(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(help="Make a run again: its folder, or its config.json. Options beside it win."),
    ] = None,
    target: Annotated[str, typer.Option("--target", "-t", help="A target; see: evofool targets.")] = "cifar10",
    encoding: Annotated[
        str,
        typer.Option("--encoding", "-e", help="How genomes become images: cppn or direct."),
    ] = "cppn",
    preset: Annotated[str, typer.Option(help="Settings: default, or nguyen2015 as published.")] = "default",
    selector: Annotated[
        str | None,
        typer.Option(
            help="Which elites become parents: fresh, uniform, unsure or weak. [default: fresh; nguyen2015: uniform]"
        ),
    ] = None,
    emitters: Annotated[
        str | None,
        typer.Option(
            help="What proposes children: vary; for CPPNs also tweak (slight changes to those that are not sure yet), "
            "restart (new starts for the weakest classes) and refine (CMA-ES on their weights), as often as they gain; "
            "vary,tweak@1500 adds one after 1,500 evaluations. "
            "[default for ten classes: vary,tweak@1500,restart@2000, 150 and 200 a niche; direct, or nguyen2015: vary]"
        ),
    ] = None,
    descriptors: Annotated[
        str | None,
        typer.Option(
            help="Several images a class, one in each cell of a grid: one or more of brightness, colour, complexity, "
            "hue, size, slope, symmetry, as colour,complexity."
        ),
    ] = None,
    novelty: Annotated[
        str | None,
        typer.Option(help="Several images a class that differ from each other: in pixels, or the network's features."),
    ] = None,
    bins: Annotated[
        int | None, typer.Option(help="Along each descriptor; with --novelty, images a class. [default: 5]")
    ] = None,
    apart: Annotated[
        float | None,
        typer.Option(help="Least distance of a class's images, with --novelty. [default: 0.3]"),
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(help='Names or indices, as "cat,dog,8". [default: all]'),
    ] = None,
    weights: Weights = None,
    init: Annotated[
        Path | None,
        typer.Option(
            help="Start from genomes: a run, a file, a folder, or a bank such as cifar10-cppn.",
        ),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(help="Children a generation. [default: 100; nguyen2015: 200]"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of all randomness.")] = 0,
    generations: Generations = None,
    evaluations: Evaluations = None,
    minutes: Minutes = None,
    until: Until = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The new run folder. [default: the next in outputs/]"),
    ] = None,
    device: Device = "auto",
    precision: Precision = "auto",
    micro_batch: Annotated[
        int | None,
        typer.Option(help="Rows of one forward pass: speed only. [default: chosen]"),
    ] = None,
    gallery: Gallery = True,
    profile: Annotated[bool, typer.Option("--profile", help="Tell at the end where the time went.")] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Evolve images that the target is sure about: one for every class, or several."""
    from ..config.budget import Budget
    from ..console.console import Console

    options: dict[str, Any] = {
        "target": target,
        "encoding": encoding,
        "preset": preset,
        "selector": selector,
        "emitters": emitters,
        "descriptors": descriptors,
        "novelty": novelty,
        "bins": bins,
        "apart": apart,
        "generations": generations,
        "evaluations": evaluations,
        "minutes": minutes,
        "until": until,
        "batch": batch,
        "classes": classes,
        "seed": seed,
        "init": init,
        "weights": weights,
        "device": device,
        "precision": precision,
        "micro_batch": micro_batch,
    }
    if config is not None:
        from ..jobs.recipe import recipe

        options = recipe(config, {name: options[name] for name in options if _was_given(ctx, name)})
    budget = Budget(*(options.get(name) for name in ("generations", "evaluations", "minutes", "until"))).or_default()
    console = Console(quiet=quiet, to_stderr=as_json)
    folder = out if out is not None else _next_folder(f"{options['target']}-{options.get('encoding', encoding)}")
    with console.watch(budget, []) as view:
        from ..jobs import run as session
        from ..search import profiler as stopwatch  # torch takes some seconds: not before there is something to see

        watch = stopwatch.Profiler() if profile else None
        result = session.evolve(**options, out=folder, gallery=gallery, observer=view, watch=watch)
    spare = result.config["target"]["spare_tensors"]
    if spare:
        console.say(
            f"note: {options['weights']} holds tensors that {options['target']} has no place for, "
            f"left out: {', '.join(spare)}"
        )
    _finish(console, result, as_json, watch)


@app.command()
def attack(
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="A target; see: evofool targets. [default: the data's own]")
    ] = None,
    weights: Weights = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="digits, mnist, fashionmnist, cifar10, cifar100, svhn, imagenet, a folder of pictures or an .npz "
            "archive. [default: the target's own]"
        ),
    ] = None,
    data_dir: Annotated[Path, typer.Option(help="Where named data sets are, or are downloaded to.")] = Path("data"),
    count: Annotated[int, typer.Option(help="Images, chosen by the seed, balanced over the classes.")] = 100,
    first: Annotated[bool, typer.Option("--first", help="The data's first images instead of a choice.")] = False,
    include_misclassified: Annotated[
        bool, typer.Option("--include-misclassified", help="Also images that the target gets wrong.")
    ] = False,
    pixels: Annotated[
        str, typer.Option("--pixels", "-k", help="Pixels that may be changed; auto: the fewest that succeed.")
    ] = "1",
    max_pixels: Annotated[int | None, typer.Option(help="Where --pixels auto ends. [default: 5]")] = None,
    criterion: Annotated[
        str, typer.Option(help="untargeted, all (every other class in turn), or classes: cat, or 3, or cat,dog.")
    ] = "untargeted",
    strategy: Annotated[
        str | None,
        typer.Option(help="local, de, rand1, best1bin, sparse-rs, corners or random. [default: local]"),
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="A publication's settings instead: su2019 or hyperparticle.")
    ] = None,
    queries: Annotated[
        int | None, typer.Option(help="Budget of an attempt, in scored images. [default: the strategy's own]")
    ] = None,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="After each attempt, random search with as many queries.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of all randomness.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The new folder. [default: the next in outputs/]")
    ] = None,
    export: Annotated[bool, typer.Option("--export", help="Write the images found: adversarial.npz and PNGs.")] = False,
    device: Device = "auto",
    precision: Annotated[
        str, typer.Option(help="What the search scores in: auto, float32 or bfloat16. Outcomes are float32 always.")
    ] = "auto",
    micro_batch: Annotated[int | None, typer.Option(help="Rows of one forward pass. [default: chosen]")] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Find the one pixel (or few) that flips an image's class, for many images; without options, handwritten digits."""
    from ..console.console import Console

    console = Console(quiet=quiet, to_stderr=as_json)
    with console.watch_campaign() as view:
        from ..jobs import campaign as campaigning  # torch takes some seconds

        result = campaigning.attack(
            target,
            data,
            out=out if out is not None else _next_folder(f"attack-{target or Path(data or 'digits').stem}"),
            data_dir=data_dir,
            count=count,
            first=first,
            include_misclassified=include_misclassified,
            pixels=pixels,
            max_pixels=max_pixels,
            criterion=criterion,
            strategy=strategy,
            preset=preset,
            queries=queries,
            baseline=baseline,
            export=export,
            seed=seed,
            weights=weights,
            device=device,
            precision=precision,  # type: ignore[arg-type]
            micro_batch=micro_batch,
            observer=view,
        )
    _finish_campaign(console, result, as_json)


@app.command()
def resume(
    run: Annotated[Path, typer.Argument(help="The folder of a run or a campaign.")],
    generations: Generations = None,
    evaluations: Evaluations = None,
    minutes: Minutes = None,
    until: Until = None,
    gallery: Gallery = True,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Go on with a run or a campaign as if it had never stopped; limits are for runs, in all and not in addition."""
    from ..config.budget import Budget
    from ..console.console import Console
    from ..store.folder import maker, read_config

    console = Console(quiet=quiet, to_stderr=as_json)
    wanted = Budget(generations, evaluations, minutes, until)
    if read_config(run).get("evofool") == "attack":
        _resume_campaign(run, wanted, console, as_json)
        return
    from ..jobs import run as session
    from ..store.run import RunFolder

    folder = RunFolder.open(run)
    budget = session.recorded_budget(folder) if wanted.empty else wanted
    medians = [line["median"] for line in folder.metrics()]
    if (began := maker(folder.config)) not in (None, __version__):
        console.say(f"note: evofool {began} began this run, and {__version__} may vary its elites in another way")
    with console.watch(budget, medians) as view:
        result = session.resume(
            run,
            generations=generations,
            evaluations=evaluations,
            minutes=minutes,
            until=until,
            gallery=gallery,
            observer=view,
        )
    _finish(console, result, as_json)


def _was_given(ctx: typer.Context, name: str) -> bool:
    """Whether an option stands on the command line."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _resume_campaign(path: Path, wanted: Any, console: Any, as_json: bool) -> None:
    if not wanted.empty:
        raise ConfigError(f"{path} is a campaign: it ends when all attempts have; leave the limits out")
    from ..jobs import campaign as campaigning

    with console.watch_campaign() as view:
        result = campaigning.resume_campaign(path, observer=view)
    _finish_campaign(console, result, as_json)


@app.command()
def report(
    campaigns: Annotated[list[Path], typer.Argument(help="The folder of a campaign; of several, to compare them.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The HTML file. [default: report.html or comparison.html in the folder]"),
    ] = None,
    export: Annotated[
        bool, typer.Option("--export", help="Write the images found as well: adversarial.npz and PNGs.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Write a campaign's page anew, its plots and its table; or one that compares several."""
    from ..console.console import Console
    from ..gallery.pages.campaign_page import write_report
    from ..store.campaign import CampaignFolder
    from ..store.export import export_adversarial

    console = Console(quiet=quiet)
    console.say(f"report: {write_report(campaigns, out)}")
    for path in campaigns if export else []:
        count = export_adversarial(CampaignFolder.open(path))
        console.say(f"images: {path / 'adversarial.npz'} ({count})")


@app.command()
def gallery(
    paths: Annotated[
        list[Path],
        typer.Argument(help="A run, a campaign, genomes or a bank such as cifar10-cppn; several runs side by side."),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The HTML file. [default: index.html in the folder]")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Instead of the page's own.")] = None,
    classes: Annotated[
        str | None, typer.Option("--class", help='Of a run: names or indices, as "cat,dog,8". [default: all]')
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write a page to look at: the pictures, what the network made of them, how they came about."""
    from ..console.console import Console
    from ..gallery.pages.run_page import write_gallery

    page = write_gallery(paths, out, title, classes)
    Console(quiet=quiet).say(f"gallery: {page}")
    if show:
        typer.launch(page.absolute().as_uri())


@app.command()
def timelapse(
    run: Annotated[Path, typer.Argument(help="The folder of a run.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The .gif or .webp file to write.")],
    classes: Annotated[
        str | None, typer.Option("--classes", "--class", help='Names or indices, as "cat,dog,8". [default: up to 20]')
    ] = None,
    size: Annotated[int, typer.Option(help="Pixels of a picture's longer side.")] = 256,
    frames: Annotated[int, typer.Option(help="Pictures in all.")] = 60,
    seconds: Annotated[float, typer.Option(help="How long it plays.")] = 8.0,
    quiet: Quiet = False,
) -> None:
    """Show a run's elites as they grew: a GIF or WebP with the confidence under every frame."""
    from ..console.console import Console
    from ..gallery.prints.timelapse import write_timelapse
    from ..text import counted

    count = write_timelapse(run, out, classes=classes, size=size, frames=frames, seconds=seconds)
    Console(quiet=quiet).say(f"{out}: {counted(count, 'frame')}")


@app.command()
def poster(
    paths: Annotated[list[Path], typer.Argument(help="A run, genomes, or a bank such as cifar10-cppn.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The .png or .pdf file to write.")],
    size: Annotated[str, typer.Option(help="Pixels, as 7016x4961, or a0 … a5 at 300 dpi.")] = "a2",
    title: Annotated[str | None, typer.Option(help="Instead of the poster's own.")] = None,
    quiet: Quiet = False,
) -> None:
    """Set elites as a poster for print: CPPNs rendered at its full size, in bands that need little memory."""
    from ..console.console import Console
    from ..gallery.prints.poster import write_poster

    width, height = write_poster(paths, size, out, title=title)
    Console(quiet=quiet).say(f"{out}: {width} × {height}")


@app.command()
def inspect(
    run: Annotated[Path, typer.Argument(help="The folder of a run or a campaign.")],
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Go back to the checkpoint before a damaged one; take damaged records out."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Tell what a run or a campaign is and how far it got; mend it where it is damaged."""
    from ..console.console import Console
    from ..jobs.inspect import inspect_campaign, inspect_run
    from ..store.folder import read_config

    console = Console(to_stderr=as_json)
    campaign = read_config(run).get("evofool") == "attack"
    if repair:
        from ..jobs.repair import repair_campaign, repair_run

        for line in (repair_campaign if campaign else repair_run)(run) or ["nothing was damaged"]:
            console.say(f"repair: {line}")
    facts = inspect_campaign(run) if campaign else inspect_run(run)
    if as_json:
        console.json(facts)
    elif campaign:
        console.facts(facts)
    else:
        elites = facts.pop("elites")
        console.inspected(facts, elites)


@app.command()
def targets(
    name: Annotated[str | None, typer.Argument(help="A target, or torchvision for the list.")] = None,
    tune: Annotated[bool, typer.Option("--tune", help="Try anew how it runs fastest on this machine.")] = False,
    weights: Weights = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """List the targets, or show one's model card, or how fast it runs here."""
    from ..console.console import Console
    from ..targets import registry as zoo
    from ..targets.doors import torchvision as vision

    console = Console(to_stderr=as_json)
    if not tune and (weights is not None or device != "auto"):
        raise ConfigError("--weights and --device are for trying how a target runs; add --tune")
    if tune:
        if name is None:
            raise ConfigError("--tune needs a target: evofool targets cifar10 --tune")
        _tune(console, name, weights, device, as_json)
    elif name in ("torchvision", "torchvision:"):
        found = [vision.PREFIX + model for model in vision.names()]
        console.json(found) if as_json else console.show("\n".join(found))
    elif name is not None:
        card = zoo.card(name)
        console.json(vars(card)) if as_json else console.card(card)
    else:
        cards = list(zoo.CARDS.values())
        if as_json:
            console.json([card.name for card in cards])
        else:
            console.targets(cards, len(vision.names()))


def _tune(console: Any, name: str, weights: Path | None, device: str, as_json: bool) -> None:
    """Try all settings of a target and show them."""
    from ..targets.execution.tuning import retune
    from ..targets.registry import load_target

    target = load_target(name, weights=weights, device=device)
    found = retune(target)
    if as_json:
        rows = [
            {**vars(trial.setting), "images_per_second": round(trial.images_per_second, 1), "error": trial.error}
            for trial in found
        ]
        console.json(
            {"target": target.name, "device": str(target.device), "trials": rows, "chosen": vars(target.setting)}
        )
    else:
        console.trials(target, found)


@app.command()
def score(
    images: Annotated[list[Path], typer.Argument(help="Image files.")],
    target: Annotated[str, typer.Option("--target", "-t", help="A target; see: evofool targets.")] = "cifar10",
    weights: Weights = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Show the target's five best guesses for image files, in float32."""
    from ..console.console import Console
    from ..jobs.inspect import score_files

    console = Console(to_stderr=as_json)
    results = score_files(images, target, weights=weights, device=device)
    if as_json:
        console.json({"target": target, "images": results})
    else:
        console.scores(results)


@app.command()
def render(
    genome: Annotated[Path, typer.Argument(help="A CPPN genome (.json) or a picture.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The PNG file to write.")],
    size: Annotated[str, typer.Option(help="Pixels: 1024 for the shorter side, or 1600x900.")] = "1024",
    quiet: Quiet = False,
) -> None:
    """Render a genome at any size: CPPNs sharp, pictures with hard pixel edges."""
    from ..console.console import Console
    from ..jobs.inspect import render_genome

    width, height = render_genome(genome, size, out)
    Console(quiet=quiet).say(f"{out}: {width} × {height}")


@zoo_app.command()
def train(
    name: Annotated[str, typer.Argument(help="digits, mnist or cifar10.")],
    data: Annotated[Path, typer.Option(help="Where the images are, or shall be downloaded to.")] = Path("data"),
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Weights file. [default: NAME.safetensors]")] = None,
    seed: Annotated[int, typer.Option(help="Of all randomness.")] = 0,
    epochs: Annotated[int | None, typer.Option(help="Instead of the recipe's.")] = None,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Train an embedded network anew; the same command goes on after an interruption."""
    from ..console.console import Console
    from ..targets.execution.devices import choose_device
    from ..targets.training.trainer import train as train_network
    from ..text import clock, percent

    console = Console(quiet=quiet)
    file = out or Path(f"{name}.safetensors")
    for report in train_network(name, data, file, seed=seed, epochs=epochs, device=str(choose_device(device))):
        console.say(
            f"epoch {report.number}/{report.of}  loss {report.loss:.4f}  held out {percent(report.accuracy)}  "
            f"{clock(report.seconds)} an epoch, {clock((report.of - report.number) * report.seconds)} to go"
        )
    console.say(f"weights: {file}")


def main() -> NoReturn:
    """Run the command line; bad input is one line on standard error and exit code 2."""
    usage_error: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")
    if sys.stdout is None:  # it was closed
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    try:
        code = typer.main.get_command(app)(standalone_mode=False)
        sys.stdout.flush()
    except EvofoolError as error:
        _fail(str(error))
    except MemoryError:
        _fail("out of memory; use a smaller --batch, --size or --device cpu")
    except (KeyboardInterrupt, typer.Abort):
        _fail("stopped; what the last checkpoint holds is kept", 130)
    except BrokenPipeError:
        sys.exit(1)
    except OSError as error:
        with contextlib.suppress(OSError):  # what is left goes nowhere: at the end it would be tried again
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _fail(f"cannot write what was found: {error.strerror or error}; look at the folder, or where the output goes")
    except usage_error as error:
        message = error.format_message()
        if not message or type(error).__name__ == "NoArgsIsHelpError":  # no arguments at all: the help
            _show_help(message)
        _fail(message.rstrip(".") + _command_hint(message))
    sys.exit(code if isinstance(code, int) else 0)


def _show_help(text: str) -> NoReturn:
    from ..console.console import Console

    Console().say(text)
    sys.exit(2)


def _fail(message: str, code: int = 2) -> NoReturn:
    from ..console.console import Console

    Console().error(message)
    sys.exit(code)


def _command_hint(message: str) -> str:
    if message.startswith("No such command"):
        word = message.split("'")[1] if "'" in message else ""
        names = [c.name or (c.callback.__name__ if c.callback else "") for c in app.registered_commands]
        return (suggestion(word, names) if "mean" not in message else "") + "; see: evofool --help"
    return ""


def _next_folder(stem: str) -> Path:
    stem = "".join(c if c.isalnum() or c in "-_." else "-" for c in stem)
    for number in range(1, 100_000):
        folder = Path("outputs") / f"{stem}-{number:03d}"
        if not folder.exists():
            return folder
    raise ConfigError("outputs/ is full; name a folder with --out")


def _finish(console: Any, result: Any, as_json: bool, watch: Any = None) -> None:
    if as_json:
        console.json(result.summary() | ({"profile": watch.shares()} if watch else {}))
    else:
        console.finished(result, f"evofool resume {shlex.quote(str(result.run))}{_further(result)}")
        if watch:
            console.profile(watch.shares())


def _finish_campaign(console: Any, result: Any, as_json: bool) -> None:
    if as_json:
        console.json(result.summary())
    else:
        console.fought(result, f"evofool resume {shlex.quote(str(result.path))}")


def _further(result: Any) -> str:
    return "" if result.interrupted else f" --evaluations {2 * result.evaluations}"


if __name__ == "__main__":
    main()
