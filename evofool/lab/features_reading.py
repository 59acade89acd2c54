"""The results of ``features`` as its folder has them, checked against what each part must tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec
import numpy as np

from ..config.features import D, FeaturesOptions
from ..store.experiment import ExperimentFolder, Result
from ..store.features_records import (
    Accuracy,
    EpochDone,
    Evolved,
    FeaturesResult,
    SetBatch,
    ShownTo,
    Transferred,
)
from .features_labels import Labels, labels_of, random_labels
from .features_plan import Piece, evolution, networks, pieces


@dataclass
class Read:
    """All results so far.

    Attributes:
        sets: Batches of every data set, each with its part.
        epochs: Epochs of every network.
        accuracies: By network.
        transferred: By network.
        shown: By network.
        evolved: With their parts.
    """

    sets: dict[str, list[tuple[int, SetBatch]]] = field(default_factory=dict)
    epochs: dict[str, list[EpochDone]] = field(default_factory=dict)
    accuracies: dict[str, Accuracy] = field(default_factory=dict)
    transferred: dict[str, Transferred] = field(default_factory=dict)
    shown: dict[str, ShownTo] = field(default_factory=dict)
    evolved: list[tuple[int, Evolved]] = field(default_factory=list)

    def labels(self, name: str) -> list[int]:
        """Return what a data set calls its images, as far as they are made."""
        return [label for _, batch in self.sets.get(name, ()) for label in batch.labels]


def read(folder: ExperimentFolder) -> Read:
    """Return all results so far.

    Raises:
        RunError: They are damaged, or tell of other things than they must.
    """
    found, planned = Read(), pieces(folder.config)
    drawn = random_labels(folder.config.options, len(folder.config.classes))
    for part, results in folder.results(FeaturesResult):
        if part >= len(planned) or not results or not _fits(results, planned[part], folder):
            raise folder.other_images(part)
        for result in results:
            _add(found, part, msgspec.convert(result, FeaturesResult))
        if planned[part].kind == "set" and not (len(results) == 1 and _labelled(found, planned[part], folder, drawn)):
            raise folder.other_images(part)
    return found


def _labelled(found: Read, piece: Piece, folder: ExperimentFolder, drawn: Labels) -> bool:
    """Return whether a batch of a data set calls its images what it must.

    Args:
        found: What was read, with that batch as the last one of its data set.
        piece: Its part of the work.
        folder: The experiment's folder.
        drawn: Random classes for all images, as :func:`~.features_labels.random_labels` returns them.
    """
    options: FeaturesOptions = folder.config.options
    (_, batch), originals = found.sets[piece.name][-1], found.sets[D][0][1]
    if piece.name == D:
        return len(batch.labels) == options.size
    rows = slice(piece.number * options.batch, (piece.number + 1) * options.batch)
    true = np.array(originals.labels[rows], np.int64)
    wanted: list[int] = labels_of(piece.name, true, len(folder.config.classes), drawn[rows]).tolist()
    return batch.labels == wanted


def _add(found: Read, part: int, result: FeaturesResult) -> None:
    match result:
        case SetBatch():
            found.sets.setdefault(result.set, []).append((part, result))
        case EpochDone():
            found.epochs.setdefault(result.network, []).append(result)
        case Accuracy():
            found.accuracies[result.network] = result
        case Transferred():
            found.transferred[result.network] = result
        case ShownTo():
            found.shown[result.network] = result
        case Evolved():
            found.evolved.append((part, result))


def _fits(results: Iterable[Result], piece: Piece, folder: ExperimentFolder) -> bool:
    """Return whether results may be those of a part."""
    known = networks(folder.config.options)
    for result in results:
        names = [result.get("network"), result.get("set")]
        if result["kind"] != piece.kind or not all(name is None or name in (*known, "D") for name in names):
            return False
        told_of = "set" if piece.kind in ("set", "export") else "network"
        if piece.kind not in ("transfer", "shown") and result[told_of] != piece.name:
            return False
        if result.get("epoch", piece.number) != piece.number:
            return False
        if piece.kind == "evolved" and (result["run"], result["encoding"]) != evolution(piece.number):
            return False
        indices = [*result.get("labels", ()), *(result.get("taken") or ()), *result.get("wanted", ())]
        first = result.get("first", ())
        for each in first.values() if isinstance(first, dict) else [first]:
            indices += each
        if any(index >= len(folder.config.classes) for index in indices):
            return False
        if not _consistent(result):
            return False
    return True


def _consistent(result: Result) -> bool:
    """Return whether the lists of a result have the same lengths, and no count is larger than its whole."""
    match result["kind"]:
        case "set":
            columns = [result.get(name) for name in ("taken", "unrounded", "moved", "before", "after")]
            return all(each is None or len(each) == len(result["labels"]) for each in columns)
        case "accuracy":
            counts = [result["clean"], *result["robust"], *result["unrounded"]]
            lengths = {len(result[name]) for name in ("sizes", "robust", "unrounded")}
            return lengths in ({0}, {3}) and result["images"] > 0 and max(counts) <= result["images"]
        case "transfer":
            return bool(result["fooled"] <= result["right"])
        case "shown":
            return len(result["first"]) == len(result["confidence"])
        case "evolved":
            lists = [*result["first"].values(), *result["confidence"].values()]
            same = result["first"].keys() == result["confidence"].keys() and result["network"] in result["first"]
            return same and all(len(each) == len(result["wanted"]) for each in lists)
    return True
