"""What is delivered: the package and its own data, and nothing that runs when it is installed."""

from __future__ import annotations

import email
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

ALLOWED = {
    "evofool": {".py", ".js", ".css", ".html", ".typed", ".safetensors", ".json", ".jsonl", ".md", ".txt"},
    "dist-info": {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"},
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Build the wheel from a copy of the sources, with the build backend that pyproject names."""
    pytest.importorskip("hatchling")
    copy = tmp_path_factory.mktemp("sources") / "evofool"
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("no git checkout to build from")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel"], cwd=copy, check=True)
    (file,) = (copy / "dist").glob("*.whl")
    return zipfile.ZipFile(file)


def test_only_the_package_and_its_data_are_in_it(wheel: zipfile.ZipFile) -> None:
    for info in wheel.infolist():
        top, _, rest = info.filename.partition("/")
        assert ".." not in info.filename
        assert not info.external_attr >> 16 & 0o111, f"{info.filename} is executable"
        if top == "evofool":
            assert Path(rest).suffix in ALLOWED["evofool"], info.filename
        else:
            assert re.fullmatch(r"evofool-[0-9.]+\.dist-info", top), info.filename
            assert rest in ALLOWED["dist-info"], info.filename
    assert sum(info.compress_size for info in wheel.infolist()) < 5_000_000


def test_nothing_runs_when_it_is_installed_or_python_starts(wheel: zipfile.ZipFile) -> None:
    assert not [name for name in wheel.namelist() if name.endswith((".pth", "setup.py", "sitecustomize.py", ".so"))]
    (entry,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert wheel.read(entry).decode().split() == ["[console_scripts]", "evofool", "=", "evofool.cli.app:main"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["build-system"] == {"requires": ["hatchling"], "build-backend": "hatchling.build"}
    assert not project["tool"]["hatch"]["build"].get("hooks")


def test_every_source_and_every_page_s_part_is_in_it(wheel: zipfile.ZipFile) -> None:
    inside = set(wheel.namelist())
    for file in (ROOT / "evofool").rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            assert str(file.relative_to(ROOT)) in inside
    for file in (ROOT / "genomes").rglob("*.json"):
        assert f"evofool/{file.relative_to(ROOT)}" in inside


def test_it_requires_what_it_is_said_to_require(wheel: zipfile.ZipFile) -> None:
    (metadata,) = (name for name in wheel.namelist() if name.endswith("METADATA"))
    needed = list(email.message_from_bytes(wheel.read(metadata)).get_all("Requires-Dist", []))
    required = {re.split(r"[<>=;\[ ]", line)[0] for line in needed if "extra ==" not in line}
    assert required == {
        "torch", "torchvision", "deap", "numpy", "pillow", "typer", "rich", "safetensors", "scikit-learn", "numba",
        "msgspec", "jinja2", "tenacity", "scipy",
    }  # fmt: skip
    assert not any("://" in line for line in needed), "a dependency from somewhere else than the registry"
