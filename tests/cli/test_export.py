"""`export`: what other programs read of a run, read by them and compared with what the journal says."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from laddertop import load
from laddertop.journal.events import EventWriter, RunStarted
from laddertop.journal.folder import create_run
from laddertop.journal.metrics import MetricsReader, MetricsWriter
from laddertop.journal.samples import read_samples
from laddertop.journal.spec import load_recipe
from laddertop.journal.state import RunState
from laddertop.tui.export import formats
from laddertop.tui.export.formats import FORMATS
from tests.processes import ROOT, Laddertop
from tests.references import digits

STRANGER = '<img src="//evil/x">&\x1b[31m'
"""Words that somebody else may have put into his run."""


@pytest.fixture(scope="module")
def run(laddertop: Laddertop) -> str:
    """A real run that went back to step 800 and on to 900, with a step whose numbers are none."""
    folder = laddertop.runs / "resumed"
    shutil.copytree(ROOT / "tests" / "recorded" / "vae-digits", folder)
    metrics = MetricsReader(folder)
    metrics.poll()
    records = metrics.records()[0][800:900].copy()
    records["values"][50] = np.nan
    records["values"][51, 0] = np.inf
    start = laddertop.events("resumed")[0]
    assert isinstance(start, RunStarted)
    with EventWriter(folder / "events.jsonl") as events:
        events.append(start.model_copy(update={"segment": 2, "step": 800, "resumed_from": 800, "note": STRANGER}))
    writer = MetricsWriter(folder, 2, len(metrics.columns))
    writer.append(records["step"], records["time"], records["values"])
    writer.finish()
    writer.close()
    return "resumed"


@pytest.fixture(scope="module")
def metrics(laddertop: Laddertop, run: str) -> MetricsReader:
    """Its numbers as the journal has them."""
    reader = MetricsReader(laddertop.runs / run)
    reader.poll()
    return reader


@pytest.fixture(autouse=True)
def _few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are written in several parts."""
    monkeypatch.setattr("laddertop.tui.export.steps.ROWS", 300)


def exported(laddertop: Laddertop, run: str, out: str, *words: str) -> Path:
    """What a run was exported to, as a file of that name."""
    done = laddertop.here("export", run, "--out", out, *words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"wrote {out}: ")
    return laddertop.cwd / out


def same(metrics: MetricsReader, table: dict[str, np.ndarray]) -> None:
    """A table must hold what the run recorded and did not throw away, number for number."""
    assert list(table) == ["step", "time", *(column.name for column in metrics.columns)]
    assert np.array_equal(table["step"], metrics.steps)
    assert table["step"].tolist() == list(range(1, 901))
    assert np.array_equal(table["time"], metrics.times)
    for column in metrics.columns:
        assert np.array_equal(table[column.name], metrics.values(column.name), equal_nan=True)
    assert np.isnan(table["total"][850])
    assert table["total"][851] == np.inf


def test_a_csv_has_every_number_of_every_step(laddertop: Laddertop, run: str, metrics: MetricsReader) -> None:
    with open(exported(laddertop, run, "run.csv"), newline="", encoding="utf-8") as file:
        names, *rows = list(csv.reader(file))
    columns = np.array(rows).T
    same(
        metrics,
        {
            "step": columns[0].astype(int),
            "time": columns[1].astype(float),
            **{name: column.astype(np.float32) for name, column in zip(names[2:], columns[2:], strict=True)},
        },
    )
    assert max(map(len, columns[2:].ravel())) <= 15, "no digits that say nothing"


def test_a_parquet_file_has_them_with_their_units(laddertop: Laddertop, run: str, metrics: MetricsReader) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs laddertop[parquet]")
    table = parquet.read_table(exported(laddertop, run, "run.parquet"))
    same(metrics, {name: column.to_numpy() for name, column in zip(table.column_names, table.columns, strict=True)})
    assert [str(field.type) for field in table.schema] == ["int64", "double", *["float"] * len(metrics.columns)]
    assert table.schema.metadata == {b"run": run.encode(), b"recipe": b"vae-mnist"}
    total = table.schema.field("total").metadata
    assert total == {b"label": metrics.columns[0].label.encode(), b"unit": metrics.columns[0].unit.encode()}
    assert table.column("total").null_count == 0, "what is no number is not the same as what is not there"


