"""The keys of the run screen, each once: what the screen binds, help lists, and the row of hints names."""

from __future__ import annotations

from typing import Literal, NamedTuple

from textual.binding import Binding

from laddertop.journal.actions import ACTIONS, Action
from laddertop.journal.state import OVER
from laddertop.tui.dashboard.grammar import BACK, CLOSE, HELP, LEAVE, ON_CHARTS, PALETTE, RUNS, bind
from laddertop.tui.steer.keymap import sign
from laddertop.tui.steer.keys import USUAL
from laddertop.tui.watch.run_view import RunView

When = Literal["always", "at work", "over"]


class Hint(NamedTuple):
    """What the row of hints says of a key."""

    rank: int
    """The hints of the smallest numbers stay where there is no room for all."""
    word: str
    """What it does, in a word."""
    names: tuple[str, ...]
    """The names of the key, or of several that belong together."""

    @property
    def sign(self) -> str:
        """The keys as they are printed on the keyboard."""
        return sign(*self.names)


class RunKey(NamedTuple):
    """One entry of the table."""

    name: str
    """That of laddertop.tui.steer.keys."""
    does: str
    """The action of the screen."""
    hint: Hint | None = None
    """None: help alone names it."""
    priority: bool = False
    """Whether it comes before what Textual itself does with the key."""
    when: When = "always"
    """Whether it does something only while an engine is at work in the run, or only while none is."""
    knows: bool = False
    """Whether it takes an engine that knows the model, which no loop of somebody's own has."""

    @property
    def keys(self) -> str:
        """The usual keys, as Textual has them, with commas between them."""
        return USUAL[self.name]

    @property
    def about(self) -> str:
        """What it does, for help and palette."""
        return self.binding().description

    def binding(self) -> Binding:
        """The same for Textual."""
        return bind(self.name, self.does, priority=self.priority)


def _run(
    name: str,
    does: str,
    hint: tuple[int, str] | None = None,
    also: tuple[str, ...] = (),
    priority: bool = False,
    when: When = "always",
    knows: bool = False,
) -> RunKey:
    """An entry whose hint has a rank and a word, for it and for what belongs with it."""
    return RunKey(name, does, hint and Hint(*hint, (name, *also)), priority, when, knows)


def _asks(action: Action, rank: int) -> RunKey:
    """A key that asks something of the engine, in the words of the table of actions."""
    return _run(f"run.{action}", f"steer('ask', '{action}')", (rank, ACTIONS[action].short), when="at work")


def _shared(binding: Binding, hint: tuple[int, str] | None = None, also: tuple[str, ...] = ()) -> RunKey:
    """A key that other screens have, too."""
    assert binding.id
    return _run(binding.id, binding.action, hint, also)


_CHART_HINTS = {
    "charts.zoom-in": ((15, "zoom"), ("charts.zoom-out",)),
    "charts.left": ((18, "cursor"), ("charts.right",)),
}


STEERING = (
    _run("run.pause", "steer('pause')", (1, "pause"), when="at work"),
    _asks("checkpoint", 7),
    _asks("evaluate", 11),
    _asks("sample", 16),
    _run("run.undo", "steer('undo')", (6, "undo"), when="at work"),
    _run("run.resume", "resume", (4, "resume"), when="over", knows=True),
    _run("run.fork", "fork", (12, "fork"), knows=True),
    _run("run.roll-back", "roll_back", knows=True),
    _run("run.note", "note", when="at work"),
    _run("run.stop", "stop", (14, ACTIONS["stop"].short), when="at work"),
)
"""What is asked of the engine. The keys of knobs stand in the declarations of these."""

NOW = (
    _run("run.layers", "look_into('layers')", (8, "model"), ("run.latent", "run.explore", "run.samples"), knows=True),
    _run("run.latent", "look_into('latent')", knows=True),
    _run("run.explore", "look_into('explore')", knows=True),
    _run("run.samples", "look_into('samples')"),
    _run("run.machine", "machine"),
)
"""What looks at the model and the machine as they are now."""

LOOKING = (
    _run("looking.findings", "findings", (19, "advice")),
    _run("looking.interventions", "interventions", (20, "interventions")),
    _run("looking.next-chart", "charts('next_chart', 1)"),
    _run("looking.previous-chart", "charts('next_chart', -1)"),
    _run("looking.grid", "grid", (5, "charts")),
    _run("looking.choose", "choose_charts", (17, "choose")),
    _run("looking.axis", "charts('next_kind')"),
    _run("looking.smooth", "smooth"),
    _run("looking.range", "charts('next_part')"),
    *(_shared(binding, *_CHART_HINTS.get(binding.id or "", ())) for binding in ON_CHARTS),
    _run("looking.drawing", "next_mode"),
    _run("looking.next-panel", "choose(1)", (9, "panel"), priority=True),
    _run("looking.previous-panel", "choose(-1)", priority=True),
    _run("looking.maximise", "maximise"),
    _shared(BACK),
    _shared(CLOSE),
    _shared(RUNS, (10, "runs")),
    _shared(LEAVE, (2, "detach")),
    _shared(HELP, (3, "help")),
    _shared(PALETTE),
)
"""What looks at what is recorded, of a run that trains or of one that is played again."""

KEYS = (*STEERING, *NOW, *LOOKING)
NOTES = (
    "A curve is a moving average over the raw values; behind it lies their range, so that a spike of one step stays "
    "visible at every zoom, and dim what a resume threw away. On the x axis × marks steps whose value was not a "
    "number, ◆ a checkpoint, ╵ an evaluation; ▼ is what was done to the run, ↻ a resume, ↶ a rollback, ↱ where a fork "
    "begins, ▷ a new stage, ! where something began to go wrong; +2 behind a label counts older ones that there is no "
    "room for. A title stands out while what is below it shows something that goes wrong. Where the first steps would "
    "take most of the y axis it leaves them out, and says so. A knob shows what the engine records; what a key asked "
    "for stands behind an arrow with a question mark until the engine has applied or refused it. What a schedule makes "
    "of a knob stands in brackets."
)


FIRST = (
    "run.pause",
    "run.undo",
    "run.checkpoint",
    "run.stop",
    "looking.next-panel",
    "looking.maximise",
    "looking.next-chart",
    "charts.zoom-in",
    "everywhere.back",
    "everywhere.runs",
    "everywhere.leave",
    "everywhere.help",
)
"""The keys that help begins with."""


def at_hand(view: RunView) -> list[RunKey]:
    """The keys that do something in a run as it stands."""
    status = view.status()
    over = status in OVER
    idle = "at work" if over else "over"
    keys = [entry for entry in (KEYS if view.steerable else LOOKING) if entry.when != idle]
    keys = [entry for entry in keys if view.spec.model.ours or not entry.knows]
    nothing = {"findings": not (view.findings or view.past or view.advised), "resume": status == "finished"}
    nothing |= {f"steer('ask', '{action}')": True for action in view.unable}
    return [entry for entry in keys if not nothing.get(entry.does)]
