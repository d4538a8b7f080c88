"""The report of a run, by `export`: one page that shows what the journal says, and asks nobody for anything."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from laddertop.journal.metrics import MetricsReader
from laddertop.journal.samples import read_samples
from laddertop.tui.draw.numbers import number
from tests import PATIENCE
from tests.browser import CHROMIUM
from tests.processes import ROOT, Laddertop
from tests.tui.played import PlayedEngine

STRANGER = "</svg><script>fetch('//evil')</script><img src=//evil/x onerror=a> \" ' & \x1b]0;title\x07"
"""Words that somebody else may have put into his run."""
AS_TEXT = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in STRANGER)


class Page(HTMLParser):
    """What a browser finds in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def images(self) -> list[Image.Image]:
        data = [value.partition("base64,")[2] for name, value in self.attributes if name == "src"]
        return [Image.open(io.BytesIO(base64.b64decode(one))) for one in data]


@pytest.fixture(scope="module")
def run(laddertop: Laddertop) -> Path:
    """A copy of a real run whose owner put markup wherever he could."""
    folder = laddertop.runs / "strange"
    shutil.copytree(ROOT / "tests" / "recorded" / "vae-digits", folder)
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    for event in events:
        match event["type"]:
            case "run_started":
                event["note"] = event["host"] = event["terms"][0]["label"] = event["terms"][1]["unit"] = STRANGER
            case "commanded":
                event["note"] = event["by"] = STRANGER
            case "evaluated":
                event["values"]["extra"] = {"value": 1.5, "unit": STRANGER, "label": STRANGER}
            case "run_ended":
                event["detail"] = STRANGER
    (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    (folder / "note.txt").write_text(STRANGER)
    return folder


@pytest.fixture(scope="module")
def page(laddertop: Laddertop, run: Path) -> str:
    done = laddertop.here("export", run.name, "--out", "report.html")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "wrote report.html: 10 charts, 2 interventions, 3 evaluations, 4 samplings\n"
    return (laddertop.cwd / "report.html").read_text(encoding="utf-8")


def test_a_report_shows_what_the_journal_says(page: str, run: Path) -> None:
    text = " ".join(Page(page).words)
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    for event in events:
        if event["type"] == "evaluated":
            assert all(number(value["value"]) in text for value in event["values"].values())
    assert "finished at step 1 000 of 1 000" in text
    assert "β 2" in text
    assert "β 1, noise on" in text
    metrics = MetricsReader(run)
    metrics.poll()
    total, deed = metrics.values("total").astype(float), 78
    before, after = (total[at : at + deed].mean() for at in (0, deed))
    assert re.search(rf"{number(before)}±\S+ → {number(after)}±", text), "an intervention before and after"
    assert "model.latent" in text
    assert "collapsed" not in text


def test_a_report_has_the_samples_over_the_training(page: str, run: Path) -> None:
    images = Page(page).images()
    assert len(images) == 4
    rows = read_samples(run, "samples/step-000001000.npz")
    last = np.asarray(images[-1])
    times = 7  # 8 pixels are enlarged to 56
    assert np.array_equal(last[2 * 58 : 2 * 58 + 56 : times, :56:times], rows["reconstruction"][0])


def test_nothing_that_a_stranger_wrote_is_more_than_text_and_no_request_leaves(page: str) -> None:
    found = Page(page)
    assert "script" not in found.tags
    assert not [name for name, _ in found.attributes if name.startswith("on") or name in ("href", "action")]
    assert all(value.startswith("data:image/png;base64,") for name, value in found.attributes if name == "src")
    assert not re.search(r"url\(|@import", page)
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'; img-src data:") in found.attributes
    assert "".join(found.words).count(AS_TEXT) >= 8
    assert "\x1b" not in page


def test_the_charts_alone_are_svg_whose_curves_stand_where_the_numbers_are(laddertop: Laddertop, run: Path) -> None:
    done = laddertop.here("export", run.name, "--out", "charts.svg")
    assert (done.returncode, done.stdout) == (0, "wrote charts.svg: 10 charts\n"), done.stderr
    name = "{http://www.w3.org/2000/svg}"
    root = ElementTree.parse(laddertop.cwd / "charts.svg").getroot()
    assert {element.tag.removeprefix(name) for element in root.iter()} == {
        *("svg", "style", "rect", "text", "g", "path"),
    }
    chart = root.findall(f"{name}g")[0]
    assert chart[0].text == "total cost"
    assert root.findall(f"{name}g")[-1][0].text == "noise", "a knob that was turned and has no chart at first"
    body = chart.find(f"{name}g")
    assert body is not None
    ticks = [
        (float(text.get("y", "")) - 4, float(text.text or ""))
        for text in body.findall(f"{name}text")
        if text.get("text-anchor") == "end" and text.get("x") == "41"
    ]
    (low_y, low), *_, (high_y, high) = ticks
    curve = next(path for path in body.findall(f"{name}path") if path.get("class") == "curve0")
    y = float(curve.get("d", "").removesuffix("h.1").split()[-1])
    shown = low * (high / low) ** ((y - low_y) / (high_y - low_y))
    metrics = MetricsReader(run)
    metrics.poll()
    total = metrics.values("total").astype(float)
    weights = 0.98 ** np.arange(len(total))[::-1]
    assert shown == pytest.approx((weights * total).sum() / weights.sum(), rel=2e-3)


def test_every_curve_of_a_chart_is_drawn_and_named(laddertop: Laddertop) -> None:
    with PlayedEngine.new(laddertop.runs, "ladder-mnist-100", "ladder") as engine:
        engine.train(100)
    done = laddertop.here("export", "ladder", "--out", "ladder.svg")
    assert done.returncode == 0, done.stderr
    name = "{http://www.w3.org/2000/svg}"
    charts = {chart[0].text: chart for chart in ElementTree.parse(laddertop.cwd / "ladder.svg").findall(f"{name}g")}
    chart = charts["denoise.*"]
    labels = [term.label for term in laddertop.events("ladder")[0].terms if term.name.startswith("denoise.")]
    assert len(labels) == 7
    assert [(span.text or "").strip("― ") for span in chart.iter(f"{name}tspan")] == labels
    colours = {path.get("class") for path in chart.iter(f"{name}path")} & {f"curve{i}" for i in range(9)}
    assert len(colours) == 7


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here to open the page with")
def test_a_browser_shows_the_report_light_and_dark_and_as_wide_as_a_telephone(
    laddertop: Laddertop, page: str, tmp_path: Path
) -> None:
    assert page
    seen = {}
    for name, width, scheme in (("light", 1150, 1), ("dark", 500, 0)):
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={tmp_path}/{name}",
        ]
        options += [f"--window-size={width},3000", f"--blink-settings=preferredColorScheme={scheme}"]
        picture = tmp_path / f"{name}.png"
        words = [str(CHROMIUM), *options, f"--screenshot={picture}", (laddertop.cwd / "report.html").as_uri()]
        done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE)
        assert picture.exists(), done.stderr
        seen[name] = np.asarray(Image.open(picture).convert("RGB")).astype(int)
    for name, ground, curve in (("light", (255, 255, 255), (11, 107, 203)), ("dark", (15, 20, 25), (106, 176, 255))):
        image = seen[name]
        assert (image == ground).all(2).mean() > 0.6, name
        assert (image == curve).all(2).sum() > 1000, f"the curves on {name}"
    # Wide tables are scrolled in a box of their own: nothing reaches beyond the margin.
    assert (seen["dark"][:, -8:] == (15, 20, 25)).all()


