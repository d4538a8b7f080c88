"""The keys of the run screen, each once: what the screen binds, help lists, and the row of hints names."""

from __future__ import annotations

from typing import Literal, NamedTuple

from textual.binding import Binding

from laddertop.journal.actions import ACTIONS, Action
from laddertop.journal.state import OVER
from laddertop.tui.dashboard.grammar import BACK, CLOSE, HELP, LEAVE, ON_CHARTS, PALETTE, RUNS
from laddertop.tui.watch.run_view import RunView

When = Literal["always", "at work", "over"]


class Hint(NamedTuple):
    """What the row of hints says of a key."""

    rank: int
    """The hints of the smallest numbers stay where there is no room for all."""
    word: str
    """What it does, in a word."""
    sign: str
    """The key, or several that belong together."""


class RunKey(NamedTuple):
    """One entry of the table."""

    keys: str
    """Names of keys as Textual has them, with commas between them."""
    does: str
    """The action of the screen."""
    about: str
    """What it does, for help and palette."""
    hint: Hint | None = None
    """None: help alone names it."""
    priority: bool = False
    """Whether it comes before what Textual itself does with the key."""
    when: When = "always"
    """Whether it does something only while an engine is at work in the run, or only while none is."""
    knows: bool = False
    """Whether it takes an engine that knows the model, which no loop of somebody's own has."""

    def binding(self) -> Binding:
        """The same for Textual."""
        return Binding(self.keys, self.does, self.about, priority=self.priority)


def _asks(keys: str, action: Action, rank: int) -> RunKey:
    """A key that asks something of the engine, in the words of the table of actions."""
    about = ACTIONS[action]
    return RunKey(keys, f"steer('ask', '{action}')", about.words, Hint(rank, about.short, keys), when="at work")


def _shared(binding: Binding, hint: Hint | None = None) -> RunKey:
    """A key that other screens have, too."""
    return RunKey(binding.key, binding.action, binding.description, hint)


_CHART_HINTS = {"plus,equals_sign": Hint(15, "zoom", "+-"), "left": Hint(18, "cursor", "←→")}


STEERING = (
    RunKey("space", "steer('pause')", "pause or continue the training", Hint(1, "pause", "space"), when="at work"),
    _asks("c", "checkpoint", 7),
    _asks("e", "evaluate", 11),
    _asks("s", "sample", 16),
    RunKey(
        "u",
        "steer('undo')",
        "undo: send the values from before the last intervention",
        Hint(6, "undo", "u"),
        when="at work",
    ),
    RunKey("R", "resume", "resume a run whose engine is gone", Hint(4, "resume", "R"), when="over", knows=True),
    RunKey(
        "f", "fork", "fork: a new run that goes on from a checkpoint of this one", Hint(12, "fork", "f"), knows=True
    ),
    RunKey("Z", "roll_back", "send the run back to a checkpoint, from which it goes on", knows=True),
    RunKey("N", "note", "leave a note in the event log", when="at work"),
    RunKey("S,ctrl+x", "stop", "stop the training (asks first)", Hint(14, ACTIONS["stop"].short, "S"), when="at work"),
)
"""What is asked of the engine. The keys of knobs stand in the declarations of these."""

NOW = (
    RunKey(
        "2",
        "look_into('layers')",
        "the layers: activations, gates, active units, and a map by class",
        Hint(8, "model", "2-5"),
        knows=True,
    ),
    RunKey("3", "look_into('latent')", "the latent space: map, prior, traversal, interpolation", knows=True),
    RunKey("4", "look_into('explore')", "explore: denoise, fill in, classify, generate, gradient field", knows=True),
    RunKey("5", "look_into('samples')", "the samples, large, and over the training"),
    RunKey("M", "machine", "a line about the machine, or none: speed, processors, memory, GPUs"),
)
"""What looks at the model and the machine as they are now."""

LOOKING = (
    RunKey("i", "interventions", "interventions: every term before and after each", Hint(20, "interventions", "i")),
    RunKey("t,down", "charts('next_chart', 1)", "next chart"),
    RunKey("T,up", "charts('next_chart', -1)", "previous chart"),
    RunKey("g", "grid", "all pinned charts at once, or one", Hint(5, "charts", "g")),
    RunKey("slash", "choose_charts", "choose and pin charts, with a filter", Hint(17, "choose", "/")),
    RunKey("l", "charts('next_kind')", "y axis: logarithmic, linear, symlog"),
    RunKey("z", "smooth", "smoothing: EMA 0.98, 0.995, none, 0.9"),
    RunKey("k", "charts('next_part')", "y axis: without the first steps, all values, without outliers"),
    *(_shared(binding, _CHART_HINTS.get(binding.key)) for binding in ON_CHARTS),
    RunKey("v", "next_mode", "next way to draw the samples"),
    RunKey("tab", "choose(1)", "next panel", Hint(9, "panel", "tab"), priority=True),
    RunKey("shift+tab", "choose(-1)", "previous panel", priority=True),
    RunKey("m", "maximise", "give the chosen panel the whole screen, or take it back"),
    _shared(BACK),
    _shared(CLOSE),
    _shared(RUNS, Hint(10, "runs", "r")),
    _shared(LEAVE, Hint(2, "detach", "d")),
    _shared(HELP, Hint(3, "help", "?")),
    _shared(PALETTE),
)
"""What looks at what is recorded, of a run that trains or of one that is played again."""

KEYS = (*STEERING, *NOW, *LOOKING)
NOTES = (
    "A curve is a moving average over the raw values; behind it lies their range, so that a spike of one step stays "
    "visible at every zoom, and dim what a resume threw away. On the x axis × marks steps whose value was not a "
    "number, ◆ a checkpoint, ╵ an evaluation; ▼ is what was done to the run, ↻ a resume, ↶ a rollback, ↱ where a fork "
    "begins, ▷ a new stage; +2 behind a label counts older ones that there is no room for. Where the first steps would "
    "take most of the y axis it leaves them out, and says so. A knob shows what the engine records; what a key asked "
    "for stands behind an arrow with a question mark until the engine has applied or refused it. What a schedule makes "
    "of a knob stands in brackets."
)


FIRST = (
    "space",
    "u",
    "c",
    "S,ctrl+x",
    "tab",
    "m",
    "t,down",
    "plus,equals_sign",
    "escape",
    "r",
    "d",
    "question_mark,f1",
)
"""The keys that help begins with."""


def at_hand(view: RunView) -> list[RunKey]:
    """The keys that do something in a run as it stands."""
    status = view.status()
    over = status in OVER
    idle = "at work" if over else "over"
    keys = [entry for entry in (KEYS if view.steerable else LOOKING) if entry.when != idle]
    keys = [entry for entry in keys if view.spec.model.ours or not entry.knows]
    return [entry for entry in keys if not (entry.does == "resume" and status == "finished")]
