"""What a user settles once for all runs, in one file or in the environment: folders, device, colours, bell, commands.

An option of a command wins over the environment, and the environment over the file. What is wrong in either is told and
means the usual, so that nothing there keeps a run from being looked at.
"""

from __future__ import annotations

import difflib
import os
import re
import stat
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

DEVICE = r"^(auto|cpu|cuda(:\d+)?|mps)$"
"""What names a device."""
LARGEST = 1 << 16
"""Bytes of the file at most."""
TRUSTED = "LADDERTOP_TRUSTED_MODEL"
"""No setting, but the variable by which a front end tells its engines which text of a model of the user's own is to be
run: a checksum, or all. Every command that takes --trust sets it or takes it away."""
THEMES = ("usual", "colour-blind", "contrast")
"""Names of the colours that a dashboard can have."""


class Held(NamedTuple):
    """What holds of a setting."""

    value: str | bool | None
    """None: nobody settled it, and it has no value that could be named."""
    source: str
    """Where it comes from: $VARIABLE, the path of the file, or empty for the usual."""


class Setting(NamedTuple):
    """One row of the table that code, documentation and errors read."""

    takes: str
    """What it takes, in words."""
    usual: str | bool | None
    """What holds where nobody settled it."""
    variable: str
    """The environment variable that wins over the file."""
    about: str
    """What it is, and what it stands for where that is not given."""
    read: Callable[[Any], str | bool | None]
    """The value of what the file or the environment says; None where it is none."""


def _folder(given: Any) -> str | None:
    whole = os.path.expanduser(given) if isinstance(given, str) else ""
    return whole if os.path.isabs(whole) else None


def _one_of(*choices: str) -> Callable[[Any], str | None]:
    return lambda given: given if given in choices else None


def _switch(given: Any) -> bool | None:
    return given if isinstance(given, bool) else {"on": True, "true": True, "off": False, "false": False}.get(given)


def _device(given: Any) -> str | None:
    return given if isinstance(given, str) and re.match(DEVICE, given) else None


def _command(given: Any) -> str | None:
    return given if isinstance(given, str) and "\0" not in given else None


SETTINGS: Mapping[str, Setting] = {
    "runs": Setting(
        "a folder with its whole path, such as ~/runs",
        "checkpoints",
        "LADDERTOP_RUNS",
        "folder of the runs, where `--runs` is not given",
        _folder,
    ),
    "data-root": Setting(
        "a folder with its whole path, such as ~/data",
        None,
        "LADDERTOP_DATA",
        "folder of the data sets, where `--data-root` is not given; usually the per-user cache",
        _folder,
    ),
    "device": Setting(
        "auto, cpu, cuda, cuda:N or mps",
        "auto",
        "LADDERTOP_DEVICE",
        "device of new runs, where neither recipe nor `--device` names one but `auto`",
        _device,
    ),
    "theme": Setting(
        "usual, colour-blind or contrast",
        "usual",
        "LADDERTOP_THEME",
        "colours of the dashboard, until `ctrl+t` chooses others",
        _one_of(*THEMES),
    ),
    "bell": Setting(
        "true or false",
        True,
        "LADDERTOP_BELL",
        "whether the dashboard rings at an end, a divergence and a new best, until `ctrl+n` switches it",
        _switch,
    ),
    "on-end": Setting(
        "a shell command",
        "",
        "LADDERTOP_ON_END",
        "command that is run when a training ends, where `--on-end` is not given",
        _command,
    ),
    "on-diverge": Setting(
        "a shell command",
        "",
        "LADDERTOP_ON_DIVERGE",
        "command that is run when a training diverges, where `--on-diverge` is not given",
        _command,
    ),
    "on-best": Setting(
        "a shell command",
        "",
        "LADDERTOP_ON_BEST",
        "command that is run when an evaluation beats all before it, where `--on-best` is not given",
        _command,
    ),
    "on-finding": Setting(
        "a shell command",
        "",
        "LADDERTOP_ON_FINDING",
        "command that is run when a diagnosis finds something in a training, where `--on-finding` is not given",
        _command,
    ),
    "tensorboard": Setting(
        "a folder with its whole path, such as ~/logs",
        None,
        "LADDERTOP_TENSORBOARD",
        "folder in which every training writes its numbers for TensorBoard, where `--tensorboard` is not given",
        _folder,
    ),
}
"""Every setting, by its name in the file."""

