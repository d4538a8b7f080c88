"""What is installed is what is here: a wheel with one importable name, which works without the checkout."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from laddertop.journal.events import EventReader

pytest.importorskip("hatchling", reason="needs what `make install` brings")

ROOT = Path(__file__).parents[1]
ELSEWHERE = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "LADDERTOP_RUNS")}


def build(source: Path, target: str, into: Path) -> Path:
    """Builds the wheel or the sdist of a folder, without the network."""
    words = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)]
    done = subprocess.run(words, cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (built,) = into.iterdir()
    return built


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as file:
        return {name: file.read(name) for name in file.namelist()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment into which the wheel alone was installed; what it depends on is found where it is now, but not
    the checkout that is installed there."""
    folder = tmp_path_factory.mktemp("environment") / "with a blank"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    words = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*words, str(wheel)], check=True, env=ELSEWHERE)
    packages(folder).joinpath("others.pth").write_text(sysconfig.get_path("purelib"))
    return folder


def packages(environment: Path) -> Path:
    (folder,) = environment.glob("lib/python3*/site-packages")
    return folder


def test_the_wheel_holds_one_importable_name_and_no_link(wheel: Path, environment: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        assert not any(stat.S_ISLNK(entry.external_attr >> 16) for entry in file.infolist())
    installed = {path.name for path in packages(environment).iterdir()} - {"others.pth"}
    assert {name for name in installed if not name.endswith(".dist-info")} == {"laddertop"}
    assert not any(path.is_symlink() for path in packages(environment).rglob("*"))
    held = {name.removeprefix("laddertop/") for name in contents(wheel) if name.startswith("laddertop/")}
    ours = {
        path.relative_to(ROOT).as_posix()
        for folder in ("tui", "engine", "journal")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix in (".py", ".toml", ".json", ".html", ".js")
    }
    assert held == ours | {path.name for path in (ROOT / "laddertop").iterdir() if path.is_file()}


def test_the_sdist_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(build(ROOT, "sdist", tmp_path / "sdist")) as file:
        assert not any(entry.issym() or entry.islnk() for entry in file.getmembers())
        file.extractall(tmp_path, filter="data")
    (source,) = tmp_path.glob("laddertop-*")
    assert contents(build(source, "wheel", tmp_path / "again")) == contents(wheel)


def test_what_was_installed_works_without_the_checkout(environment: Path, tmp_path: Path) -> None:
    def laddertop(*words: str) -> str:
        command = [str(environment / "bin" / "laddertop"), *words]
        done = subprocess.run(command, cwd=tmp_path, env=ELSEWHERE, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = [str(environment / "bin" / "python"), "-c", "import sys, laddertop; print(laddertop.__file__, sys.path)"]
    found = subprocess.run(where, cwd=tmp_path, env=ELSEWHERE, capture_output=True, text=True, check=True).stdout
    assert found.startswith(str(packages(environment)))
    assert f"'{ROOT}'" not in found
    assert laddertop("--help").startswith("Usage: laddertop")
    assert "ladder-mnist-100" in laddertop("recipes")
    words = ["--steps=10", "--device=cpu", "--set=compile=off", "--set=threads=1", "--name=ten"]
    assert laddertop("train", "ladder-digits", *words).startswith("ten: finished at step 10 of 10")
    last = EventReader(tmp_path / "checkpoints" / "ten" / "events.jsonl").read_all()[-1]
    assert (last.type, last.step) == ("run_ended", 10)


def test_the_version_to_cite_and_what_is_checked_elsewhere_are_those_of_the_package() -> None:
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"\nversion: {package['version']}\n" in (ROOT / "CITATION.cff").read_text()
    workflow = (ROOT / ".github" / "workflows" / "check.yml").read_text()
    (pythons,) = re.findall(r"python: \[(.*)\]", workflow)
    assert pythons.split(", ")[0] == f'"{package["requires-python"].removeprefix(">=")}"'
    targets = set(re.findall(r"run: make (\w+)", workflow))
    assert targets <= set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
