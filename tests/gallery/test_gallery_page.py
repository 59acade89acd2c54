"""Pages of runs, campaigns and genomes as files: where they go, what is in them, what is refused."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from campaigns import small_attack
from configs import edit_config
from pages import data_of, file_size_limit
from prints import write_elites
from runs import Capture, json_lines, run_cli, small_evolve
from support import tiny_target

import evofool
from evofool.errors import ConfigError, GenomeError, RunError
from evofool.gallery.pages.path_source import read_sources
from evofool.gallery.pages.rendering import script_json
from evofool.gallery.pages.run_page import write_gallery, write_run_page
from evofool.gallery.pages.storage import MAX_EMBEDDED_BYTES, MAX_EMBEDDED_TILES
from evofool.io.arrays import read_arrays, write_arrays
from evofool.io.files import file_crc32
from evofool.io.images import data_uri


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of CPPNs; read only."""
    run = tmp_path_factory.mktemp("made") / "run"
    small_evolve(run, encoding="cppn", gallery=False)
    return run


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "run"))


def test_where_pages_go(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(run, tmp_path / "other")
    assert write_gallery([run]) == run / "index.html"
    assert write_gallery([run, tmp_path / "other"]) == Path("comparison.html")
    assert not (run / "comparison.html").exists()
    assert write_gallery([Path("cifar10-cppn")]) == Path("outputs/cifar10-cppn.html")
    assert write_gallery([run], tmp_path / "a" / "b.HTM") == tmp_path / "a" / "b.HTM"
    assert write_run_page(run) == run / "index.html"
    assert all(
        file.is_file() for file in (run / "index.html", Path("outputs/cifar10-cppn.html"), tmp_path / "a" / "b.HTM")
    )


def test_a_bank_is_called_after_the_network_that_all_its_genomes_are_of() -> None:
    (bank,) = read_sources(Path("cifar10-cppn"))
    sums = {tile.genome["weights_sha256"] for tile in bank.tiles if tile.genome}
    assert bank.network == f"cifar10 ({sums.pop()[:8]})"
    assert not sums


def test_genome_files_and_folders_of_them(run: Path, tmp_path: Path) -> None:
    files = sorted((run / "elites").glob("*.json"))
    assert len(data_of(write_gallery([files[0]], tmp_path / "one.html"))["tiles"]) == 1
    assert len(data_of(write_gallery([run / "elites"], tmp_path / "all.html"))["tiles"]) == 10
    (tmp_path / "banks" / "a").mkdir(parents=True)
    shutil.copy(files[0], tmp_path / "banks" / "a")
    shutil.copytree(run / "elites", tmp_path / "banks" / "b")
    assert len(data_of(write_gallery([tmp_path / "banks"], tmp_path / "banks.html"))["sources"]) == 2


@pytest.mark.parametrize("name", ["page.png", "page", "page.html.txt", "."])
def test_a_page_is_an_html_file(run: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"`out` must name an \.html file"):
        write_gallery([run], tmp_path / name)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r'did you mean "cifar10-cppn"'):
        write_gallery([tmp_path / "cifar10-cpnn"])
    with pytest.raises(RunError, match="holds neither a run"):
        write_gallery([tmp_path])
    (tmp_path / "inside").mkdir()
    with pytest.raises(RunError, match="holds neither a run"):
        write_gallery([tmp_path])


def test_a_run_without_elites_is_refused(run: Path) -> None:
    (run / "elites.jsonl").unlink()
    with pytest.raises(RunError, match="no elites yet"):
        write_gallery([run])


@pytest.mark.parametrize(
    ("key", "value"),
    [("top5", None), ("top5", [["a"]]), ("score", "high"), ("niche", None), ("generation", "x"), ("evaluation", [])],
)
def test_damaged_elites_are_refused(run: Path, key: str, value: Any) -> None:
    lines = json_lines(run / "elites.jsonl")
    lines[3][key] = value
    write_elites(run, lines)
    with pytest.raises(RunError, match="damaged"):
        write_run_page(run)


