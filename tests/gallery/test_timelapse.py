"""Time-lapses: the elites as they stood, at the right moments, in files that Pillow reads."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from configs import edit_config
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, features
from prints import record_texts, write_elites
from runs import SLOWLY, json_lines, small_evolve

from evofool.errors import ConfigError, RunError
from evofool.gallery.prints import timelapse
from evofool.gallery.prints.film import Film, spaced_generations
from evofool.gallery.prints.timelapse import shown_elites, write_timelapse
from evofool.store.history import HistoryFolder
from evofool.store.history.columns import COLUMNS
from evofool.store.run import RunFolder

WEBP = pytest.mark.skipif(not features.check("webp"), reason="this Pillow has no WebP")


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "direct"
    small_evolve(run, generations=12, gallery=False, **SLOWLY["direct"])
    return run


@pytest.fixture(scope="module")
def cppn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "cppn"
    small_evolve(run, encoding="cppn", generations=12, classes="3,8", gallery=False)
    return run


def film_of(run: Path, size: int = 32, frames: int = 60) -> Film:
    folder = RunFolder.open(run)
    elites = folder.elites()
    return Film(folder, folder.history.changes(), elites, total=len(elites), size=size, frames=frames)


def picture(film: Film, frame: int, position: int) -> np.ndarray:
    """Return the picture (H, W, 3) in a position of a frame."""
    film.seek(frame)
    (x, y), (high, wide) = film.corners[position], film.pictures.size
    left = x + (film.cell_width - wide) // 2
    return np.asarray(film)[y : y + high, left : left + wide]


@given(st.integers(1, 50), st.integers(0, 3000), st.integers(2, 600))
def test_generations_are_distinct_and_go_from_first_to_last(first: int, more: int, count: int) -> None:
    generations = spaced_generations(first, first + more, count)
    assert generations[0] == first
    assert generations[-1] == first + more
    assert (np.diff(generations) > 0).all()
    assert len(generations) == min(count, more + 1)


def test_generations_are_denser_at_first() -> None:
    assert spaced_generations(1, 1000, 10).tolist() == [1, 2, 5, 10, 22, 46, 100, 215, 464, 1000]


@pytest.mark.parametrize("suffix", ["gif", pytest.param("webp", marks=WEBP)])
@pytest.mark.parametrize("frames", [2, 5, 60])
def test_a_file_has_its_frames_and_loops(direct: Path, suffix: str, frames: int, tmp_path: Path) -> None:
    out = tmp_path / f"a.{suffix}"
    count = write_timelapse(direct, out, size=24, frames=frames, seconds=1.0).frames
    assert count == min(frames, 12)
    with Image.open(out) as image:
        assert image.n_frames == count  # type: ignore[attr-defined]
        assert image.info["loop"] == 0
        durations = []
        for frame in range(count):
            image.seek(frame)
            image.load()
            durations.append(image.info["duration"])
    assert durations[-1] == 2000
    assert durations[0] == pytest.approx(1000 / count, abs=10)


@pytest.mark.parametrize("suffix", ["gif", pytest.param("webp", marks=WEBP)])
def test_frames_in_the_file_look_like_the_film(direct: Path, suffix: str, tmp_path: Path) -> None:
    out, film = tmp_path / f"a.{suffix}", film_of(direct)
    write_timelapse(direct, out, size=32)
    with Image.open(out) as image:
        for frame in (0, 5, 11):
            film.seek(frame)
            image.seek(frame)
            off = np.asarray(image.convert("RGB")).astype(float) - np.asarray(film)
            assert np.abs(off).mean() < 4


def test_the_last_frame_shows_the_elites_exactly(direct: Path, cppn: Path) -> None:
    film = film_of(direct)
    for position, line in enumerate(film.elites):
        with Image.open(direct / line["file"]) as image:
            expected = np.asarray(image.convert("RGB").resize((32, 32), Image.Resampling.NEAREST))
        np.testing.assert_array_equal(picture(film, film.n_frames - 1, position), expected)
    film = film_of(cppn, size=8)
    for position, line in enumerate(film.elites):
        with Image.open(cppn / line["file"]) as image:
            expected = np.asarray(image.convert("RGB"))
        np.testing.assert_array_equal(picture(film, film.n_frames - 1, position), expected)


def test_every_frame_shows_the_elites_of_its_moment(direct: Path) -> None:
    film, changes = film_of(direct), RunFolder.open(direct).history.changes()
    genes = {
        child: arrays["genes"][row]
        for evaluation_ids, arrays in RunFolder.open(direct).history.genomes(set(changes.evaluation_id.tolist()))
        for row, child in enumerate(evaluation_ids.tolist())
    }
    for frame, generation in enumerate(film.generations.tolist()):
        for position, (rows, _) in enumerate(film.rows):
            niche = film.elites[position]["niche"]
            last = [row for row in changes.of(niche) if changes.generation[row] <= generation][-1]
            assert rows[frame] == last
            expected = np.kron(genes[int(changes.evaluation_id[last])][0], np.ones((4, 4), np.uint8))
            np.testing.assert_array_equal(picture(film, frame, position)[:, :, 0], expected)


def test_a_genome_that_is_gone_is_replaced_by_an_earlier_one(direct: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes, whole = RunFolder.open(direct).history.changes(), film_of(direct)
    of_niche = changes.of(0)
    assert len(of_niche) >= 3
    gone = int(changes.evaluation_id[of_niche[-1]])
    kept = RunFolder.open(direct).history.genome_ids()
    monkeypatch.setattr(HistoryFolder, "genome_ids", lambda _: kept[kept != gone])
    film, last = film_of(direct), whole.n_frames - 1
    rows, shown = film.rows[0]
    assert rows[last] == of_niche[-1]
    assert shown[last] == of_niche[-2]
    before = int(np.flatnonzero(rows == of_niche[-2])[0])
    np.testing.assert_array_equal(picture(film, last, 0), picture(whole, before, 0))


def test_the_target_and_the_evaluations_are_named(direct: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = record_texts(monkeypatch)
    film = film_of(direct)
    film.seek(film.n_frames - 1)
    words = [text for text, _ in texts]
    assert words[0] == "What digits is sure about"
    progress = [word for word in words if word.startswith("generation")]
    assert progress == ["generation 1 · 20 evaluations", f"generation 12 · {12 * 20} evaluations"]


@pytest.mark.parametrize(
    ("classes", "indices"), [(None, [*range(10)]), ("3", [3]), ("8, 3,8", [3, 8]), ("0,9", [0, 9])]
)
def test_classes_are_names_or_indices(direct: Path, classes: str | None, indices: list[int]) -> None:
    elites = RunFolder.open(direct).elites()
    assert [line["index"] for line in shown_elites(elites, classes)] == indices


def test_of_many_classes_the_surest_are_shown() -> None:
    elites = [{"index": i, "class": f"class {i}", "score": (i * 37 % 100) / 100} for i in range(100)]
    shown = shown_elites(elites, None)
    assert len(shown) == 20
    assert min(line["score"] for line in shown) == 0.8
    assert [line["index"] for line in shown] == sorted(line["index"] for line in shown)
    assert [line["index"] for line in shown_elites(elites, "class 7,55")] == [7, 55]


@pytest.mark.parametrize(
    ("classes", "message"),
    [("5", "class 5 is not there: indices are 3, 8"), ("cat", 'no class is called "cat"'), (" , ", "names no")],
)
def test_other_classes_are_refused(cppn: Path, classes: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        write_timelapse(cppn, tmp_path / "a.gif", classes=classes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 15}, "`size` must be 16 to 1024, got 15"),
        ({"size": 1025}, "`size` must be 16 to 1024, got 1025"),
        ({"frames": 1}, "`frames` must be 2 to 600, got 1"),
        ({"frames": 601}, "`frames` must be 2 to 600, got 601"),
        ({"seconds": 0.0}, "`seconds` must be 0.1 to 600, got 0"),
        ({"seconds": float("nan")}, "`seconds` must be 0.1 to 600, got nan"),
    ],
)
def test_numbers_out_of_range_are_refused(
    direct: Path, options: dict[str, float], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        write_timelapse(direct, tmp_path / "a.gif", **options)  # type: ignore[arg-type]


def test_too_many_pixels_are_refused(direct: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timelapse, "MAX_PIXELS", 1_000_000)
    with pytest.raises(ConfigError, match=r"12 frames of \d+x\d+ are .* at most 1,000,000 .*lower `size` or `frames`"):
        write_timelapse(direct, tmp_path / "a.gif")


@pytest.mark.parametrize("name", ["a.png", "a", "a.gif.mov"])
def test_another_ending_is_refused(direct: Path, name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"`out` must name a \.gif or \.webp file"):
        write_timelapse(direct, tmp_path / name)


def test_films_are_made_with_ffmpeg(direct: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ffmpeg -i x\.gif x\.mp4"):
        write_timelapse(direct, tmp_path / "x.mp4")


def test_without_webp_a_gif_is_offered(direct: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda _: False)
    with pytest.raises(ConfigError, match=r"can't write WebP; name a \.gif"):
        write_timelapse(direct, tmp_path / "x.webp")


def test_runs_without_a_history_are_refused(direct: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(direct, run)
    shutil.rmtree(run / "history")
    with pytest.raises(RunError, match="has no history"):
        write_timelapse(run, tmp_path / "a.gif")
    with pytest.raises(RunError, match="no run at"):
        write_timelapse(tmp_path, tmp_path / "a.gif")
    assert not (tmp_path / "a.gif").exists()


def assert_refused(run: Path, message: str, out: Path) -> None:
    with pytest.raises(RunError, match=message) as caught:
        write_timelapse(run, out)
    assert "\n" not in str(caught.value)
    assert not out.exists()


def test_lines_that_lie_are_refused(direct: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(direct, run)
    write_elites(run, [line | {"index": "x"} for line in json_lines(run / "elites.jsonl")])
    assert_refused(run, "is damaged", tmp_path / "a.gif")


@pytest.mark.parametrize(
    "changes",
    [{"options.encoding": "x"}, {"options.settings": {"rate": -5.0}}, {"options.settings": {"x": 1}}],
    ids=str,
)
def test_an_encoding_that_cannot_be_is_refused(direct: Path, changes: dict[str, object], tmp_path: Path) -> None:
    """The history is written anew, under the digest of the edited config."""
    run = tmp_path / "run"
    shutil.copytree(direct, run)
    history = RunFolder.open(run).history
    old, kept = history.changes(), history.genome_ids()
    genomes = {"genome.genes": np.zeros((len(kept), 1, 8, 8), np.uint8)}
    shutil.rmtree(run / "history")
    edit_config(run, changes)
    columns = {name: getattr(old, name) for name in COLUMNS}
    RunFolder.open(run).history.add({**columns, "genome_id": kept, **genomes})
    assert_refused(run, r"config\.json is damaged", tmp_path / "a.gif")


@pytest.mark.parametrize("shape", [(8, 8), (2, 8, 8), (0, 8, 8)], ids=str)
def test_direct_genomes_of_another_shape_are_refused(direct: Path, shape: tuple[int, ...], tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(direct, run)
    history = RunFolder.open(run).history
    changes, kept = history.changes(), history.genome_ids()
    shutil.rmtree(run / "history")
    columns = {name: getattr(changes, name) for name in COLUMNS}
    history.add({**columns, "genome_id": kept, "genome.genes": np.zeros((len(kept), *shape), np.uint8)})
    assert_refused(run, "history is damaged .*remove it to go on without it", tmp_path / "a.gif")


def test_a_file_that_cannot_be_written_is_a_run_error(direct: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="choose another `out`"):
        write_timelapse(direct, tmp_path / "no" / "a.gif", size=16, frames=2)
