"""An attempt as DEAP sees it: a toolbox on which DEAP's own ask-tell loop runs."""

from __future__ import annotations

import numpy as np
import torch
from deap.base import Toolbox
from torch import Tensor

from ..encodings.apply_edits import apply_edits
from ..encodings.pixels import EditBatch
from ..engines.base import Engine
from ..engines.local import engine_of
from ..engines.population import NO_EVALUATION, Population, batched_map
from ..targets.protocols import Target
from .criterion import Criterion
from .margins import margins
from .searches.base import Feedback, Search
from .subject import Subject


def attempt_toolbox(target: Target | Engine, subject: Subject, criterion: Criterion, search: Search) -> Toolbox:
    """Wire one attempt: ``generate decode evaluate map update``.

    ``algorithms.eaGenerateUpdate(toolbox, ngen)`` runs on it unmodified. The fitness of an individual is by how much it
    reaches the criterion, in log-odds. A campaign scores many attempts together instead, and stops each at its first
    success.
    """
    engine = engine_of(target)
    image = torch.from_numpy(subject.image).to(engine.device)
    watched = torch.tensor(criterion.watched_class(subject.label), device=engine.device)
    targeted = torch.tensor(criterion.targeted, device=engine.device)

    def generate() -> Population:
        edits = search.ask()
        return Population(EditBatch(edits), np.full(len(edits), NO_EVALUATION, np.int64), np.array([0]))

    def decode(genomes: EditBatch) -> Tensor:
        images = image.expand(len(genomes), *image.shape).clone()
        return apply_edits(images, torch.from_numpy(genomes.edits).to(engine.device))

    def evaluate(population: Population) -> Tensor:
        scores = engine.confirm(toolbox.decode(population.genomes))
        engine.check(scores)
        n = len(scores)
        margin, fitness = margins(scores, watched.expand(n), targeted.expand(n))
        return -torch.stack((margin, fitness), 1)  # an individual's fitness is the first column

    def update(population: Population) -> None:
        assert population.scores is not None
        margin, fitness = -population.scores.cpu().numpy().T
        search.tell(population.genomes.edits, Feedback(margin, fitness))

    toolbox = Toolbox()
    toolbox.register("generate", generate)
    toolbox.register("decode", decode)
    toolbox.register("evaluate", evaluate)
    toolbox.register("map", batched_map)
    toolbox.register("update", update)
    return toolbox
