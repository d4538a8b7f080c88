"""Knobs: what a command may do to them, and what a step then uses."""

from __future__ import annotations

import pytest
import torch

from laddertop.engine.training.controls import Controls
from laddertop.journal.spec import load_recipe, override
from tests.engine.conftest import CPU, Bench
from tests.kinds import small_spec


def effective(controls: Controls, step: int = 0) -> dict[str, float]:
    controls.prepare(step)
    return dict(zip(controls.names, controls.effective.tolist(), strict=True))


def test_noise_off_silences_every_layer_and_on_restores_it():
    controls = Bench(small_spec("ladder")).controls
    controls.set({"noise": "off"})
    assert {v for k, v in effective(controls).items() if k.startswith("noise.std")} == {0.0}
    controls.set({"noise": "on", "noise.std.0": 0.5})
    assert effective(controls)["noise.std.0"] == pytest.approx(0.5)
    assert effective(controls)["noise.std.1"] == pytest.approx(0.3)


def test_a_group_turns_all_its_members():
    controls = Bench(small_spec("ladder")).controls
    changes = controls.set({"noise.std": 0.1})
    assert [c.knob for c in changes] == [f"noise.std.{i}" for i in range(4)]
    assert all(c.old == 0.3 and c.applied == 0.1 for c in changes)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"lrr": 1}, "did you mean lr"),
        ({"lr": 11}, "lr must lie between 0 and 10, not 11"),
        ({"lr": -1}, "between"),
        ({"lr": "fast"}, "lr takes a number, not 'fast'"),
        ({"lr": "nan"}, "lr takes a number"),
        ({"noise": 0.5}, "noise takes on or off"),
        ({"lr": 0.1, "nonsense": 1}, "unknown knob"),
    ],
)
def test_a_refused_command_changes_nothing(changes, says):
    controls = Bench(small_spec("ladder")).controls
    before = dict(controls.state.values)
    with pytest.raises(ValueError, match=says):
        controls.set(changes)
    assert controls.state.values == before


def test_warm_up_rises_linearly_holds_and_starts_again():
    controls = Bench(small_spec("ladder", "warmup.on=on", "warmup.steps=4")).controls
    seen = []
    for step in range(6):
        seen.append(effective(controls, step)["noise.std.0"])
        controls.advance()
    assert seen == pytest.approx([0, 0.075, 0.15, 0.225, 0.3, 0.3])
    controls.set({"warmup": "off"})
    assert effective(controls)["warmup"] == 1
    controls.set({"warmup": "on"})
    assert effective(controls)["noise.std.0"] == 0
    controls.advance()
    controls.set({"warmup.hold": "on"})
    for _ in range(5):
        controls.advance()
    assert effective(controls)["warmup"] == pytest.approx(0.25)


def test_warm_up_waits_first_so_that_training_begins_on_un_noised_images():
    settings = ["warmup.on=on", "warmup.of=noise", "warmup.steps=2", "warmup.after=3"]
    controls = Bench(small_spec("ladder", *settings)).controls
    seen = []
    for step in range(7):
        seen.append(effective(controls, step)["noise.std.1"])
        controls.advance()
    assert seen == pytest.approx([0, 0, 0, 0, 0.15, 0.3, 0.3])
    # Held it does not wait on; started again it waits again, as long as it is then told to.
    controls.set({"warmup": "off"})
    controls.set({"warmup": "on", "warmup.hold": "on", "warmup.after": 1})
    for _ in range(5):
        controls.advance()
    assert (controls.state.waited, controls.state.warmed) == (0, 0)
    controls.set({"warmup.hold": "off"})
    controls.advance()
    controls.advance()
    assert controls.state.warmed == pytest.approx(0.5)
    # A longer wait does not stop a warm-up that rises.
    controls.set({"warmup.after": 100})
    controls.advance()
    assert controls.state.warmed == 1


@pytest.mark.parametrize(
    ("kind", "of", "warmed"),
    [("vae", "kl", "beta"), ("ladder", "denoising", "lambda.0"), ("dae", "noise", "noise.level")],
)
def test_warm_up_multiplies_what_the_spec_names(kind, of, warmed):
    bench = Bench(small_spec(kind, f"warmup.of={of}", "warmup.on=on", "warmup.steps=2", "noise.on=on"))
    bench.controls.advance()
    values = effective(bench.controls)
    assert values[warmed] == pytest.approx(0.5 * bench.controls.state.values[warmed])
    assert values["lr"] == pytest.approx(bench.spec.optimizer.lr)