@pytest.mark.parametrize(
    ("name", "value"),
    [("settings", None), ("settings", {}), ("settings.colour", "cmyk"), ("settings.coordinates", ["unit"])],
)
def test_settings_that_nothing_can_be_drawn_with_are_refused(run: Path, name: str, value: Any) -> None:
    edit_config(run, {f"options.{name}": value})
    with pytest.raises(RunError, match=r"config\.json is damaged|another run"):
        write_run_page(run)


def test_a_missing_picture_is_refused(run: Path) -> None:
    (run / json_lines(run / "elites.jsonl")[3]["file"]).unlink()
    with pytest.raises(RunError, match=r"cannot read .*003_3.*evofool resume .* writes it anew"):
        write_run_page(run)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"encoding": "cppn", "format": 2}', b"\xff\xfe"])
def test_a_damaged_genome_is_refused(run: Path, content: bytes, tmp_path: Path) -> None:
    file = run / json_lines(run / "elites.jsonl")[3]["genome"]
    file.write_bytes(content)
    with pytest.raises(GenomeError, match=re.escape(str(file))):
        write_run_page(run)
    with pytest.raises(GenomeError, match=re.escape(str(file))):
        write_gallery([file], tmp_path / "page.html")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive"])
def test_a_damaged_history_is_refused(run: Path, content: bytes) -> None:
    for file in (run / "history").glob("*.npz"):
        file.write_bytes(content)
    with pytest.raises(RunError, match=r"history.*damaged"):
        write_run_page(run)


def test_genomes_of_several_shapes_are_not_on_one_page(tmp_path: Path) -> None:
    for bank in ("cifar10-cppn", "mnist-cppn"):
        folder = Path(__file__).resolve().parents[2] / "genomes" / bank
        shutil.copy(sorted(folder.glob("*.json"))[0], tmp_path / f"{bank}.json")
    with pytest.raises(GenomeError, match="pages of their own"):
        write_gallery([tmp_path], tmp_path / "page.html")


def test_a_campaign_without_success_has_nothing_to_show(tmp_path: Path) -> None:
    result = small_attack(tmp_path / "campaign", queries=1, count=2)
    if result.statistics.successes:
        pytest.skip("it was won with the first query")
    with pytest.raises(RunError, match="no success to show"):
        write_gallery([tmp_path / "campaign"])


def test_what_people_wrote_is_escaped(run: Path) -> None:
    bad = '</script></title><img src=x onerror="alert(1)"> & <!--'
    lines = json_lines(run / "elites.jsonl")
    for line in lines:
        line["class"] = bad
        line["top5"] = [[bad, 0.5]]
    scripts = write_gallery([run]).read_text(encoding="utf-8").count("<script")
    write_elites(run, lines)
    html = write_gallery([run], title=bad).read_text(encoding="utf-8")
    assert html.count("<img") == 10
    assert html.count("</script") == html.count("<script") == scripts
    assert html.count("</title") == 1
    assert "<!--" not in html
    assert data_of(run / "index.html")["tiles"][0]["n"] == bad


def test_json_inside_of_a_script() -> None:
    value = {"a": "</script><!--", "b": [1, None, True]}
    assert "<" not in script_json(value)
    assert json.loads(script_json(value)) == value
    with pytest.raises(ValueError, match=r"not JSON compliant|Out of range"):
        script_json(float("nan"))


def test_few_pictures_are_in_the_page(run: Path) -> None:
    html = write_run_page(run).read_text(encoding="utf-8")
    assert html.count('src="data:image/png;base64,') == 10
    assert not (run / "index-files").exists()
    for line in json_lines(run / "elites.jsonl"):
        assert data_uri((run / line["file"]).read_bytes()) in html
    assert "http" not in re.sub(r"http://www\.w3\.org/2000/svg|http-equiv", "", html)


def make_heavy(run: Path) -> None:
    """Give a run a picture that is too large for a page in one file; what follows a PNG's end is not shown."""
    lines = json_lines(run / "elites.jsonl")
    file = run / lines[0]["file"]
    file.write_bytes(file.read_bytes() + bytes(MAX_EMBEDDED_BYTES))
    lines[0]["picture_crc32"] = file_crc32(file)
    write_elites(run, lines)


