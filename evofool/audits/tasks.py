"""The tasks of an audit: jobs of other kinds in folders of their own, and sets of images that are measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..config.attack import AttackOptions
from ..config.audit import AuditConfig
from ..config.evolve import EvolveOptions
from ..config.fooling import ENCODINGS
from ..config.model import ASKING
from ..config.perturb import PerturbOptions
from ..engines.opening import ServedTarget
from ..engines.outputs import outputs
from ..errors import RunError
from ..jobs import attack, evolve
from ..jobs.life import resume
from ..lab import start as lab
from ..store.audit import AuditFolder
from ..store.campaign import CampaignFolder
from ..store.folder import check_free
from ..store.run import RunFolder
from ..targets.queries.metered import metered
from ..text import counted
from .corruptions import corrupted
from .figure_table import EPSILONS, PIXELS
from .measuring import MEASURED_AT_ONCE, Images, elites, noise
from .other_data import other_images
from .plan import CAPS, CORRUPTIONS, FEWEST, IMAGE_COST, PGD_RESTARTS, PGD_STEPS, batch_of

OTHERS = "others-"
"""What the names of tasks begin with that score other data."""


class Came(NamedTuple):
    """What came of a task."""

    queries: int = 0
    """Images that the target scored."""
    why: str = ""
    """Why not all was done; empty where it was."""
    interrupted: bool = False
    """Whether somebody stopped it."""
    short: bool = False
    """Whether the budget of queries was spent before it was done."""


Watch = Callable[[Any], object]


@dataclass(frozen=True)
class Work:
    """What tasks work with.

    Attributes:
        folder: The audit's folder.
        prepared: The target, and where it is asked.
        own: The user's own target, where it is one.
    """

    folder: AuditFolder
    prepared: ServedTarget
    own: Any

    @property
    def config(self) -> AuditConfig:
        """The audit's config."""
        return self.folder.config

    @property
    def counted(self) -> bool:
        """Whether the target counts its queries, and is asked nothing twice."""
        return bool(metered(self.prepared.target))

    def again(self, images: int) -> int:
        """Return how many queries it takes to score images that were scored before."""
        return 0 if self.counted else images


class Task(NamedTuple):
    """A task of an audit."""

    name: str
    """What records call it."""
    title: str
    """What is shown while it is done."""
    do: Callable[[Work, Watch | None], Came]
    """Does it, or goes on with it; the observer is given the steps of its job, where it has one."""


def tasks_of(config: AuditConfig) -> list[Task]:
    """Return the tasks of an audit, in order."""
    plan, skip = config.plan, config.options.skip
    tasks = []
    if config.data:
        tasks.append(Task("real", "scores of real images", partial(_measure, "real")))
    if plan.noise:
        tasks.append(Task("noise", "scores of noise", partial(_measure, "noise")))
    if plan.others and config.data:
        names = [other_task(number) for number in range(len(config.others))]
        tasks += [Task(name, "scores of other data", partial(_measure, name)) for name in names]
    for encoding in ENCODINGS:
        if getattr(plan, encoding):
            title = "fooling images by CPPNs" if encoding == "cppn" else "fooling images by direct pixels"
            tasks.append(Task(encoding, title, partial(_evolve, encoding)))
            if config.data and "rejection" not in skip:
                name = f"{encoding}-scores"
                tasks.append(Task(name, "scores of fooling images", partial(_measure, name)))
    tasks += [
        Task(f"pixels-{k}", f"real images by {k} pixels" if k > 1 else "real images by one pixel", partial(_attack, k))
        for k in (reversed(PIXELS) if plan.attacked and config.data else ())
    ]
    if plan.corrupted and config.data:
        tasks += [
            Task(f"corrupted-{name}", f"real images under {name}", partial(_measure, f"corrupted-{name}"))
            for name in CORRUPTIONS
        ]
    if plan.perturbed and config.data:
        tasks.append(Task("perturb", "gradients: FGSM and PGD", _perturb))
    return tasks


def other_task(number: int) -> str:
    """Return the name of the task that scores one of the other data sets."""
    return f"{OTHERS}{number}"


def corrupted_images(folder: AuditFolder) -> int:
    """Return how many real images are scored under corruptions."""
    return min(folder.config.plan.corrupted, len(folder.subjects))


