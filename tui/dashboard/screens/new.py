"""The form for a new run: a recipe, its main settings, any other key, and the same as a shell command."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Horizontal, Vertical, VerticalScroll
from textual.events import DescendantFocus
from textual.screen import Screen
from textual.widgets import Input, Label, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from laddertop.journal.folder import create_run, runs_folder
from laddertop.journal.places import recipes
from laddertop.journal.recipe_list import matching
from laddertop.journal.sections import FoundData
from laddertop.journal.spec import Spec, load_recipe
from laddertop.journal.start import check_sizes, doubts
from laddertop.tui.dashboard.grammar import BACK, mouse_rows
from laddertop.tui.dashboard.key_line import key_line
from laddertop.tui.dashboard.messages import OpenRun, Shown, SizesKnown, StartEngine
from laddertop.tui.dashboard.palette import colours_of, style
from laddertop.tui.dashboard.screens.help import Help
from laddertop.tui.dashboard.views.experience import Experience, experience, in_words, wanted
from laddertop.tui.dashboard.views.recipe_form import Draft, completions, declared, draft, fields_of
from laddertop.tui.draw.cells import Ink
from laddertop.tui.draw.text import harmless
from laddertop.tui.steer.begin import LOOK_EVERY, Beginning
from laddertop.tui.steer.looking import asked_of, found_in, startable, with_found
from laddertop.tui.steer.sizing import Sizing

SETTLED = 0.4
"""Seconds without a key after which a path is taken for one that is meant."""
DEFAULT_RECIPE = "ladder-digits"

_NOTES = (
    "Type a word or two to filter the recipes, ↑ and ↓ choose one, tab and enter go to the next field. What a field "
    "takes stands below the form while the cursor is in it. The box below the fields takes any other key of the "
    "recipe; what is typed there is completed in words below. The command at the bottom starts the same run from a "
    "shell."
)
_MOUSE = (
    ("click", "on a recipe: chooses it, and goes on to the form; on a field: goes there"),
    ("wheel", "on the recipes and on the form: up and down"),
)


class RecipeFilter(Input):
    """Words that the recipes below hold; the arrows choose among them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose('cursor_up')", show=False),
        Binding("down", "choose('cursor_down')", show=False),
        Binding("pageup", "choose('page_up')", show=False),
        Binding("pagedown", "choose('page_down')", show=False),
    ]

    def action_choose(self, how: str) -> None:
        """Move the highlight of the list."""
        choice = self.screen.query_one("#recipes", OptionList)
        getattr(choice, f"action_{how}")()


class RecipeList(OptionList):
    """Keeps the chosen recipe in sight, however little room what stands below the form leaves."""

    def on_resize(self) -> None:
        """Scroll to it."""
        self.scroll_to_highlight()


