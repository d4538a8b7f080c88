"""A run in one page of HTML: charts, interventions, evaluations, samples over training, spec and what is wrong with it.

The page holds everything that it shows, and its policy lets no browser ask anybody for anything.
"""

from __future__ import annotations

import time
from base64 import b64encode
from importlib.metadata import version
from pathlib import Path

from laddertop.journal.damage import all_damages
from laddertop.journal.folder import RunFolder
from laddertop.journal.metrics import MetricsReader
from laddertop.tui.draw.cells import Ink
from laddertop.tui.draw.numbers import clock, number, percent, thousands
from laddertop.tui.draw.sheet import png
from laddertop.tui.export.charts import HEIGHT, STYLE, WIDTH, charts, deeds
from laddertop.tui.export.look import look_at
from laddertop.tui.export.markup import element, inert, table
from laddertop.tui.export.samples import PICTURES, pictures
from laddertop.tui.watch.cost_terms import term_rows
from laddertop.tui.watch.effects import before_after, moved_most
from laddertop.tui.watch.run_view import RunView
from laddertop.tui.watch.spec_words import flat, word
from laddertop.tui.watch.trouble import troubles
from laddertop.tui.watch.wording import changes_in_words, measure

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
LAYOUT = (
    "*{box-sizing:border-box}body{margin:0 auto;max-width:1100px;padding:1rem;background:var(--ground);"
    "color:var(--text);font:15px/1.45 system-ui,sans-serif;overflow-wrap:anywhere}"
    "header>:first-child{font-size:1.5rem;margin:.2rem 0}section>:first-child{font-size:1.1rem;margin:2rem 0 .6rem}"
    "p{margin:.3rem 0}.dim,figcaption,th{color:var(--dim)}.wrong{color:var(--bad)}"
    ".charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,430px),1fr));gap:1.2rem}"
    "figure{margin:0}figcaption{font-size:.85rem}figcaption b{color:var(--text)}figcaption span{margin-right:.8em}"
    "svg{width:100%;height:auto;display:block}"
    ".scroll{overflow:auto;max-height:26rem}table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "th,td{text-align:left;vertical-align:top;padding:.25rem .9rem .25rem 0;border-bottom:1px solid var(--line);"
    "overflow-wrap:normal}th{font-weight:500;font-size:.85rem;position:sticky;top:0;background:var(--ground)}"
    ".short{white-space:nowrap}@media print{.scroll{max-height:none}}"
    "img{display:block;max-width:100%;image-rendering:pixelated;border-radius:4px}"
    ".samples{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,330px),1fr));gap:1rem}"
    "summary{cursor:pointer}footer{margin:2.5rem 0 1rem;font-size:.85rem;color:var(--dim)}"
)


def write_html(run: RunFolder, path: Path) -> str:
    """Writes the page; returns what it holds, in words. Raises as `look_at` does."""
    looked = look_at(run)
    view = looked.view
    drawn, shown = charts(looked), pictures(run, view.state.samplings, PICTURES)
    figures = []
    for chart in drawn:
        caption = element(
            "figcaption", f"{element('b', inert(chart.title))} {inert(chart.unit)}<br>{chart.legend('span')}"
        )
        svg = element("svg", chart.body, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=chart.title)
        figures.append(element("figure", caption + svg))
    images = []
    for one in shown:
        caption = element("figcaption", f"<b>step {thousands(one.step)}</b> {inert(', '.join(one.rows))}")
        data = b64encode(png(one.image)).decode()
        images.append(element("figure", f'{caption}<img alt="samples" src="data:image/png;base64,{data}">'))
    parts = [
        _head(view),
        _section("Charts", _grid("charts", figures)),
        _section("Interventions", _interventions(view)),
        _section("Evaluations", _evaluations(view)),
        _section(
            "Samples over training", _unread(view, len(shown)) + element("div", "".join(images), class_="samples")
        ),
        _section("Cost now", _cost(view)),
        _section("What happened", _happened(view)),
        _section("Spec", table(("key", "value"), ((key, word(value)) for key, value in flat(view.spec).items()))),
        element("footer", f"laddertop {version('laddertop')}, from the journal of the run, {inert(_day(time.time()))}"),
    ]
    path.write_text(_page(run.name, "".join(parts)), encoding="utf-8")
    held = (
        (drawn, "charts"),
        (deeds(view), "interventions"),
        (view.state.evaluations, "evaluations"),
        (shown, "samplings"),
    )
    return ", ".join(f"{len(some)} {name}" for some, name in held)


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{inert(title)}</title><style>{STYLE}{LAYOUT}</style></head><body>{body}</body></html>\n"
    )