def attacked_images(folder: AuditFolder, pixels: int) -> tuple[int, int]:
    """Return how many real images are attacked by so many pixels, and how many are classified rightly."""
    plan, done = folder.config.plan, folder.done()
    right = sum(subject.label == subject.prediction for subject in folder.subjects)
    spent = [done[name].queries for k in PIXELS if k > pixels and (name := f"pixels-{k}") in done]
    spare = max(0, len(spent) * plan.attacked * plan.attempt - sum(spent))
    count = min(plan.attacked + spare // plan.attempt, CAPS[folder.config.options.profile].attacked, right)
    return count if count >= FEWEST else 0, right


def _measure(name: str, work: Work, watch: Watch | None) -> Came:
    """Have a set of images scored, and keep what the target says of them."""
    config, engine = work.config, work.prepared.engine
    shape, seed = config.target.image_shape, config.options.seed
    count, wanted = len(work.folder.subjects), dict[str, NDArray[np.int64]]()
    if name == "real":
        queries = (config.data.looked if config.data else 0) + work.again(count)
        batches = _real(work.folder, count)
    elif name == "noise":
        queries, batches = config.plan.noise, noise(config.plan.noise, shape, seed)
    elif name.startswith(OTHERS):
        number = int(name.removeprefix(OTHERS))
        queries = min(config.plan.others, config.others[number].images)
        batches = other_images(config, number, work.prepared.fitting)
    elif name.startswith("corrupted-"):
        queries = corrupted_images(work.folder)
        batches = iter([_corrupted(name.removeprefix("corrupted-"), work.folder, queries)])
    else:
        run = RunFolder.open(work.folder.path / name.removesuffix("-scores"))
        lines = run.elites()
        if not lines:
            return Came(why="no image was evolved")
        queries, batches = work.again(len(lines)), elites(run)
        wanted["wanted"] = np.array([line["index"] for line in lines], np.int64)
    work.folder.write_measured(name, {**outputs(engine, batches), **wanted})
    return Came(queries)


def _real(folder: AuditFolder, count: int) -> Iterator[Images]:
    """Yield the first real images; those of all classes take turns."""
    for start in range(0, count, MEASURED_AT_ONCE):
        end = min(count, start + MEASURED_AT_ONCE)
        yield np.stack([subject.image for subject in folder.subjects[start:end]])


def _corrupted(name: str, folder: AuditFolder, count: int) -> Images:
    """Return the first real images under a corruption."""
    import torch

    images = torch.from_numpy(np.concatenate(list(_real(folder, count))))
    seen: Images = corrupted(name, images, folder.config.options.seed).numpy()
    return seen


def _evolve(encoding: str, work: Work, watch: Watch | None) -> Came:
    """Evolve images for every class."""
    config, path = work.config, work.folder.path / encoding
    evaluations: int = getattr(config.plan, encoding)
    options = EvolveOptions.of(
        {
            **_model(config),
            "target": config.target.spec,
            "encoding": encoding,
            "evaluations": evaluations,
            "batch": batch_of(evaluations),
            "seed": config.options.seed,
        }
    )
    result = _job(
        path, work.prepared, watch, lambda: evolve.run(options, work.prepared, out=path, gallery=False, observer=watch)
    )
    last = RunFolder.open(path).metrics()[-1:]
    queries = sum(line["evaluations"] + line["confirmations"] for line in last)
    return _ended(queries, result)


def _attack(pixels: int, work: Work, watch: Watch | None) -> Came:
    """Change pixels of real images that are classified rightly.

    What those that flipped with more pixels left of their queries goes to further images.
    """
    count, right = attacked_images(work.folder, pixels)
    if not count:
        return Came(
            why=f"{counted(right, 'real image')} of {len(work.folder.subjects):,} are classified rightly, too few"
        )
    config, path = work.config, work.folder.path / f"pixels-{pixels}"
    assert config.data is not None
    options = AttackOptions.of(
        {
            **_model(config),
            "target": config.target.spec,
            "data": config.data.path or config.data.name,
            "data_dir": config.data.dir,
            "count": count,
            "pixels": pixels,
            "queries": config.plan.attempt,
            "seed": config.options.seed,
        }
    )
    result = _job(path, work.prepared, watch, lambda: attack.run(options, work.prepared, out=path, observer=watch))
    looked = work.again(CampaignFolder.open(path).config.data.looked)
    return _ended(round(result.statistics.queries) + looked, result)


def _perturb(work: Work, watch: Watch | None) -> Came:
    """Take accuracy under FGSM and PGD."""
    config, path = work.config, work.folder.path / "perturb"
    assert config.data is not None
    options = PerturbOptions.of(
        {
            **_model(config),
            "target": config.target.spec,
            "weights": config.target.weights,
            "data": config.data.path or config.data.name,
            "data_dir": config.data.dir,
            "count": config.plan.perturbed,
            "methods": ["fgsm", "pgd"],
            "epsilon": sorted(EPSILONS.values()),
            "steps": PGD_STEPS,
            "restarts": PGD_RESTARTS,
            "seed": config.options.seed,
            "device": "auto" if work.own is not None else config.target.device,
        }
    )
    own = [] if work.own is None else [work.own]
    result = _job(path, work.own, watch, lambda: lab.run(options, own, out=path, observer=watch))
    images = result.config.data.chosen if result.config.data else 0
    return Came(images * IMAGE_COST, "", result.interrupted)


def _ended(queries: int, result: Any) -> Came:
    """Return what came of a job; one that ended by itself before it was done has spent all queries."""
    return Came(queries, result.note or "", result.interrupted and not result.note, bool(result.note))


def _model(config: AuditConfig) -> Mapping[str, Any]:
    """Return how the target is understood, for a job that names it."""
    return {name: value for name, value in config.options.said.items() if name not in ASKING}


def _job(path: Path, target: Any, watch: Watch | None, begin: Callable[[], Any]) -> Any:
    """Begin a job in a folder, or go on with it, and return its result."""
    try:
        check_free(path)
    except RunError:
        return resume(path, target=target, limits={}, gallery=False, watch=lambda: nullcontext(watch), part=True)
    return begin()
