"""What the tests of ``evofool breed`` ask of its page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from browsing import until

from evofool import load_target
from evofool.encodings.genome_file import GenomeFile
from evofool.targets.doors.embedded import CARDS

if TYPE_CHECKING:
    from playwright.sync_api import Page

PICTURES = 18
"""Pictures of a generation."""

TEXT_OF = "(genome) => Genomes.write(genome, Setup.frame, {})"
READ = "Genomes.read(text, Setup.frame, Setup.kind.settings)"


def settled(page: Page) -> Page:
    """Wait until the network has looked at all pictures."""
    until(page, f"document.querySelectorAll('#nursery .guesses li').length === {3 * PICTURES}")
    until(page, "!document.querySelector('#nursery .waits')")
    return page


def genomes_of(page: Page) -> list[str]:
    """The files of the pictures on show."""
    texts: list[str] = page.evaluate(f"Nursery.current().pictures.map(({{genome}}) => ({TEXT_OF})(genome))")
    return texts


def scores_of(page: Page) -> list[list[float]]:
    """What the network sees in the pictures on show."""
    scores: list[list[float]] = page.evaluate("Nursery.current().pictures.map(({scores}) => [...scores])")
    return scores


def chosen(page: Page) -> list[int]:
    """The numbers of the chosen pictures."""
    numbers: list[int] = page.eval_on_selector_all(
        "#nursery .pick[aria-pressed=true]", "picks => picks.map((pick) => Number(pick.dataset.n))"
    )
    return numbers


def scored_in_page(page: Page, genomes: Sequence[GenomeFile]) -> np.ndarray:
    """The probabilities (N, K) of genomes, as the page's workers compute them."""
    files = [json.dumps(genome.content) for genome in genomes]
    answer = page.evaluate(
        f"async (files) => (await Judges.score(files.map((text) => {READ}))).map((scores) => [...scores])", files
    )
    return np.array(answer)


def scored_in_python(name: str, genomes: Sequence[GenomeFile]) -> np.ndarray:
    """The same as the target says, in float32, of the 8-bit pictures that evofool renders."""
    shape = CARDS[name].image_shape
    pictures = [genome.encoding.decode_at(genome.genomes, shape[1:]) for genome in genomes]
    return load_target(name, device="cpu", precision="float32").confirm(torch.cat(pictures)).numpy()


def saved(page: Page, folder: Path) -> Path:
    """The genome file that the picture looked at is saved to."""
    with page.expect_download() as waiting:
        page.locator("#save").click()
    file = folder / waiting.value.suggested_filename
    waiting.value.save_as(file)
    return file


def look_closer(page: Page, number: int) -> None:
    """Open a picture, and wait until the network has looked at it."""
    page.locator("#nursery .card").nth(number).hover()
    page.locator("#nursery .closer").nth(number).click()
    until(page, "document.getElementById('closer').dataset.scored === 'true'")


def without_provenance(content: dict[str, Any]) -> dict[str, Any]:
    """What of a genome's file is drawn."""
    keys = ("format", "encoding", "image_shape", "coordinates", "colour", "nodes", "connections")
    return {key: content[key] for key in keys}
