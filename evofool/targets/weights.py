"""Finding a network's tensors in a file of weights, whatever they are wrapped in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ..errors import WeightsError
from ..text import counted
from .checks import first_line
from .weights_file import NamedTensors, read_weights

USUAL = ("state_dict", "model", "model_state_dict", "module", "_orig_mod", "net", "network", "params", "weights")
"""Words of usual wrappers: keys of mappings, and beginnings of tensors' names. Of several that fit, those with the
fewest words are taken, then those of earlier ones."""

MAX_NAMES = 4
"""Largest number of names in a message."""

Relatives = Iterable[tuple[str, Callable[[], nn.Module]]]
"""Other networks that a file may be for, by name; each function builds one."""


@dataclass(frozen=True)
class _Fit:
    """Tensors of a file under the names of a network.

    Attributes:
        words: What they are wrapped in, from the outside inwards.
        tensors: Those with the wrappers' beginnings, without these.
        others: Names of those that lie beside them.
    """

    words: tuple[str, ...]
    tensors: dict[str, Tensor]
    others: tuple[str, ...]

    def missing(self, wanted: Mapping[str, Tensor]) -> list[str]:
        """Return the names that a network has and these lack. A batch normalisation's counter may be lacking."""
        return [name for name in wanted if name not in self.tensors and not name.endswith("num_batches_tracked")]

    def misshapen(self, wanted: Mapping[str, Tensor]) -> list[str]:
        """Return the names of those that have another shape than the network's."""
        return [name for name in wanted if name in self.tensors and self.tensors[name].shape != wanted[name].shape]

    def complete(self, wanted: Mapping[str, Tensor]) -> bool:
        """Return whether a network can be loaded from them."""
        return not self.missing(wanted) and not self.misshapen(wanted)

    def spare(self, wanted: Mapping[str, Tensor]) -> list[str]:
        """Return the names that a network has no place for, sorted."""
        return sorted((set(self.tensors) - set(wanted)) | set(self.others))

    def rank(self) -> tuple[bool, int, list[int]]:
        """Return a key by which those that are most likely meant come first."""
        unusual = [word for word in self.words if word not in USUAL]
        return bool(unusual), len(self.words), [USUAL.index(word) for word in self.words if word in USUAL]


def load_weights(network: nn.Module, path: Path, target: str, relatives: Relatives = ()) -> tuple[str, ...]:
    """Load a weights file into a network.

    Tensors are found in mappings inside others, as in ``{"model": {"state_dict": …}}``, and under names that all begin
    alike, as with ``module.`` or ``_orig_mod.``.

    Args:
        network: The network. It stays as it is where the file is refused.
        path: The weights file.
        target: The target's name, for messages.
        relatives: Other networks. A file that is for one of these is refused, and the message says so.

    Returns:
        Names of tensors that the network has no place for, sorted; they are left out.

    Raises:
        WeightsError: As in :func:`~.weights_file.read_weights`; or the file lacks a tensor of the network, or one has
            another shape, or several sets of tensors fit.
    """
    found, wanted = read_weights(path), network.state_dict()
    fit = _choose(found, wanted, path, target, relatives)
    for name in wanted:
        if name in fit.tensors and (kind := _odd_kind(fit.tensors[name])):
            raise WeightsError(f"{path} is not for {target}: {name} is {kind}; save it as plain numbers")
    try:
        network.load_state_dict({name: fit.tensors[name] for name in wanted if name in fit.tensors}, strict=False)
    except RuntimeError as error:
        raise WeightsError(f"{path} is not for {target}: {first_line(error)[:200]}") from error
    return tuple(fit.spare(wanted))


def classes_of_weights(network: nn.Module, path: Path) -> int | None:
    """Return for how many classes a weights file is, where that is all that keeps a network from loading it; else None.

    Raises:
        WeightsError: As in :func:`~.weights_file.read_weights`.
    """
    wanted = network.state_dict()
    counts = (_other_head(fit, wanted) for named in read_weights(path) for fit in _fits(named, wanted))
    return next((count for count in counts if count is not None), None)