def test_tensorboard_reads_every_number_evaluation_and_sample(
    laddertop: Laddertop, run: str, metrics: MetricsReader
) -> None:
    reader = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="needs laddertop[tensorboard]"
    )
    (laddertop.cwd / "logs").mkdir()
    exported(laddertop, run, "logs/run.tfevents")
    found = reader.EventAccumulator(str(laddertop.cwd / "logs"), size_guidance={"scalars": 0, "images": 0}).Reload()
    tags = found.Tags()["scalars"]
    for column in metrics.columns:
        (tag,) = (tag for tag in tags if tag.partition("/")[2] == column.name and not tag.startswith("evaluated/"))
        scalars = found.Scalars(tag)
        assert [scalar.step for scalar in scalars] == metrics.steps.tolist()
        assert [scalar.wall_time for scalar in scalars] == metrics.times.tolist()
        assert np.array_equal([scalar.value for scalar in scalars], metrics.values(column.name), equal_nan=True)
    assert {"cost/total", "cost/kl", "knobs/lr", "training/grad_norm"} <= set(tags)
    state = RunState().apply_all(laddertop.events(run))
    bounds = [(event.step, np.float32(event.values["negative_elbo"].value)) for event in state.evaluations]
    assert [(one.step, one.value) for one in found.Scalars("evaluated/negative_elbo")] == bounds
    (tag,) = found.Tags()["images"]
    assert [image.step for image in found.Images(tag)] == [sampled.step for sampled in state.samplings] == [0, 400, 800]
    last = np.asarray(Image.open(io.BytesIO(found.Images(tag)[-1].encoded_image_string)))
    rows = read_samples(laddertop.runs / run, state.samplings[-1].file)
    assert np.array_equal(last[:56:7, :56:7], rows["input"][0])


def test_weights_are_those_of_the_checkpoint(laddertop: Laddertop) -> None:
    safetensors = pytest.importorskip("safetensors", reason="needs laddertop[safetensors]")
    folder = laddertop.runs / "shared"
    shutil.copytree(ROOT / "tests" / "recorded" / "vae-digits", folder)
    os.chmod(folder, 0o777)
    done = laddertop.here("export", "shared", "--out", "w.safetensors")
    assert done.returncode == 2
    assert "shared is looked at and not driven: others can write to" in done.stderr
    with safetensors.safe_open(exported(laddertop, "shared", "w.safetensors", "--trust"), "pt") as file:
        found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        about = file.metadata()
    (checkpoint,) = folder.glob("step-*.ckpt")
    weights = torch.load(checkpoint, weights_only=True)["model"]
    assert list(found) == sorted(weights)
    assert all(torch.equal(found[name], weights[name]) and found[name].dtype is torch.float32 for name in weights)
    assert (about["run"], about["recipe"], about["step"]) == ("shared", "vae-mnist", "1000")
    assert json.loads(about["spec"])["model"]["latent"] == 4


@pytest.mark.stress
@pytest.mark.parametrize("kind", ["onnx", "pt2"])
def test_a_program_of_the_model_answers_elsewhere_what_the_run_answers_here(laddertop: Laddertop, kind: str) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs what `make install` brings")
    shutil.copytree(ROOT / "tests" / "recorded" / "vae-digits", laddertop.runs / kind)
    rows = digits().data[:50].astype(np.float32) / 16
    mine = load(laddertop.runs / kind)
    right = {"codes": mine.encode(rows), "reconstruction": mine.reconstruct(rows)}
    file = exported(laddertop, kind, f"model.{kind}")
    if kind == "onnx":
        session = onnxruntime.InferenceSession(file)
        about = session.get_modelmeta().custom_metadata_map
        assert [(x.name, x.shape) for x in session.get_inputs()] == [("x", ["rows", 64])]
        names = [one.name for one in session.get_outputs()]
        told = dict(zip(names, session.run(None, {"x": rows}), strict=True))
    else:
        more = {"about.json": ""}
        program = torch.export.load(file, extra_files=more).module()
        about = json.loads(more["about.json"])
        told = {name: answer.detach() for name, answer in program(torch.from_numpy(rows)).items()}
    assert (about["run"], about["step"], json.loads(about["spec"])["model"]["latent"]) == (kind, "1000", 4)
    assert list(told) == list(right)
    for name, answer in told.items():
        np.testing.assert_allclose(answer, right[name], rtol=1e-4, atol=1e-5)