def test_many_tiles_lie_beside_the_page(run: Path, tmp_path: Path) -> None:
    genome = run / json_lines(run / "elites.jsonl")[0]["genome"]
    for count in (MAX_EMBEDDED_TILES, MAX_EMBEDDED_TILES + 1):
        (tmp_path / str(count)).mkdir()
        for number in range(count):
            shutil.copy(genome, tmp_path / str(count) / f"{number}.json")
        write_gallery([tmp_path / str(count)], tmp_path / f"{count}.html")
        files = tmp_path / f"{count}-files"
        assert files.exists() == (count > MAX_EMBEDDED_TILES)
    assert len(list(files.iterdir())) == 2 * count


def test_large_pictures_lie_beside_the_page(run: Path, tmp_path: Path) -> None:
    embedded = data_of(write_run_page(run))
    make_heavy(run)
    html = write_run_page(run).read_text(encoding="utf-8")
    assert sorted(re.findall(r'<img src="([^"]+)"', html)) == sorted(
        line["file"] for line in json_lines(run / "elites.jsonl")
    )
    assert sorted(file.name for file in (run / "index-files").iterdir()) == [f"{n:05d}.js" for n in range(10)]
    beside = data_of(run / "index.html")
    for number, (here, there) in enumerate(zip(embedded["tiles"], beside["tiles"], strict=True)):
        script = (run / there["details"]).read_text(encoding="utf-8")
        found = re.fullmatch(r"evofoolDetails\((\d+),(.*)\)\n", script)
        assert found is not None
        assert int(found[1]) == number
        assert json.loads(found[2])["genome"] == here["genome"]
    elsewhere = write_gallery([run], tmp_path / "there" / "my page.html")
    html = elsewhere.read_text(encoding="utf-8")
    assert sorted(re.findall(r'<img src="([^"]+)"', html)) == [f"my%20page-files/{n:05d}.png" for n in range(10)]
    for number, line in enumerate(json_lines(run / "elites.jsonl")):
        copy = tmp_path / "there" / "my page-files" / f"{number:05d}.png"
        assert copy.read_bytes() == (run / line["file"]).read_bytes()


def test_live_pages_tell_when_they_were_written(run: Path) -> None:
    live = data_of(write_run_page(run, every=3))["live"]
    assert live["every"] == 3
    assert live["written"] > 1.7e9
    assert data_of(write_run_page(run))["live"] is None
    assert 'class="live"' not in (run / "index.html").read_text(encoding="utf-8")


def test_names_that_are_no_text_are_written_out(run: Path) -> None:
    other = run.with_name("run-\udcff")
    try:
        run.rename(other)
    except (OSError, UnicodeError):
        pytest.skip("the file system has no such names")
    assert "\\udcff" in write_gallery([other], title="a \ud800 b").read_text(encoding="utf-8")


WITHOUT_TORCH = """
import runpy, sys
try:
    runpy.run_module("evofool", run_name="__main__")
except SystemExit as end:
    assert not end.code, end.code
sys.exit("torch was imported" if "torch" in sys.modules else 0)
"""
"""Runs a command and fails where that command has imported torch."""


def test_commands_that_read_folders_need_no_torch(run: Path, tmp_path: Path) -> None:
    campaign = tmp_path / "campaign"
    assert small_attack(campaign, pixels=6).statistics.successes
    for words in (["gallery", run], ["gallery", run, "--class", "3"], ["gallery", campaign], ["report", campaign]):
        command = [sys.executable, "-c", WITHOUT_TORCH, *map(str, words)]
        ended = subprocess.run(command, check=False, capture_output=True, text=True)
        assert (ended.returncode, ended.stderr) == (0, ""), words


def test_a_page_that_cannot_be_written_is_told_and_leaves_nothing(run: Path) -> None:
    before = sorted(file.name for file in run.iterdir())
    with file_size_limit(20_000), pytest.raises(RunError, match=r"cannot write to .*File too large"):
        write_run_page(run)
    assert sorted(file.name for file in run.iterdir()) == before


