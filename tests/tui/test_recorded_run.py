"""Every screen, over the folder of a real training: it shows what that run's journal says. See tests/recorded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from laddertop.journal.places import recipes
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.screens.new import NewRunScreen
from laddertop.tui.dashboard.screens.replay import ReplayScreen
from laddertop.tui.draw.numbers import rate
from tests.tui.conftest import Until
from tests.tui.picture import screen_text

RECORDED = Path(__file__).parents[1] / "recorded" / "vae-digits"
SIZE = (120, 40)


class Journal:
    """What the run's files say, read without laddertop."""

    def __init__(self, path: Path) -> None:
        self.events: list[dict[str, Any]] = [json.loads(line) for line in (path / "events.jsonl").open()]
        columns = [column["name"] for column in json.loads((path / "metrics.json").read_text())]
        record = [("step", "<i8"), ("time", "<f8"), *((name, "<f4") for name in columns)]
        self.steps = np.fromfile(path / "metrics-0001.bin", np.dtype(record))

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of a kind, oldest first."""
        return [event for event in self.events if event["type"] == kind]

    def bound(self, until_step: int = 10**9) -> str:
        """The newest evaluation up to a step, as it is told."""
        newest = [event for event in self.of("evaluated") if event["step"] <= until_step][-1]
        return f"−ELBO {newest['values']['negative_elbo']['value']:.3g}"


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder with two copies of the run."""
    for name in ("again", "vae-digits"):
        shutil.copytree(RECORDED, tmp_path / "runs" / name)
    return tmp_path / "runs"


def shown(app: LaddertopApp, *words: str) -> bool:
    """Whether all of these stand on the screen, however many blanks are between the words."""
    text = " ".join(screen_text(app).split())
    return all(word in text for word in words)


def test_the_recording_names_no_machine_and_is_small() -> None:
    journal, spec = Journal(RECORDED), json.loads((RECORDED / "spec.json").read_text())
    assert journal.of("run_started")[0]["host"] == "box"
    assert {event["by"] for event in journal.of("commanded")} == {"ann@box (command line)"}
    assert spec["data"]["root"] is None
    files = [file for file in RECORDED.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 300_000
    for file in files:
        assert not any(folder in file.read_bytes() for folder in (b"/home/", b"/root/", b"/tmp/", b"/Users/"))


async def test_the_run_its_charts_and_its_list_show_what_was_recorded(runs: Path, until: Until) -> None:
    journal = Journal(RECORDED)
    last = journal.steps[-1]
    app = LaddertopApp(runs)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: screen_text(app).count("✓ finished") == 2, "the list")
        assert shown(app, "vae-digits vae-mnist ✓ finished ━━━━━━ 100 %", journal.bound(), "again")
        await pilot.press("enter")
        await until(pilot, lambda: shown(app, "step 1 000 / 1 000", "terms"), "the run")
        await pilot.press("z", "z")  # no smoothing: the terms are those of the last step
        await until(pilot, lambda: shown(app, "raw, not smoothed"), "the raw values")
        assert last["step"] == journal.of("run_ended")[0]["step"] == 1000
        for label, raw in {"reconstruction": last["reconstruction"], "KL q(z|x) ‖ p(z)": last["kl"]}.items():
            share = round(float(100 * raw / last["total"]))
            assert shown(app, f"{label} {raw:.3g} × {last['beta']:.3g} = {raw:.3g} {share} %"), label
        assert shown(app, f"total {last['total']:.3g}", f"test {journal.bound()} at 1 000")
        saved = journal.of("checkpointed")[-1]
        assert shown(app, "▼β 2", "▼β 1, noise on", "noise ● on", "β 1", f"saved {saved['file']}")
        await pilot.press("m")
        await until(pilot, lambda: not shown(app, "─ terms ─"), "one chart alone")
        assert shown(app, "[total cost]")
        assert not shown(app, "reconstruction and KL")
        await pilot.press("m", "i")
        await until(pilot, lambda: shown(app, "β 1, noise on"), "the interventions")
        for event in journal.of("commanded"):
            if event["action"] == "set":
                assert shown(app, f"step {event['step']}")


