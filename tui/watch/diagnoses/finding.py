"""What a diagnosis finds in a run: the form that every finding has, whoever shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from laddertop.journal.actions import Action
from laddertop.journal.names import kind_in_words
from laddertop.tui.watch.diagnoses.facts import Facts

Severity = Literal["grave", "warning", "note"]
"""grave: the run is lost as it stands; warning: it costs quality or time; note: good to know, nothing is wrong."""

SEVERITIES: tuple[Severity, ...] = ("grave", "warning", "note")
"""The worst first."""


SINCE = "{since}"
"""What stands in sentences for the step since when, which is known once it was found first."""


class Evidence(NamedTuple):
    """Where to look to see it."""

    columns: tuple[str, ...]
    """Columns of the metrics, the one that shows it best first; empty: evaluations tell it."""
    first: int
    """First step of the range that shows it."""
    last: int
    """Last step of that range."""
    layer: int | None = None
    """The layer, counted from the input, which is 0; none: it is of the whole model."""
    value: str = ""
    """The value of the evaluations that shows it; empty: none does."""


class Ask(NamedTuple):
    """One command to the engine, as any key or `laddertop set` sends it."""

    action: Action
    """What is asked for."""
    changes: dict[str, float]
    """New values by knob; of a rollback `step`, the checkpoint's."""


class Remedy(NamedTuple):
    """What helps."""

    words: str
    """What to do and why it should help, in a sentence."""
    commands: tuple[Ask, ...] = ()
    """What to send to the running engine for it, in order; empty: no command does it."""
    settings: tuple[str, ...] = ()
    """Settings KEY=VALUE of a recipe that spare the next run this; empty: none do."""


def turning(words: str, knob: str, value: float, key: str) -> Remedy:
    """A remedy that sets one knob, in a running training by a command and in the next one by a key of its recipe."""
    return Remedy(words, (Ask("set", {knob: value}),), (f"{key}={value:g}",))


class Helped(NamedTuple):
    """What must happen for a remedy to have helped: the mean of a column over the last tenth of a window."""

    words: str
    """The same in words."""
    within: int
    """Steps of the window, from the remedy on."""
    column: str = ""
    """The column of the metrics; empty: the finding itself must be gone by the end of the window."""
    above: float = float("-inf")
    """What the mean must be above."""
    below: float = float("inf")
    """What the mean must be below."""


class Seen(NamedTuple):
    """What a diagnosis sees of a run as far as it has come."""

    since: int
    """Steps completed when it began."""
    sees: str
    """What is seen, in a sentence with numbers."""
    evidence: Evidence
    """Where to look."""
    remedy: Remedy | None = None
    """What helps; none: nothing that can be asked for."""
    helped: Helped | None = None
    """When it has; none without a remedy."""
    where: str = ""
    """The layer or the term, by its name for people; empty: the whole run."""
    measured: str = ""
    """By what it is seen, in a few words; empty: the sentence is as short."""
    time: float = 0.0
    """When it began, in seconds since 1970, where an event says so; 0: when that step was recorded."""


@dataclass(frozen=True)
class Diagnosis:
    """One thing that can go wrong."""

    kind: str
    """Its one name, such as posterior-collapse."""
    severity: Severity
    """How bad it is."""
    means: str
    """What it means, in a sentence or two."""
    source: str
    """Where that is known from: a paper, an equation."""
    threshold: str
    """When it is said, and why not sooner or later."""
    look: Callable[[Facts], list[Seen]] = field(repr=False)
    """What it sees: one for each layer or term, nothing where all is well."""
    safe: bool = False
    """Whether its remedy may be sent unasked: without it the run is lost or trains for something else than its recipe
    says, and what it is to minimise stays what it was."""


@dataclass(frozen=True)
class Finding:
    """One thing that goes wrong in a run, or went wrong."""

    kind: str
    """The diagnosis, such as posterior-collapse."""
    where: str
    """The layer or the term, by its name for people; empty: the whole run."""
    severity: Severity
    """How bad it is."""
    since: int
    """Steps completed when it began."""
    found: int
    """Steps completed when it could be said."""
    until: int | None
    """Steps completed when it was over; none: it stands."""
    time: float
    """When it began, in seconds since 1970; 0 where nobody knows."""
    sees: str
    """What is seen, in a sentence with numbers."""
    measured: str
    """By what it is seen, in a few words; empty: `sees` is as short."""
    means: str
    """What it means."""
    source: str
    """Where that is known from."""
    evidence: Evidence
    """Where to look to see it."""
    remedy: Remedy | None
    """What helps; none: nothing that can be asked for."""
    helped: Helped | None
    """What must happen within which steps for the remedy to have helped; none without one."""

    @property
    def name(self) -> str:
        """Its kind in words: posterior collapse."""
        return kind_in_words(self.kind)

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same finding at the next look: kind and place."""
        return self.kind, self.where