def test_details_that_cannot_be_written_are_told(run: Path) -> None:
    make_heavy(run)
    (run / "index-files").write_text("no folder")
    with pytest.raises(RunError, match=r"cannot write to .*File exists"):
        write_run_page(run)


def test_the_command_writes_and_tells(run: Path, capsys: Capture, tmp_path: Path) -> None:
    ended = run_cli(capsys, "gallery", run, "--out", tmp_path / "page.html", "--title", "Über <all>")
    assert ended.code == 0
    assert "page.html" in ended.out
    assert "<title>Über &lt;all&gt;</title>" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert run_cli(capsys, "gallery", tmp_path / "nothing").code == 2


def test_a_page_of_a_campaign(tmp_path: Path) -> None:
    result = small_attack(tmp_path / "campaign", pixels=6)
    assert result.statistics.successes
    data = data_of(write_gallery([tmp_path / "campaign"]))
    assert len(data["tiles"]) == result.statistics.successes
    assert all(tile["before"].startswith("data:image/png;base64,") for tile in data["tiles"])
    assert all(tile["edits"] for tile in data["tiles"])


def test_a_page_of_a_target_of_one_s_own(tmp_path: Path) -> None:
    evofool.evolve(tiny_target(), "direct", generations=2, batch=10, out=tmp_path / "run")
    assert len(data_of(tmp_path / "run" / "index.html")["tiles"]) == 4


@pytest.mark.parametrize("key", ["file", "genome"])
@pytest.mark.parametrize("place", ["../secret.png", "{}/secret.png", "elites/link.png", "elites", "elites/\0"])
def test_a_page_shows_the_run_s_own_files_only(run: Path, key: str, place: str) -> None:
    secret = run.parent / "secret.png"
    secret.write_text("nobody's business")
    (run / "elites" / "link.png").symlink_to(secret)
    lines = json_lines(run / "elites.jsonl")
    lines[3][key] = place.format(run.parent)
    write_elites(run, lines)
    with pytest.raises(RunError, match=r"elites\.jsonl names .* no file of this run"):
        write_run_page(run)


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), []])
def test_a_genome_that_a_script_can_t_hold_is_refused(run: Path, value: Any, tmp_path: Path) -> None:
    genome = json.loads((run / json_lines(run / "elites.jsonl")[3]["genome"]).read_text())
    genome.pop("sha256", None)
    for _ in range(32 if isinstance(value, list) else 0):
        value = [value]
    (tmp_path / "a.json").write_text(json.dumps({**genome, "note": value}))
    with pytest.raises(GenomeError, match=r"a\.json can't be shown"):
        write_gallery([tmp_path / "a.json"], tmp_path / "page.html")


def test_a_genome_of_a_giant_picture_is_not_drawn(run: Path, tmp_path: Path) -> None:
    genome = json.loads((run / json_lines(run / "elites.jsonl")[3]["genome"]).read_text())
    genome.pop("sha256", None)
    (tmp_path / "a.json").write_text(json.dumps({**genome, "image_shape": [1, 8192, 8192]}))
    with pytest.raises(GenomeError, match="8192 × 8192 pixels; a page draws"):
        write_gallery([tmp_path / "a.json"], tmp_path / "page.html")


@pytest.mark.parametrize(("name", "value"), [("score", np.nan), ("score", 2.0), ("genome.weight", np.nan)])
def test_a_history_that_lies_is_refused(run: Path, name: str, value: float) -> None:
    for file in (run / "history").glob("*.npz"):
        arrays = read_arrays(file)
        arrays[name] = np.full_like(arrays[name], value)
        write_arrays(file, arrays)
    with pytest.raises(RunError, match="damaged"):
        write_run_page(run)


def test_a_history_of_children_that_are_their_own_ancestors_is_refused(run: Path) -> None:
    for file in (run / "history").glob("*.npz"):
        arrays = read_arrays(file)
        write_arrays(file, arrays | {"parent": arrays["evaluation_id"]})
    with pytest.raises(RunError, match="not newer than its parent"):
        write_run_page(run)