def _head(view: RunView) -> str:
    started, told = view.state.started, [view.spec.recipe or "a spec of its own"]
    assert started
    told += [started.device, started.precision, f"on {started.host}", _day(started.time)]
    where = f"{view.status()} at step {thousands(view.step)} of {thousands(view.state.end)}"
    lines = [element("h1", inert(view.run.name)), element("p", inert(view.spec.about), class_="dim")]
    headline = view.state.headline()
    best = f" · {measure(headline.name, headline.newest)}, best {number(headline.best.value)}" if headline else ""
    lines += [element("p", inert(where + best)), element("p", inert(" · ".join(filter(None, told))), class_="dim")]
    if view.run.note:
        lines.append(element("p", inert(view.run.note)))
    wrong = [f"{one.sign} {one.name} {one.since_when}: {one.what}" for one in troubles(view)]
    metrics = MetricsReader(view.run.path)
    metrics.poll()
    wrong += all_damages(view.run, view.state, metrics, view.alive)
    return element("header", "".join([*lines, *(element("p", inert(one), class_="wrong") for one in wrong)]))


def _grid(kind: str, figures: list[str]) -> str:
    return element("div", "".join(figures), class_=kind) if figures else ""


def _unread(view: RunView, shown: int) -> str:
    """How many of the samplings that were to be shown can't be."""
    lost = min(PICTURES, len(view.state.samplings)) - shown
    return element("p", f"{lost} of {lost + shown} samplings can't be read", class_="wrong") if lost else ""


def _section(title: str, content: str) -> str:
    return element("section", element("h2", title) + content) if content else ""


def _interventions(view: RunView) -> str:
    labels = {term.name: term.label for term in view.state.terms}
    rows = []
    for at, deed in enumerate(deeds(view), 1):
        effect = view.effects.get(deed.id)
        what = changes_in_words({change.knob: change.set_to for change in deed.changes}, view.state.knobs)
        before = changes_in_words({change.knob: change.old for change in deed.changes}, view.state.knobs)
        undone = " (thrown away by a rollback)" if deed.id in view.state.undone else ""
        said = f"{deed.by}: {deed.note}" if deed.note else deed.by
        cost, terms, window = "", "", ""
        if effect is not None and effect.window:
            cost = before_after(effect, "total") + (", of another objective" if effect.objective else "")
            moved = [name for name in moved_most(effect) if name in labels][:3]
            terms = ", ".join(f"{labels[name]} {before_after(effect, name)}" for name in moved)
            window = f"{effect.window} steps"
        rows.append((at, thousands(deed.step), what + undone, before, said, cost, terms, window))
    head = ("", "step", "to", "from", "by", "cost before → after", "terms that moved most", "over")
    return table(head, rows) if rows else ""


def _evaluations(view: RunView) -> str:
    events = view.state.evaluations
    about = {name: value for event in events for name, value in event.values.items()}
    rows = [
        (
            thousands(event.step),
            event.split,
            *(number(event.values[name].value) if name in event.values else "" for name in about),
        )
        for event in events
    ]
    head = ("step", "data", *(f"{value.called(name)}, {value.unit}" for name, value in about.items()))
    return table(head, rows) if rows else ""


def _cost(view: RunView) -> str:
    rows = [
        (row.term.label, number(row.raw), number(row.weight), number(row.weighted), percent(row.share), row.term.unit)
        for row in term_rows(view)
    ]
    return table(("term", "raw", "× weight", "= weighted", "share", "unit of raw"), rows) if rows else ""


def _happened(view: RunView) -> str:
    """Starts, warnings and ends; interventions, evaluations and checkpoints are told elsewhere, or are no news."""
    rows = [(thousands(line.step), line.text) for line in view.lines if not line.command and line.ink is not Ink.DIM]
    return table(("step", "what"), rows)


def _day(at: float) -> str:
    day = time.strftime("%Y-%m-%d", time.localtime(at))
    return f"{day} {clock(at).split(' ')[-1]}"
