# Links, paths and what is no file


PATHS = {
    "above": "../beside/secret.txt",
    "far above": "../../../../../../../../etc/passwd",
    "absolute": "/etc/passwd",
    "a device": "/dev/zero",
    "through a folder": "elites/../../beside/secret.txt",
    "a link": "elites/link.png",
    "a link of links": "elites/second.png",
    "a linked folder": "elsewhere/secret.txt",
    "a folder": "elites",
    "a pipe": "elites/pipe.png",
    "nothing": "",
    "nul": "elites/\0.png",
    "no character": "elites/\ud800.png",
    "long": "elites/" + "x" * 5000,
    "looped": "elites/loop.png",
}


@pytest.fixture
def box(boxes: dict[str, Sandbox], tmp_path: Path) -> Sandbox:
    """A run with links and pipes in it."""
    import os

    fresh = Sandbox(tmp_path / "box")
    run = shutil.copytree(boxes["cppn"].inside, fresh.inside)
    (run / "elites" / "link.png").symlink_to(fresh.secret)
    (run / "elites" / "second.png").symlink_to(run / "elites" / "link.png")
    (run / "elites" / "loop.png").symlink_to(run / "elites" / "loop.png")
    (run / "elsewhere").symlink_to(fresh.beside)
    os.mkfifo(run / "elites" / "pipe.png")
    return fresh


def name_elsewhere(run: Path, key: str, place: str) -> None:
    lines = json_lines(run / "elites.jsonl")
    lines[1][key] = place
    (run / "elites.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize("key", ["file", "genome"])
@pytest.mark.parametrize("place", PATHS.values(), ids=PATHS)
def test_a_page_shows_no_file_of_elsewhere(key: str, place: str, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    name_elsewhere(box.inside, key, place)
    for beside in (False, True):
        monkeypatch.setattr("evofool.gallery.pages.storage.MAX_EMBEDDED_TILES", 0 if beside else 400)
        told = tried("paths out of a run", lambda: use("show", box.inside), seconds=10)
        assert told is not None
        assert "elites.jsonl" in told or "cannot read" in told
        assert Sandbox.SECRET not in told
    assert not (box.inside / "index.html").exists()
    box.assert_untouched()


def test_a_run_reached_through_a_link_is_shown(boxes: dict[str, Sandbox], tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(boxes["cppn"].inside)
    assert tried("paths out of a run", lambda: write_run_page(tmp_path / "link")) is None




@pytest.mark.parametrize("kind", ["a chain", "a circle", "its own child", "a crowd"])
def test_a_history_of_many_changes_is_shown_in_time_or_refused(
    kind: str, boxes: dict[str, Sandbox], tmp_path: Path
) -> None:
    """A child may descend from many others; of those that descend from themselves there is no first ancestor."""
    run = shutil.copytree(boxes["direct"].inside, tmp_path / "run")
    n, elite = 200_000 if LONG else 20_000, json_lines(run / "elites.jsonl")[0]["evaluation"]
    file = sorted((run / "history").glob("*.npz"))[0]
    identity, rows = read_arrays(file, ("format", "job")), np.arange(n)
    evaluation_id, parent = {
        "a chain": (rows, rows - 1),
        "a circle": (rows, (rows + 1) % n),
        "its own child": (np.full(n, elite), np.full(n, elite)),
        "a crowd": (np.full(n, elite), np.full(n, -1)),
    }[kind]
    changes = {
        "generation": np.full(n, 2, np.int32), "niche": rows.astype(np.int32), "evaluation_id": evaluation_id, "parent": parent,
        "score": np.full(n, 0.5, np.float32), "genome_id": np.empty(0, np.int64),
    }  # fmt: skip
    write_arrays(file, changes | identity, compress=True)
    told = tried("history", lambda: use("show", run), seconds=20)
    assert (told is not None) == (kind in ("a circle", "its own child"))
