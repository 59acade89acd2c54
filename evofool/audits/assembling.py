"""The record of an audit, made from its folder as far as that got."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..attacks.data_warnings import data_notes
from ..config.audit import MOST_OTHERS
from ..config.fooling import ENCODINGS
from ..detection.outputs import Outputs
from ..detection.separation import FEWEST as FEWEST_COMPARED
from ..store.audit import AuditFolder, TaskLine
from ..store.campaign import CampaignFolder
from ..store.experiment import ExperimentFolder
from ..store.run import RunFolder
from ..text import counted
from .calibration import calibration
from .corruptions import corruptions
from .figure_table import PARTS, PIXELS
from .fooling import Evolved, fooling_details, fooling_figures
from .gradient_figures import gradient_figures
from .measured import Measured
from .pixel_figures import pixel_details, pixel_figures
from .plan import CORRUPTIONS, FEWEST
from .record import AuditedData, AuditedTarget, AuditFigure, AuditPart, AuditRecord
from .rejection import rejection
from .tasks import corrupted_images, other_task, tasks_of

SKIPPED = "left out, as asked"


_SCORED = tuple(f"{encoding}-scores" for encoding in ENCODINGS)
"""The tasks that score evolved images."""


_CORRUPTED = {name: f"corrupted-{name}" for name in CORRUPTIONS}
"""The tasks that score real images under corruptions."""


class Found(NamedTuple):
    """What a part comes to."""

    figures: dict[str, AuditFigure]
    details: dict[str, Any]
    why: str = ""
    """What it could not do."""

    @classmethod
    def of(cls, measured: Measured) -> Found:
        """Return what was measured."""
        return cls(measured.figures, measured.details, measured.why)


def record_of(folder: AuditFolder) -> AuditRecord:
    """Return the record of an audit, as far as it got.

    Raises:
        RunError: The folder is damaged.
    """
    config, done = folder.config, folder.done()
    figures: dict[str, AuditFigure] = {}
    parts: dict[str, AuditPart] = {}
    for name in PARTS:
        tasks = [done[task] for task in _TASKS[name] if task in done]
        taken: dict[str, Any] = {
            "queries": sum(task.queries for task in tasks),
            "seconds": round(sum(task.seconds for task in tasks), 1),
        }
        missing = [title for task, title in _titles(folder).items() if task in _TASKS[name] and task not in done]
        left = f"not done yet: {', '.join(dict.fromkeys(missing))}" if missing else ""
        why = _why_not(folder, name, done)
        found = None if why else _FOUND[name](folder, done)
        if found is None or not found.figures:
            why = why or (found.why if found else "") or _reasons(tasks) or left or "nothing came of it"
            parts[name] = AuditPart(status="skipped", why=why, **taken)
            continue
        figures |= found.figures
        parts[name] = AuditPart(
            status="done",
            why=_reasons(tasks) or found.why or left,
            **taken,
            details=_printable(found.details),
        )
    data, notes = config.data, data_notes(config)
    if data and data.skipped:
        file, reason = next(iter(data.skipped.items()))
        notes.append(f"left out: {counted(len(data.skipped), 'file')} that can't be used; the first, {file}: {reason}")
    return AuditRecord.of(
        figures=figures,
        parts=parts,
        queries=sum(task.queries for task in done.values()),
        seconds=sum(task.seconds for task in done.values()),
        evofool=_printable(config.versions.get("evofool", "unknown")),
        target=AuditedTarget(
            name=_printable(config.target.name),
            weights_sha256=config.target.weights_sha256,
            classes=config.target.classes,
            image_shape=config.target.image_shape,
        ),
        data=AuditedData(
            name=_printable(data.name),
            images=data.chosen,
            labelled=data.labelled,
            notes=tuple(_printable(notes)),
        )
        if data
        else None,
        profile=config.options.profile,
        budget=None if config.options.budget is None else str(config.options.budget),
        seed=config.options.seed,
        versions=_printable({name: version for name, version in config.versions.items() if name != "evofool"}),
    )


def _printable(value: Any) -> Any:
    """Return plain JSON values with escapes for what is no text, as in names of files and of a stranger's classes."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_printable(name): _printable(item) for name, item in value.items()}
    return [_printable(item) for item in value] if isinstance(value, list) else value


def _titles(folder: AuditFolder) -> dict[str, str]:
    return {task.name: task.title for task in tasks_of(folder.config)}


def _reasons(tasks: list[TaskLine]) -> str:
    """Return why tasks came to nothing, or not to all."""
    return "; ".join(dict.fromkeys(task.why for task in tasks if task.why))


def _why_not(folder: AuditFolder, part: str, done: Mapping[str, TaskLine]) -> str:
    """Return why a part has no figures; empty where it has some."""
    config, planned = folder.config, _titles(folder)
    if part in config.options.skip:
        return SKIPPED
    if part != "fooling" and not config.data:
        return f"there are no real images: {config.no_data}"
    if part == "perturb" and not config.differentiable:
        return f"{config.target.name} gives no gradients"
    needed = [task for task in _TASKS[part] if task in planned]
    if not needed:
        return (
            f"the budget of {counted(config.plan.queries, 'query')} leaves this part fewer than "
            f"{counted(FEWEST, 'image')}; a larger one has it"
        )
    if part == "calibration" and config.data and not config.data.labelled:
        return "the real images have no labels"
    if not any(task in done for task in needed):
        return f"not done yet; go on with: evofool resume {folder.path.name}"
    return ""