def test_learning_rate_decays_after_the_published_epochs():
    # 15 epochs: constant through epoch 11, then falling to 0 as 0.8, 0.6, 0.4, 0.2 of it (rounded) in epochs 12 to 15.
    spec = override(load_recipe("ladder-mnist-100"), ["epochs=15"])
    controls = Controls(spec, [], epoch_steps=600, steps=9000, device=CPU)
    rates = [effective(controls, epoch * 600)["lr"] / 0.002 for epoch in range(15)]
    assert rates[:11] == pytest.approx([1.0] * 11)
    assert rates[11:] == pytest.approx([4 / 4.95, 3 / 4.95, 2 / 4.95, 1 / 4.95])
    full = Controls(load_recipe("ladder-mnist-100"), [], epoch_steps=600, steps=90_000, device=CPU)
    assert effective(full, 100 * 600 + 599)["lr"] == pytest.approx(0.002)
    assert effective(full, 101 * 600)["lr"] == pytest.approx(0.002 * (150 - 101) / (150 - 100.5))


def test_a_checkpoint_from_before_a_knob_was_there_leaves_it_as_the_spec_has_it():
    controls = Bench(small_spec("ladder", "warmup.on=on", "warmup.after=7")).controls
    values = {name: value for name, value in controls.state.values.items() if name != "warmup.after"}
    controls.load({"values": {**values, "lr": 0.5, "gone": 1.0}, "warmed": 0.25})
    assert list(controls.state.values) == controls.names
    assert (controls.state.values["lr"], controls.state.values["warmup.after"]) == (0.5, 7)
    assert (controls.state.warmed, controls.state.waited) == (0.25, 0)


def test_the_step_reads_the_knobs_it_is_given_without_being_made_again():
    bench = Bench(small_spec("ladder", "noise.std=1.0"))
    knobs = bench.controls.by_name()
    assert knobs["noise.std.0"].item() == 1
    bench.controls.set({"noise": "off"})
    bench.controls.prepare(0)
    assert knobs["noise.std.0"].item() == 0
    assert isinstance(bench.controls.effective, torch.Tensor)


def test_a_knob_that_starts_elsewhere_is_as_one_that_is_turned_before_the_first_step():
    spec = small_spec("ladder", "knobs.noise.std=0.1", "knobs.lr=1e-3", "knobs.warmup=on")
    controls, turned = Bench(spec).controls, Bench(small_spec("ladder")).controls
    turned.set({"noise.std": 0.1, "lr": 1e-3, "warmup": "on"})
    assert controls.state == turned.state
    assert controls.knobs == turned.knobs
    assert effective(controls)["noise.std.0"] == 0
    controls.load({"values": {"lr": 0.5}, "warmed": 0.0})
    assert controls.state.values["lr"] == 0.5


def test_a_knob_on_a_course_is_what_the_step_alone_says_until_somebody_turns_it():
    controls = Bench(small_spec("vae", "knobs.beta=0..1:linear:10")).controls
    assert [effective(controls, step)["beta"] for step in (0, 5, 10, 3)] == pytest.approx([0, 0.5, 1, 0.3])
    (change,) = controls.set({"beta": "4..2:cosine:8"}, 4)
    assert (change.old, change.old_course, change.applied) == (0.4, "0..1:linear:10@0", 4.0)
    assert effective(controls, 8)["beta"] == pytest.approx(3)
    # A checkpoint keeps the course, and one from before there were any has none.
    other = Bench(small_spec("vae")).controls
    other.load({"values": controls.state.values, "warmed": 0.0, "waited": 0, "courses": controls.state.courses})
    assert effective(other, 12)["beta"] == 2
    other.load({"values": {"beta": 7.0}, "warmed": 0.0, "waited": 0})
    assert effective(other, 12)["beta"] == 7
    # What takes the change back is the course that was there, where it began.
    (back,) = controls.set({"beta": change.before}, 6)
    assert (back.course, effective(controls, 6)["beta"]) == ("0..1:linear:10@0", pytest.approx(0.6))
    (value,) = controls.set({"beta": 3}, 7)
    assert (value.set_to, controls.state.courses) == (3.0, {})
    assert effective(controls, 9)["beta"] == 3


def test_the_warm_up_multiplies_what_a_course_says():
    settings = "knobs.beta=0..2:linear:10", "warmup.of=kl", "warmup.on=on", "warmup.steps=2"
    controls = Bench(small_spec("vae", *settings)).controls
    controls.advance()
    assert effective(controls, 5)["beta"] == pytest.approx(0.5)
