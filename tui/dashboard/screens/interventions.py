"""What was done to a run, newest first: who, when, and every term in equal windows before and after."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from laddertop.journal.events import Commanded
from laddertop.tui.dashboard.screens.box import Box
from laddertop.tui.draw.numbers import number, thousands
from laddertop.tui.draw.text import fit, harmless
from laddertop.tui.watch.advice import verdict
from laddertop.tui.watch.effects import Effect, before_after, moved_most
from laddertop.tui.watch.event_line import UNDO, who
from laddertop.tui.watch.run_view import RunView
from laddertop.tui.watch.wording import measure, outcome_in_words


class Interventions(Box[None]):
    """Before and after each intervention."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("i,enter", "dismiss(None)", "back")]

    def __init__(self, view: RunView) -> None:
        super().__init__("Interventions, newest first", ("↑↓", "scroll"))
        self._view = view

    def content(self) -> Iterable[Widget]:
        """The list."""
        yield Static(in_full(self._view))


def in_full(view: RunView) -> Text:
    """Every intervention and note with who did it, and what it did to each term and to the evaluated error."""
    text = Text()
    deeds = [c for c in view.state.commands if c.action == "set" or c.note]
    if not deeds:
        text.append("nothing was done to this run yet")
    for done in reversed(deeds):
        words = outcome_in_words(done, {}, view.state.knobs)
        note = "undo" if done.note.startswith(UNDO) else done.note if done.action == "set" else ""
        head = f"step {thousands(done.step)}  {harmless(who(done.by))}: {harmless(words)}\n"
        text.append("\n" if text else "").append(head, "bold")
        if note:
            text.append(f"  {harmless(note)}\n", "italic")
        effect = view.effects.get(done.id)
        if effect is not None and effect.window:
            _effect(text, view, done, effect)
        elif done.changes and done.outcome == "applied":
            why = "not enough steps on both sides to compare" if effect else "not enough steps since to compare"
            text.append(f"  {why}\n", "dim")
        for one in view.advised:
            if words := verdict(one) if done.id == one.commands[-1] else "":
                text.append(f"  {harmless(words)}\n")
    return text


def _effect(text: Text, view: RunView, done: Commanded, effect: Effect) -> None:
    text.append(f"  mean ± standard deviation over {effect.window} steps before → after\n", "dim")
    if effect.objective:
        text.append("  the total is made of other weights now: compare the terms, not the total\n", "dim")
    labels = {"total": "total cost"} | {term.name: term.label for term in view.state.terms}
    for name in ["total", *moved_most(effect)]:
        if words := before_after(effect, name):
            text.append(f"  {fit(harmless(labels.get(name, name)), 26):<26}  {words}\n")
    evaluated = [e for e in view.state.evaluations if e.values]
    before = [e for e in evaluated if e.step <= done.step][-1:]
    after = [e for e in evaluated if e.step > done.step][:1]
    if before and after:
        name, value = next(iter(before[0].values.items()))
        if name in after[0].values:
            text.append(
                f"  evaluated: {measure(name, value)} at {thousands(before[0].step)} → "
                f"{number(after[0].values[name].value)} at {thousands(after[0].step)}\n"
            )
