"""``python -m benchmarks [NAME …]``: run some or all measurements, print tables, write JSON."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator

from evofool.targets.prepare import versions

from . import (
    attack,
    audits,
    beside,
    breed,
    default_run,
    doors,
    elastic,
    ensembles,
    gallery,
    goodfellow,
    gradients,
    growth,
    harden_imagenet,
    imagenet,
    load,
    memory,
    mnist,
    peers,
    perturb,
    presets,
    processor_time,
    ribs_loop,
    robust,
    scaling,
    search,
    several,
    speed,
    transfer,
)
from .common import RESULTS, Row, hardware

BENCHMARKS: dict[str, Callable[[int | None], list[Row] | Iterator[list[Row]]]] = {
    "default": default_run.measure,
    "mnist": mnist.measure,
    "imagenet": imagenet.measure,
    "attack": attack.measure,
    "audits": audits.measure,
    "beside": beside.measure,
    "breed": breed.measure,
    "campaign": peers.measure_campaign,
    "doors": doors.measure,
    "elastic": elastic.measure,
    "ensembles": ensembles.measure,
    "ensembles-imagenet": ensembles.measure_imagenet,
    "gallery": gallery.measure,
    "goodfellow": goodfellow.measure,
    "gradients": gradients.measure,
    "growth": growth.measure,
    "harden-imagenet": harden_imagenet.measure,
    "load": load.measure,
    "memory": memory.measure,
    "peers": peers.measure,
    "perturb": perturb.measure,
    "presets": presets.measure,
    "processor-time": processor_time.measure,
    "pyribs": ribs_loop.measure,
    "robust": robust.measure,
    "scaling": scaling.measure,
    "search": search.measure,
    "several": several.measure,
    "speed": speed.measure,
    "transfer": transfer.measure,
    "unseen": peers.measure_unseen,
}


def main() -> None:
    """Run the measurements that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"any of {', '.join(BENCHMARKS)}; all when none is given")
    parser.add_argument("--seeds", type=int, default=None, help="number of seeds, instead of each measurement's own")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; choose {', '.join(BENCHMARKS)}")
    RESULTS.mkdir(exist_ok=True)
    for name in arguments.names or BENCHMARKS:
        measured = BENCHMARKS[name](arguments.seeds)
        for rows in [measured] if isinstance(measured, list) else measured:  # long ones yield after each part
            content = {
                "command": f"python -m benchmarks {name}"
                + ("" if arguments.seeds is None else f" --seeds {arguments.seeds}"),
                "versions": versions(),
                "hardware": hardware(),
                "rows": rows,
            }
            (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
