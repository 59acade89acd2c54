"""Hill climbing for several pixels, from a scan in groups.

    scan:    k places of a coarse grid at once, each with the corner of the colour cube farthest from its own colour: a
             few rows look at all of the grid, and each is a candidate of its own
    climb:   from the best candidate, change one of its k pixels: to a neighbouring place or another colour, to a pixel
             that did well in another candidate, or to the next of the scan

What a candidate with a pixel scored is the estimate of that pixel's worth, which is what makes the second kind of step
pay. `docs/ATTACKS.md` compares it with Sparse-RS and differential evolution.
"""

from __future__ import annotations

from bisect import insort

import numpy as np

from ...encodings.pixels import Edits
from .base import Brief, Feedback
from .best_first import changed
from .places import AROUND, COARSE, Node, as_edits, coarse_to_fine, neighbour, scan

FIRST = 16
"""candidates of the first generation, each of k new pixels"""

EACH, GROWTH = 8, 16
"""candidates of every other generation: at least the first, and all tried so far divided by the second, for the longer
a climb has lasted, the rarer is a step that pays, and the less is lost by not knowing of it at once"""

NEAR, KNOWN = 0.4, 0.4
"""share of the steps to a pixel's own neighbourhood, and to a pixel that did well; the rest goes on with the scan"""

FAVOUR = 1 / 8
"""parameter of the geometric law by which pixels that did well are picked, best first"""

TURN, REDRAW = 0.3, 0.1
"""share of the steps nearby that turn a channel over, and that draw one anew"""

TRIES = 200
"""draws for a generation beyond its size, after which it is sent as it is"""


class Climb:
    """One attempt's search for k ≥ 2."""

    def __init__(self, brief: Brief) -> None:
        self.space, self.rng = brief.space, brief.rng
        order = coarse_to_fine(brief.space)
        order[:COARSE] = self.rng.permutation(order[:COARSE])
        self._scan = scan(brief.space, brief.image, order)
        self._start = self._nodes(brief.start[0]) if len(brief.start) else []
        self._best: list[Node] = []
        self._margin = np.inf
        self._worth: list[tuple[float, Node]] = []
        self._tried: set[frozenset[Node]] = set()
        self._asked: list[tuple[list[Node], list[Node]]] = []

    def generate(self) -> Edits:
        if not self._best:
            groups = FIRST if len(self._start) < self.space.k else 1
            self._asked = [self._group() for _ in range(groups)]
            self._tried.update(frozenset(nodes) for nodes, _ in self._asked)
        else:
            self._asked = []
            wanted = max(EACH, len(self._tried) // GROWTH)
            for _ in range(TRIES + wanted):
                self._try_step()
                if len(self._asked) == wanted:
                    break
        return as_edits(self.space, [nodes for nodes, _ in self._asked])

    def update(self, edits: Edits, feedback: Feedback) -> None:
        for (nodes, new), margin in zip(self._asked, feedback.margin.tolist(), strict=True):
            for node in new:
                insort(self._worth, (margin, node))
            if margin < self._margin:
                self._best, self._margin = nodes, margin

    def _group(self) -> tuple[list[Node], list[Node]]:
        """A first candidate: what the attempt starts from, and new pixels."""
        nodes = list(self._start)
        while len(nodes) < self.space.k:
            node = self._next()
            if all(node[0] != place for place, _ in nodes):
                nodes.append(node)
        return nodes, nodes[len(self._start) :] or nodes

    def _try_step(self) -> None:
        slot = int(self.rng.integers(self.space.k))
        kind = self.rng.random()
        if kind < NEAR:
            node = self._near(self._best[slot])
        elif kind < NEAR + KNOWN:
            node = self._worth[min(len(self._worth), int(self.rng.geometric(FAVOUR))) - 1][1]
        else:
            node = self._next()
        nodes = [*self._best[:slot], node, *self._best[slot + 1 :]]
        if len({place for place, _ in nodes}) == len(nodes) and (key := frozenset(nodes)) not in self._tried:
            self._tried.add(key)
            self._asked.append((nodes, [node]))

    def _near(self, node: Node) -> Node:
        place, colour = node
        kind = self.rng.random()
        channel = int(self.rng.integers(len(colour)))
        if kind < TURN:
            return place, changed(colour, channel, 255 - 2 * colour[channel])
        if kind < TURN + REDRAW:
            return place, changed(colour, channel, int(self.rng.integers(256)) - colour[channel])
        dy, dx = AROUND[int(self.rng.integers(len(AROUND)))]
        other = neighbour(self.space, place, dy, dx)
        return (place if other is None else other), colour

    def _next(self) -> Node:
        """The next of the scan; a random corner at a random place once it is through."""
        node = next(self._scan, None)
        if node is None:
            corners = self.space.corners()
            colour = tuple(corners[int(self.rng.integers(len(corners)))].tolist())
            node = int(self.rng.integers(self.space.places)), colour
        return node

    def _nodes(self, edits: Edits) -> list[Node]:
        places = self.space.places_of(edits).tolist()
        return [(place, tuple(row[2:])) for place, row in zip(places, edits.tolist(), strict=True)]