def test_what_is_there_is_overwritten_only_where_that_is_said(laddertop: Laddertop, run: str) -> None:
    (laddertop.cwd / "mine.csv").write_text("mine")
    done = laddertop.here("export", run, "--out", "mine.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is mine.csv already; take it away, name another, or overwrite it with --force" in done.stderr
    assert (laddertop.cwd / "mine.csv").read_text() == "mine"
    assert exported(laddertop, run, "mine.csv", "--force").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("resumed --out x.txt", f"x.txt ends like no format; name one with --to: {', '.join(FORMATS)}"),
        ("resumed --to hdf5 --out x", f"--to: {', '.join(FORMATS)} (you gave 'hdf5')"),
        ("resumed --out nowhere/x.csv", "there is no folder nowhere; make it"),
        ("resumed --to csv --out checkpoints", "checkpoints is a folder; name a file in it"),
        ("resumed --to tensorboard --out x", "TensorBoard reads no file without tfevents in its name"),
        ("resumed --step 800 --out x.csv", "--step: csv is of the whole run and not of a checkpoint"),
        ("unborn --out x.csv", "unborn has not recorded a step yet"),
        ("nosuch --out x.csv", "no run 'nosuch'"),
    ],
)
def test_what_can_not_be_exported_is_said_and_nothing_is_left(
    laddertop: Laddertop, run: str, words: str, complaint: str
) -> None:
    if not (laddertop.runs / "unborn").exists():
        create_run(laddertop.runs, load_recipe("vae-digits"), "unborn")
    before = sorted(laddertop.cwd.rglob("*"))
    done = laddertop.here("export", *words.split())
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert complaint in done.stderr
    assert sorted(laddertop.cwd.rglob("*")) == before


def test_a_format_whose_package_is_not_there_says_how_to_get_it(
    laddertop: Laddertop, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = FORMATS["parquet"]._replace(needs="no_such_package")
    monkeypatch.setitem(formats.FORMATS, "parquet", absent)
    done = laddertop.here("export", run, "--out", "y.parquet")
    assert done.returncode == 2
    assert "parquet needs the package no_such_package, which is not installed: pip install 'laddertop[parquet]'" in (
        done.stderr
    )
    assert not (laddertop.cwd / "y.parquet").exists()


def test_a_damaged_run_is_exported_with_a_warning(laddertop: Laddertop, run: str) -> None:
    folder = laddertop.runs / "flipped"
    shutil.copytree(laddertop.runs / run, folder)
    numbers = bytearray((folder / "metrics-0002.bin").read_bytes())
    numbers[3000] ^= 1
    (folder / "metrics-0002.bin").write_bytes(numbers)
    done = laddertop.here("export", "flipped", "--out", "flipped.csv")
    assert done.returncode == 0
    assert "warning: metrics-0002.bin is damaged: records 1 to" in done.stderr


@pytest.fixture
def full(laddertop: Laddertop) -> Iterator[Path]:
    """A file system that has room for next to nothing."""
    place = laddertop.cwd / "full"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_is_told_and_nothing_is_left_there(laddertop: Laddertop, run: str, full: Path) -> None:
    for name, one in FORMATS.items():
        if one.of_checkpoint or (one.needs and find_spec(one.needs) is None):
            continue
        out = f"full/run{one.ending}"
        done = laddertop.here("export", run, "--out", out)
        assert (done.returncode, done.stdout) == (1, ""), name
        assert done.stderr.startswith(f"laddertop: {out}: "), done.stderr
        assert list(full.iterdir()) == []


def test_every_format_is_described(laddertop: Laddertop) -> None:
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    table = page.partition("## laddertop export")[2].partition("\n## ")[0]
    for name in FORMATS:
        assert f"| `{name}` |" in table
    extras = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for name, one in FORMATS.items():
        assert not one.needs or f'\n{name} = ["{one.needs}' in extras
