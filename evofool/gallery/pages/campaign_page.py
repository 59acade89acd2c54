"""``report.html``: what a campaign found, as one page that needs no other file; its plots and a table beside it."""

from __future__ import annotations

import csv
import io
import shlex
from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from ...attacks.statistics import Statistics
from ...config.attack import UNTARGETED
from ...errors import ConfigError
from ...io.files import write_atomically, writing
from ...store.campaign import CampaignFolder
from ..prints import plots
from ..prints.svg import STYLE, standalone
from .examples import win_tiles
from .findings import Findings, gather
from .headline import count, headline, median, share
from .parts import encoded, part
from .run_page import PAGE, write_gallery

PLOTS = "plots"


def write_report(paths: Sequence[Path], out: Path | None = None) -> Path:
    """Write the page of one campaign, or one that compares several.

    Into a campaign's own folder go ``outcomes.csv``, ``plots/*.svg`` and, where there are successes, ``index.html`` as
    well, which has them to look at closely.

    Args:
        paths: the campaigns' folders.
        out: the HTML file; ``report.html`` in the folder of a single campaign, ``comparison.html`` in the first of
            several.

    Raises:
        RunError: a campaign is missing or damaged, or the file can't be written.
    """
    found = [gather(path) for path in paths]
    file = out or paths[0] / ("report.html" if len(paths) == 1 else "comparison.html")
    if file.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"--out must name an .html file, got {file}")
    figures = _figures(found[0]) if len(found) == 1 else {"success": plots.success_curve(_series(found))}
    closer = len(found) == 1 and out is None and bool(found[0].wins)
    page = _report(found[0], figures, closer) if len(found) == 1 else _comparison(found, figures)
    with writing(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, encoded(page))
        if len(found) == 1:
            (paths[0] / PLOTS).mkdir(exist_ok=True)
            for name, svg in figures.items():
                write_atomically(paths[0] / PLOTS / f"{name}.svg", encoded(standalone(svg)), durable=False)
            write_atomically(paths[0] / "outcomes.csv", encoded(_csv(found[0].folder)), durable=False)
    if closer:
        write_gallery([paths[0]])
    return file


def _figures(found: Findings) -> dict[str, str]:
    """Figures by name; those that would be empty are left out."""
    figures = {"success": plots.success_curve(_series([found]))}
    if not found.wins:
        return figures
    config = found.config
    _, height, width = config["target"]["image_shape"]
    figures["classes"] = plots.class_heat(found.became, config["classes"])
    if config["criterion"] != UNTARGETED:
        counts = Counter(len(found.reached.get(image, ())) for image in found.fought)
        figures["targets"] = plots.bars(counts, "target classes reached", "Target classes reached, by image")
    if len(config["pixels"]) > 1:
        figures["pixels"] = plots.bars(found.statistics.by_pixels, "pixels needed", "Pixels needed")
    xs, ys = [edit["x"] for edit in found.edits], [edit["y"] for edit in found.edits]
    figures["places"] = plots.place_heat(xs, ys, width, height)
    figures["colours"] = plots.colour_strip([edit["colour"] for edit in found.edits])
    figures["confidence"] = plots.confidences(found.confidence)
    return figures


def _series(found: Sequence[Findings]) -> list[plots.Series]:
    names = [one.name if len(found) > 1 else one.config["strategy"] for one in found]
    own = [_one_series(name, one, one.statistics) for name, one in zip(names, found, strict=True)]
    for name, one in zip(names, found, strict=True):
        if one.baseline:
            label = "random" if len(found) == 1 else f"{name} random"
            own.append(_one_series(label, one, one.baseline, dashed=True))
    return own


def _one_series(name: str, one: Findings, statistics: Statistics, *, dashed: bool = False) -> plots.Series:
    """All pairs that can count are the curve's whole, those to come too."""
    n = one.folder.pairs() - one.statistics.already - one.statistics.wrong
    return plots.Series(name, statistics.to_success, n, dashed, max(statistics.longest, one.statistics.longest))


def _report(found: Findings, figures: dict[str, str], closer: bool) -> str:
    told = headline(found)
    sections = [
        _figure(
            "Success against queries",
            figures["success"],
            "Share of all attempts that were won within so many queries; shaded: Wilson 95 % interval.",
        )
    ]
    sections.append(win_tiles(found))
    if closer:
        sections.append(f'<p><a href="{PAGE}">All successes, to look at closely</a></p>')
    wide = {
        "classes": ("What became what", "Original class against the class that the edited image is taken for."),
        "targets": ("Criterions reached", "How many images reach how many of their target classes."),
        "pixels": ("Pixels needed", "The smallest number of pixels that reached the criterion."),
    }
    sections += [_figure(head_, figures[key], words) for key, (head_, words) in wide.items() if key in figures]
    narrow = {
        "places": ("Where", "Edited pixels of successes in the image."),
        "colours": ("Which colours", "What those pixels were set to."),
        "confidence": ("Confidence", "In the first guess before and in the new one after; a dot a success."),
    }
    pair = [_figure(head_, figures[key], words) for key, (head_, words) in narrow.items() if key in figures]
    if pair:
        sections.append(f'<div class="pair">{"".join(pair)}</div>')
    sections.append(_method(found))
    return _page(told.title, told.head, told.lead, told.facts, sections)