def _fooling(folder: AuditFolder, done: Mapping[str, TaskLine]) -> Found | None:
    runs = {name: RunFolder.open(folder.path / name) for name in ENCODINGS if name in done and _there(folder, name)}
    evolved = {name: Evolved.of(run) for name, run in runs.items() if run.elites()}
    if not evolved:
        return None
    return Found(fooling_figures(evolved), fooling_details(evolved, folder.config.classes))


def _pixels(folder: AuditFolder, done: Mapping[str, TaskLine]) -> Found | None:
    names = {k: f"pixels-{k}" for k in PIXELS}
    there = {k: folder.path / name for k, name in names.items() if name in done and _there(folder, name)}
    campaigns = {k: CampaignFolder.open(path) for k, path in there.items()}
    figures = pixel_figures(campaigns)
    return Found(figures, pixel_details(campaigns)) if figures else None


def _perturb(folder: AuditFolder, done: Mapping[str, TaskLine]) -> Found | None:
    if not _there(folder, "perturb"):
        return None
    return Found(*gradient_figures(ExperimentFolder.open(folder.path / "perturb")))


def _there(folder: AuditFolder, name: str) -> bool:
    """Return whether a task's job has begun."""
    return (folder.path / name / "config.json").exists()


def _rejection(folder: AuditFolder, done: Mapping[str, TaskLine]) -> Found | None:
    fooling = [_fooling_outputs(folder, name) for name in _SCORED if _whole(done, name)]
    if not _whole(done, "real") or not fooling:
        return None
    both = _joined(fooling)
    if min(len(both), len(folder.subjects)) < FEWEST_COMPARED:
        return Found({}, {}, f"{counted(len(both), 'evolved image')} fooled the target, too few to compare")
    noise = _outputs(folder, "noise") if _whole(done, "noise") else None
    named = {record.name: other_task(number) for number, record in enumerate(folder.config.others)}
    others = {name: _outputs(folder, task) for name, task in named.items() if _whole(done, task)}
    return Found.of(rejection(_outputs(folder, "real"), both, noise, others, folder.config.options.seed))


def _corruptions(folder: AuditFolder, done: Mapping[str, TaskLine]) -> Found | None:
    after = {name: _outputs(folder, task) for name, task in _CORRUPTED.items() if _whole(done, task)}
    count = corrupted_images(folder)
    if not _whole(done, "real") or not after:
        return None
    before = _outputs(folder, "real").probabilities[:count].argmax(1)
    labels = _labels(folder)
    said = {name: outputs.probabilities.argmax(1) for name, outputs in after.items()}
    return Found.of(corruptions(None if labels is None else labels[:count], before, said))


def _calibration(folder: AuditFolder, done: Mapping[str, TaskLine]) -> Found | None:
    labels = _labels(folder)
    if not _whole(done, "real") or labels is None:
        return None
    return Found.of(calibration(_outputs(folder, "real"), labels, folder.config.options.seed))


def _whole(done: Mapping[str, TaskLine], task: str) -> bool:
    """Return whether a task is done, and nothing kept it from being done as a whole."""
    return task in done and not done[task].why


def _labels(folder: AuditFolder) -> NDArray[np.int64] | None:
    """Return the right classes of the real images; None where nobody labelled them."""
    if not (folder.config.data and folder.config.data.labelled):
        return None
    return np.array([subject.label for subject in folder.subjects], np.int64)


def _outputs(folder: AuditFolder, name: str) -> Outputs:
    arrays = folder.measured(name)
    return Outputs(arrays["probabilities"], arrays.get("logits"))


def _fooling_outputs(folder: AuditFolder, name: str) -> Outputs:
    """Return what was said of those evolved images that the target takes for the class they were evolved for."""
    arrays = folder.measured(name)
    fooling = arrays["probabilities"].argmax(1) == arrays["wanted"]
    logits = arrays.get("logits")
    return Outputs(arrays["probabilities"][fooling], None if logits is None else logits[fooling])


def _joined(several: Sequence[Outputs]) -> Outputs:
    """Return what was said of several sets of images as one."""
    logits = [each.logits for each in several if each.logits is not None]
    return Outputs(np.concatenate([each.probabilities for each in several]), np.concatenate(logits) if logits else None)


_TASKS: dict[str, tuple[str, ...]] = {
    "fooling": ENCODINGS,
    "pixels": tuple(f"pixels-{k}" for k in PIXELS),
    "rejection": ("noise", *map(other_task, range(MOST_OTHERS)), *_SCORED),
    "corruptions": tuple(_CORRUPTED.values()),
    "calibration": ("real",),
    "perturb": ("perturb",),
}
"""The tasks that each part's figures are made of."""

_FOUND: dict[str, Callable[[AuditFolder, Mapping[str, TaskLine]], Found | None]] = {
    "fooling": _fooling,
    "pixels": _pixels,
    "rejection": _rejection,
    "corruptions": _corruptions,
    "calibration": _calibration,
    "perturb": _perturb,
}
"""How each part's figures are made."""