def _choose(
    found: list[NamedTensors], wanted: Mapping[str, Tensor], path: Path, target: str, relatives: Relatives
) -> _Fit:
    """Return the tensors of a file that a network is loaded from."""
    fits = [fit for named in found for fit in _fits(named, wanted)]
    complete = sorted((fit for fit in fits if fit.complete(wanted)), key=_Fit.rank)
    if complete and (len(complete) == 1 or not complete[0].rank()[0]):
        spare = complete[0].spare(wanted)
        if spare and (other := _whose(found, relatives, below=len(spare))):
            raise WeightsError(
                f"{path} is not for {target}: it holds {counted(len(spare), 'tensor')} more, first {spare[0][:60]}; "
                f"these fit {other}"
            )
        return complete[0]
    if complete:
        places = " and ".join(".".join(fit.words) for fit in complete[:MAX_NAMES])
        raise WeightsError(f"{path} holds several networks that fit {target}: {places}; save the state_dict() of one")
    best = min(fits, key=lambda fit: (len(fit.missing(wanted)), len(fit.misshapen(wanted))))
    other = _whose(found, relatives)
    raise WeightsError(f"{path} is not for {target}: {_why(best, wanted)}" + (f" (these fit {other})" if other else ""))


def _fits(named: NamedTensors, wanted: Mapping[str, Tensor]) -> list[_Fit]:
    """Return tensors under the names that a network gives them: once for each beginning that they may have."""
    anchors = [name for name in wanted if not name.endswith("num_batches_tracked")]
    beginnings = dict.fromkeys(
        name[: -len(anchor)]
        for anchor in {*anchors[:1], *anchors[-1:]}
        for name in named.tensors
        if name == anchor or name.endswith(f".{anchor}")
    ) or {"": None}
    fits = []
    for beginning in beginnings:
        tensors = {
            name.removeprefix(beginning): value for name, value in named.tensors.items() if name.startswith(beginning)
        }
        others = tuple(name for name in named.tensors if not name.startswith(beginning))
        words = tuple(word for word in (*named.place.split("."), *beginning.split(".")) if word)
        fits.append(_Fit(words, tensors, others))
    return fits


def _why(fit: _Fit, wanted: Mapping[str, Tensor]) -> str:
    """Return why a network can't be loaded from a file's tensors, and what there is instead."""
    if missing := fit.missing(wanted):
        names = [*fit.tensors, *fit.others]
        shown = ", ".join(name[:60] for name in names[:MAX_NAMES])
        more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
        return (
            f"it lacks {len(missing)} of {len(wanted)} tensors, first {missing[0]}; it holds {shown}{more}; "
            "use weights of that architecture"
        )
    name = fit.misshapen(wanted)[0]
    told = f"{name} should be {tuple(wanted[name].shape)}, is {tuple(fit.tensors[name].shape)}"
    if (classes := _other_head(fit, wanted)) is not None:
        return f"{told}: its last layer is for {classes} classes; use weights for the same classes"
    return f"{told}; use weights of that architecture"


def _other_head(fit: _Fit, wanted: Mapping[str, Tensor]) -> int | None:
    """Return for how many classes the last layer of a file's tensors is, where nothing but that tells them from a
    network's; else None."""
    wrong, last = fit.misshapen(wanted), list(wanted)[-1].rpartition(".")[0]
    alike = all(fit.tensors[each].shape[1:] == wanted[each].shape[1:] for each in wrong)
    if fit.missing(wanted) or not wrong or not alike or {each.rpartition(".")[0] for each in wrong} != {last}:
        return None
    return fit.tensors[wrong[0]].shape[0]


def _whose(found: list[NamedTensors], relatives: Relatives, below: float = math.inf) -> str | None:
    """Return the relative that a file's tensors fit with the fewest that are spare, and fewer than ``below``."""
    best = None
    for name, build in relatives:
        with torch.device("meta"):
            wanted = build().state_dict()
        fits = [fit for named in found for fit in _fits(named, wanted)]
        spare = min((len(fit.spare(wanted)) for fit in fits if fit.complete(wanted)), default=below)
        if spare < below:
            best, below = name, spare
    return best


def _odd_kind(tensor: Tensor) -> str | None:
    """Return what a tensor is, where it is no plain array of real numbers in memory; else None."""
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_nested:
        return "sparse, nested or quantized"
    if tensor.is_complex():
        return "complex"
    return f"on {tensor.device}" if tensor.device.type != "cpu" else None