TABLES = ("keys",)
"""Tables in the file that are no settings: which keys do what is laddertop.tui.steer.keys'."""
FOLDERS = ("runs", "data-root", "tensorboard")
"""Settings that the environment may name relative to the current folder."""
WORDS = ("on-end", "on-diverge", "on-best", "on-finding")
"""Settings that are commands; an empty variable has none run, whatever the file says."""


def file() -> Path:
    """The file of settings: in $XDG_CONFIG_HOME, else in ~/.config."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(home) / "laddertop" / "config.toml"


def held(name: str) -> Held:
    """What holds of a setting, whatever is wrong with others."""
    return look()[0][name]


def table(name: str) -> tuple[Any, Callable[[str], str]]:
    """What the file holds in one of `TABLES`, and how errors name the place of a dotted name in the file."""
    path = file()
    tree, text, _ = _read(path)
    return tree.get(name, {}), lambda dotted: f"{path}{_line(dotted, text)}"


def look() -> tuple[dict[str, Held], list[str]]:
    """What holds of every setting, and what is wrong with the file and the environment, each in a sentence."""
    path = file()
    tree, text, problem = _read(path)
    problems = [problem] if problem else []
    holds = {name: Held(about.usual, "") for name, about in SETTINGS.items()}
    for name, given in ((name, given) for name, given in tree.items() if name not in TABLES):
        where = f"{path}{_line(name, text)}"
        if name not in SETTINGS:
            hint = _nearest(name, SETTINGS)
            problems.append(f"{where}: unknown setting {name[:80]!r}{hint}; `laddertop config` lists them all")
        elif (value := SETTINGS[name].read(given)) is None:
            problems.append(f"{where}: {_wrong(name, given)}")
        else:
            holds[name] = Held(value, str(path))
    for name, about in SETTINGS.items():
        if (said := os.environ.get(about.variable)) is not None and (said or name in WORDS):
            value = said if name in FOLDERS else about.read(said)
            if value is None:
                problems.append(f"${about.variable}: {_wrong(name, said)}")
            else:
                holds[name] = Held(value, f"${about.variable}")
    return holds, problems


@cache
def _read(path: Path) -> tuple[dict[str, Any], str, str]:
    """What the file says, its text, and what is wrong with it; nothing of a file that is not there. Read once."""
    try:
        # A pipe in its place holds nobody up.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return {}, "", ""
    except OSError as error:
        return {}, "", f"{path} can't be read: {error.strerror}; the usual settings hold"
    import tomllib

    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            return {}, "", f"{path} is no plain file; the usual settings hold"
        if about.st_uid not in (os.geteuid(), 0) or about.st_mode & stat.S_IWOTH:
            # What a training runs at its end may stand in it.
            return {}, "", f"{path} is not yours alone, others can write to it; `chmod go-w` it, or make your own"
        with open(descriptor, "rb", closefd=False) as opened:
            data = opened.read(LARGEST + 1)
        if len(data) > LARGEST:
            return {}, "", f"{path} is too large for settings: more than {LARGEST >> 10} KiB"
        text = data.decode("utf-8-sig")
        return tomllib.loads(text), text, ""
    except UnicodeDecodeError:
        return {}, "", f"{path} is no text in UTF-8; the usual settings hold"
    except tomllib.TOMLDecodeError as error:
        return {}, "", f"{path} is not valid TOML: {error}; the usual settings hold"
    except (ValueError, RecursionError):
        return {}, "", f"{path} holds a number that is too long, or nests its values too deeply"
    except OSError as error:
        return {}, "", f"{path} can't be read: {error.strerror}; the usual settings hold"
    finally:
        os.close(descriptor)


def _line(name: str, text: str) -> str:
    """Where a dotted name is said in the file, in words; empty where that can't be told."""
    within = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+([^\[\]]+)\]", line):
            full = within = _plain(header[1])
        elif said := re.match(r"\s*([^=#]+)=", line):
            full = f"{within}.{_plain(said[1])}".removeprefix(".")
        else:
            continue
        if full == name or (name.startswith(f"{full}.") and "{" in line):
            return f", line {number}"
    return ""


def _plain(name: str) -> str:
    return re.sub(r"[\s\"']", "", name)


def _wrong(name: str, given: Any) -> str:
    about = SETTINGS[name]
    words = repr(given) if isinstance(given, str) else str(given).lower() if isinstance(given, bool) else repr(given)
    near = _nearest(given, re.split(r", | or ", about.takes)) if isinstance(given, str) else ""
    return f"{name} takes {about.takes} (you gave {words[:80]}){near}"


def _nearest(name: str, known: Any) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" (did you mean {near[0]}?)" if near else ""
