"""``evofool breed``: how fast networks run in the browser, how close to Python's, and how long until all are sure."""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

import evofool
from evofool.encodings.banks import genomes_under
from evofool.encodings.genome_lines import read_genomes
from evofool.targets.doors.embedded import CARDS
from evofool.targets.layers import NETWORKS

from .common import Row, table
from .gallery import CHROMIUM

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BANKS = {3: ("cifar10-cppn", "imagenet-cppn"), 1: ("mnist-cppn",)}
"""The banks by the channels of their pictures."""

SCORES = """async (files) => {
  const genomes = files.map((text) => Genomes.read(text, Setup.frame, Setup.kind.settings));
  const scores = await Judges.score(genomes), rates = [];
  const many = Array(Math.ceil(400 / genomes.length)).fill(genomes).flat().slice(0, 400);
  for (let round = 0; round < 3; round++) {
    const started = performance.now();
    await Judges.score(many);
    rates.push(many.length / ((performance.now() - started) / 1000));
  }
  return [scores.map((each) => [...each]), Math.max(...rates)];
}"""
"""A script that scores genomes, and says how many it scored in a second, the fastest of three times."""

ALONE = """async () => {
  const told = document.getElementById("collection").dataset;
  document.getElementById("alone").click();
  while (told.ended === undefined && !(told.scored >= %d)) await new Promise((done) => setTimeout(done, 50));
  if (told.ended === undefined) document.getElementById("alone").click();
  return {ended: told.ended === "true", scored: Number(told.scored), seconds: Number(told.seconds)};
}"""
"""A script that lets the page evolve by itself until all classes are above 99 %, or there were so many pictures."""

MOST = 20_000
"""Pictures after which an evolution is given up."""


def measure(seeds: int | None) -> Iterator[list[Row]]:
    """Measure each network in headless Chromium, without a GPU."""
    from playwright.sync_api import sync_playwright

    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM))
        for name in NETWORKS:
            rows.append({"network": name, **_scores(browser, name, Path(folder))})
            rows[-1] |= _alone(browser, name, Path(folder), seeds or 5)
            table(rows)
            yield rows
        browser.close()


def _scores(browser: Browser, name: str, folder: Path) -> Row:
    """Return the size of a network's page, and what the banks' genomes tell of its speed and its distance to Python."""
    shape = CARDS[name].image_shape
    genomes = [genome for bank in BANKS[shape[0]] for _, genome in read_genomes(genomes_under(bank))]
    file = evofool.breed(name, folder / "page.html", seed=0)
    page = browser.new_page()
    page.goto(file.as_uri())
    scores, speed = page.evaluate(SCORES, [json.dumps(genome.content) for genome in genomes])
    page.close()
    target = evofool.load_target(name, device="cpu", precision="float32")
    pictures = [genome.encoding.decode_at(genome.genomes, shape[1:]) for genome in genomes]
    distance = (torch.tensor(scores) - target.confirm(torch.cat(pictures))).abs().max().item()
    return {
        "page MB": round(file.stat().st_size / 1e6, 2),
        "genomes": len(genomes),
        "largest difference": f"{distance:.1e}",
        "pictures a second": round(speed),
    }


def _alone(browser: Browser, name: str, folder: Path, seeds: int) -> dict[str, Any]:
    """Return after how many pictures and seconds all classes are above 99 %, from several seeds."""
    found = []
    for seed in range(seeds):
        page = browser.new_page()
        page.goto(evofool.breed(name, folder / "page.html", seed=seed).as_uri())
        found.append(page.evaluate(ALONE % MOST))
        page.close()
    return {
        "seeds": seeds,
        "sure": sum(each["ended"] for each in found),
        "pictures": [each["scored"] for each in found],
        "seconds": [round(each["seconds"], 1) for each in found],
        "median seconds": round(statistics.median(each["seconds"] for each in found), 1),
    }