def _comparison(found: Sequence[Findings], figures: dict[str, str]) -> str:
    rows = "".join(_row(one) for one in found)
    table = (
        '<div class="scroll"><table><tr><th>campaign</th><th class="left">target</th><th class="left">data</th>'
        '<th class="left">criterion</th><th>k</th><th class="left">strategy</th><th>attempts</th><th>success</th>'
        f"<th>95 % interval</th><th>median queries</th><th>mean queries</th></tr>{rows}</table></div>"
    )
    sections = [
        table,
        _figure("Success against queries", figures["success"], "Shaded: interval of the first campaign."),
    ]
    sections += [_overlap(found[0], other) for other in found[1:]]
    head = f"{len(found)} campaigns side by side"
    lead = "Median queries count successes; mean queries count every attempt, failures included."
    return _page(head, head, lead, [], sections)


def _row(one: Findings) -> str:
    config, statistics = one.config, one.statistics
    low, high = statistics.interval
    cells = [
        ("words", str(one.folder.path)),
        ("left", config["target"]["name"]),
        ("left", config["data"]["name"]),
        ("left", config["criterion"]),
        ("", " ".join(map(str, config["pixels"]))),
        ("left", config["strategy"]),
        ("", f"{statistics.settled:,}"),
        ("", share(statistics.rate)),
        ("", f"{share(low)} – {share(high)}"),
        ("", count(median(statistics))),
        ("", count(statistics.queries / statistics.settled if statistics.settled else None)),
    ]
    return "<tr>" + "".join(f'<td class="{kind}">{escape(str(value))}</td>' for kind, value in cells) + "</tr>"


def _overlap(first: Findings, other: Findings) -> str:
    """How two campaigns differ on the attempts that both fought."""
    common = first.outcomes.keys() & other.outcomes.keys()
    if not common:
        return ""
    counts = Counter((first.outcomes[key], other.outcomes[key]) for key in common)
    names = [escape(one.name) for one in (first, other)]
    return (
        f"<p>On the {len(common):,} attempts that both fought: won by both {counts[True, True]:,}, only by {names[0]} "
        f"{counts[True, False]:,}, only by {names[1]} {counts[False, True]:,}, by neither {counts[False, False]:,}.</p>"
    )


def _method(found: Findings) -> str:
    config = found.config
    versions = ", ".join(f"{name} {version}" for name, version in config["versions"].items())
    skipped = config["data"]["skipped"]
    left_out = "".join(
        f"<li><code>{escape(name)}</code>: {escape(reason)}</li>" for name, reason in list(skipped.items())[:50]
    )
    return (
        "<h2>How it was done</h2>"
        "<p>An attempt is one image with one criterion. Its search sees nothing but the network's scores. Candidates are 8-bit "
        "images; a success is the criterion's own condition on the saved image, scored in float32. Queries count every "
        "image that was scored for an attempt; scoring the clean image is not among them.</p>"
        f"<pre><code>{escape(_command(config))}</code></pre>"
        f'<p class="faint">{escape(versions)}; device {escape(config["target"]["device"])}, '
        f"{escape(config['target']['precision'])}; weights {escape(str(config['target']['weights_sha256'])[:16])}…</p>"
        + (f"<p>{len(skipped):,} files were left out:</p><ul>{left_out}</ul>" if skipped else "")
    )


def _command(config: dict[str, Any]) -> str:
    """What repeats the campaign: a command, or a call where the target is the user's own and has no name."""
    data, pixels = config["data"], config["pixels"]
    options = {
        "count": data["asked"],
        "pixels": "auto" if len(pixels) > 1 else pixels[0],
        "max-pixels": pixels[-1] if len(pixels) > 1 else None,
        "criterion": config["criterion"],
        "strategy": config["strategy"],
        "queries": config["queries"],
        "seed": config["seed"],
        "first": data["first"],
        "include-misclassified": data["include_misclassified"],
        "baseline": config["baseline"],
    }
    given = {name: value for name, value in options.items() if value is not None and value is not False}
    if config["target"].get("own"):
        told = "".join(f", {name.replace('-', '_')}={value!r}" for name, value in given.items())
        return f"evofool.attack(target, {data['name']!r}{told}, out=…)"
    given = {
        "target": config["target"]["name"],
        "weights": config["target"].get("weights"),
        "data": data["name"],
        **given,
    }
    words = ["evofool", "attack"]
    for name, value in given.items():
        if value is not None:
            words += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    return shlex.join(words)


def _page(title: str, head: str, lead: str, facts: Sequence[tuple[str, str, str]], sections: Sequence[str]) -> str:
    css = part("tokens.css") + part("report.css")
    cards = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}<small>{escape(note)}</small></dd></div>"
        for name, value, note in facts
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<style>{css}{STYLE}</style></head><body><main><header><h1>{head}</h1><p class="lead">{escape(lead)}</p>'
        + (f'<dl class="facts">{cards}</dl>' if cards else "")
        + f"</header>{''.join(sections)}</main></body></html>\n"
    )


def _figure(head: str, svg: str, words: str) -> str:
    return f"<section><h2>{escape(head)}</h2><figure>{svg}<figcaption>{escape(words)}</figcaption></figure></section>"


def _cell(value: object) -> object:
    """Never a formula: a file name may be one."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _csv(folder: CampaignFolder) -> str:
    """All outcomes as a table; edits as ``x:y:value:value:value`` with semicolons between."""
    columns = (
        "image", "id", "sha256", "class", "predicted", "confidence", "criterion", "pixels", "strategy", "seed", "success",
        "already", "stopped", "queries", "queries_to_success", "shared", "final", "margin", "l0", "l2", "linf",
    )  # fmt: skip
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*columns, "final_confidence", "edits"])
    for outcome in folder.outcomes():
        edits = ";".join(":".join(map(str, (e["x"], e["y"], *e["colour"]))) for e in outcome["edits"])
        final = outcome["top5"][0][1] if outcome["top5"] else ""
        writer.writerow([*(_cell(outcome.get(column)) for column in columns), final, edits])
    return stream.getvalue()