def test_samples_over_the_training_are_a_picture_and_an_animation(laddertop: Laddertop, run: Path) -> None:
    for name in ("s.png", "s.gif"):
        done = laddertop.here("export", run.name, "--out", name)
        assert (done.returncode, done.stdout) == (0, f"wrote {name}: 4 samplings, steps 0 to 1000\n"), done.stderr
    strip = np.asarray(Image.open(laddertop.cwd / "s.png"))
    film = Image.open(laddertop.cwd / "s.gif")
    assert (film.format, film.n_frames, film.info["loop"]) == ("GIF", 4, 0)
    shown = []
    for at, step in enumerate((0, 400, 800, 1000)):
        film.seek(at)
        shown.append(film.info["duration"])
        rows = read_samples(run, f"samples/step-{step:09d}.npz")
        for whole in (np.asarray(film.convert("L")), strip[at * 248 : (at + 1) * 248]):
            assert whole.shape == (248, 6 * 58 - 2)
            assert whole[:18].any(), "the caption"
            for row, name in enumerate(("input", "corrupted", "reconstruction", "prior")):
                top = 18 + row * 58
                assert np.array_equal(whole[top : top + 56 : 7, 58:114:7], rows[name][1])
    assert shown == [250, 250, 250, 2000]


def test_a_run_whose_samples_are_no_images_says_so(laddertop: Laddertop, run: Path) -> None:
    shutil.copytree(run, laddertop.runs / "unsampled")
    for file in (laddertop.runs / "unsampled" / "samples").iterdir():
        with open(file, "wb") as written:
            np.savez(written, input=np.zeros((2, 8, 8), np.complex64), prior=np.zeros((0, 8, 8), np.uint8))
    done = laddertop.here("export", "unsampled", "--out", "none.html")
    assert done.returncode == 0, done.stderr
    assert "4 of 4 samplings can't be read" in Page((laddertop.cwd / "none.html").read_text(encoding="utf-8")).words
    done = laddertop.here("export", "unsampled", "--out", "none.gif")
    assert done.returncode == 2
    assert "unsampled has no samples that can be shown; while it trains `laddertop refresh unsampled`" in done.stderr
