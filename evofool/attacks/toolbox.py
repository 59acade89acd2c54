"""An attempt as DEAP sees it: a toolbox on which DEAP's own ask-tell loop runs."""

from __future__ import annotations

import numpy as np
import torch
from deap.base import Toolbox
from torch import Tensor

from ..encodings.pixels import EditBatch, apply_edits
from ..engines.population import NO_EVALUATION, Population, batched_map
from ..targets.torch_target import Target
from .criterion import Criterion, margins
from .outcome import Subject
from .searches import Feedback, Search


def attempt_toolbox(target: Target, subject: Subject, criterion: Criterion, search: Search) -> Toolbox:
    """Wire one attempt: ``generate decode evaluate map update``.

    ``algorithms.eaGenerateUpdate(toolbox, ngen)`` runs on it unmodified; the fitness of an individual is by how much it
    reaches the criterion, in log-odds. A campaign scores many attempts together instead and stops each at its first success.
    """
    base = torch.from_numpy(subject.image).to(target.device)
    column = torch.tensor(criterion.column(subject.label), device=target.device)

    def generate() -> Population:
        edits = search.generate()
        return Population(EditBatch(edits), np.full(len(edits), NO_EVALUATION, np.int64), np.array([0]))

    def decode(genomes: EditBatch) -> Tensor:
        images = base.expand(len(genomes), *base.shape).clone()
        return apply_edits(images, torch.from_numpy(genomes.edits).to(target.device))

    def evaluate(population: Population) -> Tensor:
        scores = target.confirm(toolbox.decode(population.genomes))
        n = len(scores)
        values = margins(scores, column.expand(n), torch.full((n,), criterion.target is not None, device=target.device))
        return -torch.stack(values, 1)  # columns: margin, fitness; the first is the individuals'

    def update(population: Population) -> None:
        assert population.scores is not None
        margin, fitness = -population.scores.cpu().numpy().T
        search.update(population.genomes.edits, Feedback(margin, fitness))

    toolbox = Toolbox()
    for name, function in (
        ("generate", generate),
        ("decode", decode),
        ("evaluate", evaluate),
        ("map", batched_map),
        ("update", update),
    ):
        toolbox.register(name, function)
    return toolbox
