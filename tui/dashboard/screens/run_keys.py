"""The keys of the run screen, and what its pictures mean."""

from __future__ import annotations

from textual.binding import Binding, BindingType

STEERING: list[BindingType] = [
    Binding("n", "steer('flip', 'noise')", "noise on or off"),
    Binding("minus", "steer('turn', 'noise levels', False)", "less noise: every σ by its factor, in one command"),
    Binding("plus,equals_sign", "steer('turn', 'noise levels', True)", "more noise"),
    Binding("w", "steer('flip', 'warmup')", "warm-up on (from 0 again) or off"),
    Binding("h", "steer('flip', 'warmup.hold')", "hold the warm-up where it is, or let it go on"),
    Binding("left_square_bracket", "steer('turn', 'lr', False)", "lower learning rate"),
    Binding("right_square_bracket", "steer('turn', 'lr', True)", "higher learning rate"),
    Binding("b", "steer('turn', 'beta', False)", "lower KL weight β"),
    Binding("B", "steer('turn', 'beta', True)", "higher KL weight β"),
    Binding("u", "steer('undo')", "undo: send the values from before the last intervention"),
    Binding("space", "steer('pause')", "pause or continue the training"),
    Binding("c", "steer('ask', 'checkpoint')", "checkpoint now"),
    Binding("e", "steer('ask', 'evaluate')", "evaluate now"),
    Binding("s", "steer('ask', 'sample')", "sample now"),
    Binding("S,ctrl+x", "stop", "stop the training (asks first)"),
    Binding("R", "resume", "resume a run whose engine is gone"),
    Binding("f", "fork", "fork: a new run that goes on from a checkpoint of this one"),
    Binding("Z", "roll_back", "send the run back to a checkpoint, from which it goes on"),
    Binding("N", "note", "leave a note in the event log"),
]
"""What is asked of the engine."""

NOW: list[BindingType] = [
    Binding("2", "look_into('layers')", "the layers: activations, gates, active units, and a map by class"),
    Binding("3", "look_into('latent')", "the latent space: map, prior, traversal, interpolation"),
    Binding("4", "look_into('explore')", "explore: denoise, fill in, classify, generate, gradient field"),
    Binding("5", "look_into('samples')", "the samples, large, and over the training"),
    Binding("M", "machine", "a line about the machine, or none: speed, processors, memory, GPUs"),
]
"""What looks at the model and the machine as they are now."""

LOOKING: list[BindingType] = [
    Binding("i", "interventions", "interventions: every term before and after each"),
    Binding("t", "charts('next_chart', 1)", "next chart"),
    Binding("T", "charts('next_chart', -1)", "previous chart"),
    Binding("g", "grid", "all pinned charts at once, or one"),
    Binding("slash", "choose_charts", "choose and pin charts, with a filter"),
    Binding("l", "charts('next_kind')", "y axis: logarithmic, linear, symlog"),
    Binding("L", "log_x", "x axis: logarithmic or linear"),
    Binding("x", "unit", "x axis: steps, epochs, wall time"),
    Binding("z", "smooth", "smoothing: EMA 0.98, 0.995, none, 0.9"),
    Binding("k", "charts('next_part')", "y axis: without the first steps, all values, without outliers"),
    Binding("up", "zoom(0.5)", "zoom in, at the cursor or the end"),
    Binding("down", "zoom(2)", "zoom out"),
    Binding("comma", "pan(-0.5)", "pan to earlier steps"),
    Binding("full_stop", "pan(0.5)", "pan to later steps"),
    Binding("home", "whole", "the whole run"),
    Binding("end", "follow", "follow the end of the run; again: its newest tenth"),
    Binding("left", "cursor(-1)", "cursor to the left, in all charts"),
    Binding("right", "cursor(1)", "cursor to the right"),
    Binding("shift+left", "cursor(-10)", "cursor ten columns to the left"),
    Binding("shift+right", "cursor(10)", "cursor ten columns to the right"),
    Binding("escape", "no_cursor", "no cursor"),
    Binding("v", "next_mode", "next way to draw the samples"),
    Binding("tab", "choose(1)", "next panel", priority=True),
    Binding("shift+tab", "choose(-1)", "previous panel", priority=True),
    Binding("m", "maximise", "give the chosen panel the whole screen, or take it back"),
    Binding("r", "app.runs", "all runs"),
    Binding("d,q", "app.leave", "detach: the dashboard ends, the training goes on"),
    Binding("ctrl+p", "app.command_palette", "every command by name; sets any knob to any value", show=False),
    Binding("question_mark,f1", "help", "this help"),
]
"""What looks at what is recorded, of a run that trains or of one that is played again."""

NOTES = (
    "A curve is a moving average over the raw values; behind it lies their range, so that a spike of one step stays "
    "visible at every zoom, and dim what a resume threw away. On the x axis × marks steps whose value was not a "
    "number, ◆ a checkpoint, ╵ an evaluation; ▼ is what was done to the run, ↻ a resume, ↶ a rollback, ▷ a new stage; "
    "+2 behind a label counts older ones that there is no room for. Where the first steps would take most of the y "
    "axis it leaves them out, and says so. A knob shows what the engine records; what a key asked for stands behind an "
    "arrow with a question mark until the engine has applied or refused it. What a schedule makes of a knob stands in "
    "brackets."
)
