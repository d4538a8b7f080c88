"""The form for a new run: a recipe, its main settings, any other key, and the same as a shell command."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.containers import Grid, Horizontal, VerticalScroll
from textual.events import DescendantFocus
from textual.screen import Screen
from textual.widgets import Input, Label, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from laddertop.journal.folder import create_run, runs_folder
from laddertop.journal.spec import load_recipe, recipes
from laddertop.tui.dashboard.messages import OpenRun, StartEngine
from laddertop.tui.dashboard.palette import colours_of, style
from laddertop.tui.dashboard.screens.commands import KeyCommands
from laddertop.tui.dashboard.screens.help import Help
from laddertop.tui.dashboard.views.experience import Experience, experience, in_words
from laddertop.tui.dashboard.views.recipe_form import Draft, completions, declared, draft, fields_of
from laddertop.tui.draw.cells import Ink
from laddertop.tui.draw.text import harmless

DEFAULT_RECIPE = "ladder-digits"

_NOTES = (
    "↑ and ↓ choose a recipe, tab and enter go to the next field. What a field takes stands below the form while the "
    "cursor is in it. The box below the fields takes any other key of the recipe; what is typed there is completed in "
    "words below. The command at the bottom starts the same run from a shell."
)


class NewRunScreen(Screen[None]):
    """Choose, change, start."""

    DEFAULT_CSS = """
    NewRunScreen { background: transparent; }
    NewRunScreen #heading { height: 1; padding: 0 1; text-style: bold; }
    NewRunScreen Horizontal { height: 1fr; }
    NewRunScreen OptionList { width: 32; height: 100%; border: none; padding: 0 1; background: transparent; }
    NewRunScreen OptionList:focus { border: none; }
    NewRunScreen OptionList:blur > .option-list--option-highlighted { text-style: bold; color: ansi_cyan; }
    NewRunScreen .text-area--placeholder { text-style: dim; }
    NewRunScreen VerticalScroll { width: 1fr; padding: 0 1; }
    NewRunScreen Grid { grid-size: 2; grid-columns: 27 1fr; grid-rows: 1; height: auto; }
    NewRunScreen #about { height: auto; margin-bottom: 1; }
    NewRunScreen Label { text-style: dim; }
    NewRunScreen Input, NewRunScreen TextArea { height: 1; border: none; padding: 0 1; background: transparent; }
    NewRunScreen Input:focus, NewRunScreen TextArea:focus {
        border: none; background: ansi_blue; color: ansi_bright_white;
    }
    NewRunScreen TextArea { height: 4; }
    NewRunScreen #free-label { margin-top: 1; }
    NewRunScreen #problem { height: auto; min-height: 1; padding: 0 1; }
    NewRunScreen #shell { height: auto; max-height: 3; padding: 0 1; }
    NewRunScreen #time { height: auto; max-height: 2; padding: 0 1; }
    NewRunScreen #help { height: auto; min-height: 1; max-height: 3; padding: 0 1; }
    NewRunScreen #keys { height: 1; padding: 0 1; }
    """
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {KeyCommands}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start", "start the run", priority=True),
        Binding("escape", "app.runs", "back to the runs"),
        Binding("f1", "help", "this help"),
    ]

    def __init__(self, runs: Path) -> None:
        super().__init__()
        self._runs = runs
        self._recipe = DEFAULT_RECIPE if DEFAULT_RECIPE in recipes() else recipes()[0]
        self._draft: Draft | None = None
        self._keys: list[str] = []
        """The key of each field that is shown."""
        self._fields = 0
        """Fields that are there; a recipe uses as many of them as it has keys."""
        self._starting = False
        self._here: Experience | None = None
        """None until the machine was looked at."""

    def compose(self) -> ComposeResult:
        """Recipes on the left, the form on the right, what it amounts to below."""
        yield Static("new run", id="heading")
        with Horizontal():
            yield OptionList(*(Option(name, id=name) for name in recipes()), markup=False, id="recipes")
            with VerticalScroll(can_focus=False):
                yield Static("", id="about", markup=False)
                with Grid():
                    yield Label("name")
                    yield Input(placeholder="date and recipe", id="name", compact=True, select_on_focus=False)
                yield Label("any other key, one key=value a line", id="free-label")
                yield TextArea(
                    id="free",
                    compact=True,
                    show_line_numbers=False,
                    tab_behavior="focus",
                    placeholder="such as optimizer.beta1=0.95",
                )
        yield Static("", id="help", markup=False)
        yield Static("", id="problem", markup=False)
        yield Static("", id="time", markup=False)
        yield Static("", id="shell", markup=False)
        keys = Text(no_wrap=True, overflow="ellipsis")
        for key, name in (
            ("ctrl+s", "start"),
            ("tab", "next field"),
            ("↑↓", "recipe"),
            ("esc", "back"),
            ("F1", "help"),
        ):
            keys.append(key, style(Ink.KEY, colours_of(self.app))).append(
                f" {name}   ", style(Ink.DIM, colours_of(self.app))
            )
        yield Static(keys, id="keys")

    def on_mount(self) -> None:
        """Begin with the default recipe."""
        choice = self.query_one("#recipes", OptionList)
        choice.highlighted = recipes().index(self._recipe)
        choice.focus()
        self._remember_earlier()

    @work(thread=True)
    def _remember_earlier(self) -> None:
        here = experience(self._runs)
        self.app.call_from_thread(self._learn, here)

    def _learn(self, here: Experience) -> None:
        self._here = here
        if self.display:
            self.check()

    def field(self, key: str) -> Input:
        """The field of a key. Raises ValueError when the recipe has none of its own."""
        return self.query_one(f"#field-{self._keys.index(key)}", Input)

    @on(DescendantFocus)
    @on(TextArea.SelectionChanged)
    def explain(self) -> None:
        """Say what the field under the cursor takes, or which keys fit what is typed."""
        recipe, text = load_recipe(self._recipe), ""
        match self.focused:
            case Input(id=str(id)) if id.startswith("field-"):
                text = declared(recipe, self._keys[int(id.removeprefix("field-"))])
            case TextArea() as free:
                begun = free.document.get_line(free.cursor_location[0])
                text = "\n".join(completions(recipe, begun)[:3])
        self.query_one("#help", Static).update(Text(harmless(text, 1000), style(Ink.DIM, colours_of(self.app))))

    @on(OptionList.OptionHighlighted)
    def choose(self, event: OptionList.OptionHighlighted) -> None:
        """Another recipe: its sentence and its values."""
        self._recipe = str(event.option.id)
        recipe = load_recipe(self._recipe)
        self.query_one("#about", Static).update(recipe.about)
        values = fields_of(recipe)
        self._keys = list(values)
        with self.prevent(Input.Changed):
            for i in range(max(self._fields, len(values))):
                if i == self._fields:
                    field = Input(id=f"field-{i}", classes="key", compact=True, select_on_focus=False)
                    self.query_one(Grid).mount(Label("", id=f"label-{i}"), field)
                    self._fields += 1
                field, label = self.query_one(f"#field-{i}", Input), self.query_one(f"#label-{i}", Label)
                field.display = label.display = i < len(values)
                if i < len(values):
                    label.update(self._keys[i])
                    field.value = values[self._keys[i]]
        self.check()

    @on(Input.Changed)
    @on(TextArea.Changed)
    def check(self) -> None:
        """Say what is wrong, or that nothing is."""
        filled = {key: self.field(key).value for key in self._keys}
        self._draft = draft(self._recipe, filled, self.query_one("#free", TextArea).text)
        problem = self.query_one("#problem", Static)
        colours = colours_of(self.app)
        if self._draft.problem:
            self._complain(self._draft.problem)
        else:
            problem.update(Text("✓ ready", style(Ink.GOOD, colours)))
        takes = in_words(self._draft.spec, self._here) if self._draft.spec and self._here else ""
        self.query_one("#time", Static).update(Text(harmless(takes), style(Ink.DIM, colours)))
        shell = Text("same in a shell: ", style(Ink.DIM, colours))
        more = {"--name": self.query_one("#name", Input).value.strip()}
        if self._runs != runs_folder():
            more["--runs"] = str(self._runs)
        words = self._draft.shell(more)
        self.query_one("#shell", Static).update(shell.append(harmless(words), style(Ink.TEXT, colours)))

    @on(OptionList.OptionSelected)
    def on_chosen(self) -> None:
        """Enter on a recipe goes on to the form."""
        self.query_one("#name", Input).focus()

    @on(Input.Submitted)
    def on_submitted(self) -> None:
        """Enter in a field goes on to the next."""
        self.focus_next()

    @work
    async def action_start(self) -> None:
        """Make the run, start its engine, and go to it."""
        if self._draft is None or self._draft.spec is None or self._starting:
            return
        self._starting = True  # a second press is not for a second run
        name = self.query_one("#name", Input).value.strip() or None
        try:
            run = await asyncio.to_thread(create_run, self._runs, self._draft.spec, name)
        except (ValueError, OSError) as error:
            self._starting = False
            if self.display:
                self._complain(str(error))
            return
        self.app.post_message(StartEngine(run))
        if self.app.screen is self:
            self.app.post_message(OpenRun(run))

    def action_help(self) -> None:
        """The keys."""
        bindings = [b for b in self.BINDINGS if isinstance(b, Binding)]
        self.app.push_screen(Help("Keys of the form", bindings, _NOTES))

    def _complain(self, text: str) -> None:
        problem = self.query_one("#problem", Static)
        problem.update(Text(f"✗ {harmless(text)}", style(Ink.BAD, colours_of(self.app))))