async def test_the_screens_that_look_into_the_model_answer_from_its_checkpoint(runs: Path, until: Until) -> None:
    journal = Journal(RECORDED)
    saved, samplings = journal.of("checkpointed")[-1], journal.of("sampled")
    answered = f"answer of step 1 000, {saved['file']}"
    kl = journal.of("evaluated")[-1]["values"]["kl_q_p"]["per_unit"]
    app = LaddertopApp(runs, runs / "vae-digits")
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: shown(app, "step 1 000 / 1 000"), "the run")
        await pilot.press("2")
        await until(pilot, lambda: shown(app, answered), "the layers")
        await until(pilot, lambda: shown(app, "layer 1 principal axes"), "the map")
        active = round(journal.of("evaluated")[-1]["values"]["active_units"]["value"])
        assert shown(app, "360 test items", f"{active}/{len(kl)}", "layer 1 activations")
        await pilot.press("3")
        await until(pilot, lambda: shown(app, "codes of 360 items", "traversal of unit"), "the latent space")
        await until(pilot, lambda: shown(app, "interpolation from A, item 0"), "the interpolation")
        await pilot.press("4")
        await until(pilot, lambda: shown(app, "error, root mean square", answered), "a denoised item")
        await pilot.press("5")
        await until(
            pilot, lambda: shown(app, f"samples {len(samplings)} of {len(samplings)}", "at step 1 000"), "samples"
        )
        await pilot.press("left")
        earlier = samplings[-2]["step"]
        await until(
            pilot, lambda: shown(app, f"samples {len(samplings) - 1} of", f"at step {earlier}"), "earlier samples"
        )
        assert shown(app, *("input", "corrupt.", "reconst.", "error", "prior"))
    assert sorted(Path(runs / "vae-digits" / "explore").iterdir()) == []


async def test_a_replay_shows_every_moment_as_it_was(runs: Path, until: Until) -> None:
    journal = Journal(RECORDED)
    app = LaddertopApp(runs, runs / "vae-digits", replay=True)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("space", "9")
        screen = app.screen
        assert isinstance(screen, ReplayScreen)
        await until(pilot, lambda: shown(app, "‖ replay"), "it stands")
        began, ended = journal.events[0]["time"], journal.events[-1]["time"]
        moment = began + 0.9 * (ended - began)
        step = int(journal.steps["step"][journal.steps["time"] <= moment][-1])
        await until(pilot, lambda: screen.view.step > 0, "the moment")
        assert abs(screen.view.step - step) <= 1
        newest = [event for event in journal.of("evaluated") if event["time"] <= moment][-1]
        assert shown(app, f"{journal.bound(newest['step'])} at {newest['step']}")
        await pilot.press("0")
        await until(pilot, lambda: shown(app, "noise ○ off") and not shown(app, "▼β 2"), "the beginning")


async def test_two_copies_compare_as_equal_and_the_form_knows_how_long_the_run_took(
    runs: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, spec = Journal(RECORDED), json.loads((RECORDED / "spec.json").read_text())
    monkeypatch.setattr("socket.gethostname", lambda: journal.of("run_started")[0]["host"])
    app = LaddertopApp(runs)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: screen_text(app).count("✓ finished") == 2, "the list")
        await pilot.press("space", "down", "space", "c")
        await until(pilot, lambda: screen_text(app).count(journal.bound()) == 2, "both evaluations")
        assert shown(app, "2 runs: total cost", "the specs do not differ")
        app.push_screen(NewRunScreen(runs))
        await until(pilot, lambda: shown(app, "✓ ready"), "the form")
        form = app.screen
        assert isinstance(form, NewRunScreen)
        form.query_one("#recipes").highlighted = recipes().index("vae-mnist")  # type: ignore[attr-defined]
        form.query_one("#free").text = "\n".join(  # type: ignore[attr-defined]
            f"{key}={value}"
            for key, value in {
                "data.name": spec["data"]["name"],
                "data.batch": spec["data"]["batch"],
                "model.hidden": spec["model"]["hidden"],
                "model.latent": spec["model"]["latent"],
                "device": spec["device"],
                "steps": 1000,
            }.items()
        )
        per_step = float(np.median(np.diff(journal.steps["time"])))
        await until(pilot, lambda: shown(app, f"for 1 000 steps at {rate(1 / per_step)}, as"), "what it took")
        assert shown(app, " took here;", f"{journal.of('checkpointed')[-1]['bytes'] / 1e3:.1f} kB a checkpoint")
