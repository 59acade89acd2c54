"""A duel as DEAP sees it: a toolbox on which DEAP's own ask-tell loop runs."""

from __future__ import annotations

import numpy as np
import torch
from deap.base import Toolbox
from torch import Tensor

from ..archive import NOBODY
from ..encodings.pixels import EditBatch, apply_edits
from ..population import Population, batched_map
from ..strategies.pixels import Outcome, Search
from ..target import Target
from .goals import Goal, margins
from .verdict import Subject


def duel_toolbox(target: Target, subject: Subject, goal: Goal, search: Search) -> Toolbox:
    """Wire one duel: ``generate decode evaluate map update``.

    ``algorithms.eaGenerateUpdate(toolbox, ngen)`` runs on it unmodified; the fitness of an individual is by how much it
    reaches the goal, in log-odds. A campaign scores many duels together instead and stops each at its first success.
    """
    base = torch.from_numpy(subject.image).to(target.device)
    column = torch.tensor(goal.column(subject.label), device=target.device)

    def generate() -> Population:
        edits = search.generate()
        return Population(EditBatch(edits), np.full(len(edits), NOBODY, np.int64), np.array([0]))

    def decode(genomes: EditBatch) -> Tensor:
        images = base.expand(len(genomes), *base.shape).clone()
        return apply_edits(images, torch.from_numpy(genomes.edits).to(target.device))

    def evaluate(population: Population) -> Tensor:
        scores = target.confirm(toolbox.decode(population.genomes))
        n = len(scores)
        values = margins(scores, column.expand(n), torch.full((n,), goal.target is not None, device=target.device))
        return -torch.stack(values, 1)  # columns: margin, fitness; the first is the individuals'

    def update(population: Population) -> None:
        assert population.scores is not None
        margin, fitness = -population.scores.cpu().numpy().T
        search.update(population.genomes.edits, Outcome(margin, fitness))

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