class NewRunScreen(Screen[None]):
    """Choose, change, start."""

    DEFAULT_CSS = """
    NewRunScreen { background: transparent; }
    NewRunScreen #heading { height: 1; padding: 0 1; text-style: bold; }
    NewRunScreen Horizontal { height: 1fr; }
    NewRunScreen #choice { width: 34; }
    NewRunScreen OptionList { width: 100%; height: 1fr; border: none; padding: 0 1; background: transparent; }
    NewRunScreen OptionList { scrollbar-size-vertical: 1; }
    NewRunScreen OptionList:focus { border: none; }
    NewRunScreen OptionList:blur > .option-list--option-highlighted {
        color: $block-cursor-foreground; background: $block-cursor-background;
    }
    NewRunScreen .text-area--placeholder { text-style: dim; }
    NewRunScreen VerticalScroll { width: 1fr; padding: 0 1; }
    NewRunScreen Grid { grid-size: 2; grid-columns: 27 1fr; grid-rows: 1; height: auto; }
    NewRunScreen #about { height: auto; margin-bottom: 1; }
    NewRunScreen Label { text-style: dim; }
    NewRunScreen Input, NewRunScreen TextArea { height: 1; border: none; padding: 0 1; background: transparent; }
    NewRunScreen Input:focus, NewRunScreen TextArea:focus {
        border: none; background: ansi_blue; color: ansi_bright_white;
    }
    NewRunScreen Input:focus > .input--placeholder { color: ansi_bright_white; text-style: italic; }
    NewRunScreen TextArea { height: 4; }
    NewRunScreen #free-label { margin-top: 1; }
    NewRunScreen #problem { height: auto; min-height: 1; padding: 0 1; }
    NewRunScreen #shell { height: auto; max-height: 3; padding: 0 1; }
    NewRunScreen #time { height: auto; max-height: 2; padding: 0 1; }
    NewRunScreen #help { height: auto; min-height: 1; max-height: 3; padding: 0 1; }
    NewRunScreen #keys { height: 1; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start", "start the run", priority=True),
        Binding("escape", BACK.action, BACK.description),
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
        """Whether an engine was started that has not begun yet."""
        self._here: Experience | None = None
        """None until the machine was looked at."""
        self._sizing = Sizing(self._tell_again)
        self._looked: dict[str, FoundData | str] = {}
        """What was found in the user's own data, or why they can't be trained on, by what was asked."""

    def compose(self) -> ComposeResult:
        """Recipes on the left, the form on the right, what it amounts to below."""
        yield Static("new run", id="heading")
        with Horizontal():
            with Vertical(id="choice"):
                yield RecipeFilter(placeholder="type to filter", id="filter", compact=True, select_on_focus=False)
                yield RecipeList(*(Option(name, id=name) for name in recipes()), markup=False, id="recipes")
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
        keys = (("ctrl+s", "start"), ("tab", "next field"), ("↑↓", "recipe"), ("esc", "back"), ("F1", "help"))
        yield Static(key_line(keys, self.app), id="keys")

    def on_mount(self) -> None:
        """Begin with the default recipe."""
        choice = self.query_one("#recipes", OptionList)
        choice.highlighted = recipes().index(self._recipe)
        self.query_one("#filter").focus()
        self._remember_earlier()
        self.post_message(Shown())

    @on(Input.Changed, "#filter")
    def filter(self, event: Input.Changed) -> None:
        """Only the recipes that hold what is typed; the one that was chosen stays it while it is among them."""
        choice, names = self.query_one("#recipes", OptionList), matching(event.value)
        choice.set_options([Option(name, id=name) for name in names] or [Option("no recipe has that", disabled=True)])
        if names:
            choice.highlighted = names.index(self._recipe) if self._recipe in names else 0

    @work(thread=True)
    def _remember_earlier(self) -> None:
        here = experience(self._runs)
        self.app.call_from_thread(self._learn, here)

    def _learn(self, here: Experience) -> None:
        self._here = here
        if self.display:
            self.check()

    def on_unmount(self) -> None:
        """Nobody asks any more."""
        self._sizing.close()

    def _tell_again(self) -> None:
        """More is known of the sizes of runs. In a thread."""
        with contextlib.suppress(RuntimeError):  # the dashboard is gone
            self.post_message(SizesKnown())

    @on(SizesKnown)
    def tell_time(self) -> None:
        """Say how long the run takes, and how much memory, as far as is known."""
        spec, takes = self._draft.spec if self._draft else None, ""
        if spec is not None and spec.data.known and self._here is not None:
            self._sizing.ask(wanted(spec, self._here))
            takes = in_words(spec, self._here, self._sizing.known)
        self.query_one("#time", Static).update(Text(harmless(takes), style(Ink.DIM, colours_of(self.app))))

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
        self._draft = self._with_own_data(draft(self._recipe, filled, self.query_one("#free", TextArea).text))
        colours, spec = colours_of(self.app), self._draft.spec
        if self._draft.problem:
            self._complain(self._draft.problem)
        elif spec and not spec.data.known:
            words = f"reading {spec.data.name}, your own data"
            self.query_one("#problem", Static).update(Text(harmless(words), style(Ink.WARN, colours)))
            self._look(spec)
        elif spec:
            ready = Text("✓ ready", style(Ink.GOOD, colours))
            if spec.data.found:
                ready.append(f": {spec.data.found.about}")
            for words in doubts(spec):
                ready.append(f"\n▲ {words}", style(Ink.WARN, colours))
            self.query_one("#problem", Static).update(ready)
        self.tell_time()
        shell = Text("same in a shell: ", style(Ink.DIM, colours))
        more = {"--name": self.query_one("#name", Input).value.strip()}
        if self._runs != runs_folder():
            more["--runs"] = str(self._runs)
        words = self._draft.shell(more)
        self.query_one("#shell", Static).update(shell.append(harmless(words), style(Ink.TEXT, colours)))

    def _with_own_data(self, drafted: Draft) -> Draft:
        """What a draft comes to with what was found in the user's own data, once they were looked at."""
        if drafted.spec is None or drafted.spec.data.known:
            return drafted
        match self._looked.get(asked_of(drafted.spec)):
            case None:
                return drafted
            case str(problem):
                return replace(drafted, spec=None, problem=problem)
            case found:
                try:
                    return replace(drafted, spec=_checked(with_found(drafted.spec, found)))
                except ValueError as error:
                    return replace(drafted, spec=None, problem=str(error).removeprefix("the settings: "))

    @work(exclusive=True, group="look")
    async def _look(self, spec: Spec) -> None:
        await asyncio.sleep(SETTLED)
        try:
            self._looked[asked_of(spec)] = await asyncio.to_thread(found_in, spec)
        except (ValueError, OSError) as error:
            self._looked[asked_of(spec)] = str(error)
        self.check()

    @on(OptionList.OptionSelected)
    def on_chosen(self) -> None:
        """Enter on a recipe goes on to the form."""
        self.query_one("#name", Input).focus()

    @on(Input.Submitted)
    def on_submitted(self, event: Input.Submitted) -> None:
        """Enter in a field goes on to the next, and from the filter with the chosen recipe to the form."""
        if event.input.id == "filter":
            self.on_chosen()
        else:
            self.focus_next()

    @work
    async def action_start(self) -> None:
        """Make the run, start its engine, and go to it once that has begun."""
        if self._draft is None or self._draft.spec is None or not self._draft.spec.data.known or self._starting:
            return
        self._starting = True  # a second press is not for a second run
        name = self.query_one("#name", Input).value.strip() or None
        try:
            spec = await asyncio.to_thread(startable, self._draft.spec)
            run = await asyncio.to_thread(create_run, self._runs, spec, name)
        except (ValueError, OSError) as error:
            self._starting = False
            if self.display:
                self._complain(str(error))
            return
        words = f"starting {run.name}: its engine loads torch and the data"
        self.query_one("#problem", Static).update(Text(harmless(words), style(Ink.WARN, colours_of(self.app))))
        self.app.post_message(StartEngine(run))
        beginning = Beginning(run)
        while (reason := await asyncio.to_thread(beginning.look)) is None:
            await asyncio.sleep(LOOK_EVERY)
        self._starting = False
        if self.app.screen is not self:
            return  # the list has it
        if reason:
            self._complain(reason)
        else:
            self.app.post_message(OpenRun(run))

    def action_help(self) -> None:
        """The keys."""
        groups = {"": self.BINDINGS, "the mouse": mouse_rows(_MOUSE)}
        self.app.push_screen(Help("Keys of the form", groups, _NOTES))

    def _complain(self, text: str) -> None:
        problem = self.query_one("#problem", Static)
        problem.update(Text(f"✗ {harmless(text)}", style(Ink.BAD, colours_of(self.app))))


def _checked(spec: Spec) -> Spec:
    check_sizes(spec)
    return spec
