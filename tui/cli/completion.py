"""`completion`: the scripts that complete words in a shell, and the answers that they ask for.

An answer is waited for with a finger on a key: nothing of a run or a recipe is loaded but names.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from laddertop.journal.places import knobs_of, recipes, runs_in
from laddertop.journal.settings import held

SCRIPTS = {
    "bash": r"""_laddertop() {
    local line=${COMP_LINE:0:COMP_POINT} one begun kept
    begun=${line##* }
    kept=${begun%"${begun##*[=:]}"}  # readline takes what comes after = and : for a word of its own
    COMPREPLY=()
    while IFS= read -r one; do
        case $one in *=) compopt -o nospace 2>/dev/null ;; esac
        printf -v one %q "$one"
        COMPREPLY+=("${one#"$kept"}")
    done < <("$1" completion words "$line" 2>/dev/null)
}
complete -o default -F _laddertop laddertop
""",
    "zsh": r"""#compdef laddertop
_laddertop() {
    local -a found ended
    found=("${(@f)$(${words[1]} completion words "${(j: :)words[1,CURRENT]}" 2>/dev/null)}")
    ended=(${(M)found:#*=})
    found=(${found:#*=})
    (( $#found + $#ended )) || { _files; return }
    (( $#ended )) && compadd -S '' -- $ended
    (( $#found )) && compadd -- $found
}
compdef _laddertop laddertop
""",
    "fish": r"""complete -c laddertop -a '(laddertop completion words (commandline -cp | string collect))'
""",
}
"""What a shell reads once, by its name."""

CHOICES = {
    "--device": ("auto", "cpu", "cuda", "mps"),
    "--precision": ("auto", "fp32", "bf16"),
    "--split": ("test", "held_back", "training"),
    "--corruption": ("none", "gaussian", "masking", "salt_and_pepper"),
    "--missing": ("left", "right", "top", "bottom", "box", "random"),
}
"""What options take one of. The values of others are files, which the shell knows, or of the user's own choice."""


def completed(commands: Mapping[str, Any], line: str) -> list[str]:
    """What the last word of a `line` that begins with laddertop may become, best first; `commands` are typer's."""
    try:
        typed = shlex.split(line)[1:]
    except ValueError:  # a quote that is still open
        typed = line.split()[1:]
    begun = typed.pop() if typed and not line[-1].isspace() else ""
    found = _fitting(commands, typed, begun)
    return [word for word in found if word.startswith(begun) and word.isprintable()]


def _fitting(commands: Mapping[str, Any], before: list[str], begun: str) -> list[str]:
    if not before and not begun.startswith("-"):
        return list(commands)
    name = before[0] if before and not before[0].startswith("-") else "open"
    if name not in commands:
        return []
    parameters = commands[name].params
    valued = {o for p in parameters if p.param_type_name == "option" and not p.is_flag for o in p.opts}
    rest = before[1:] if before and before[0] == name else before
    given = {o: rest[i + 1] for i, o in enumerate(rest) if o in valued and i + 1 < len(rest)}
    if rest and rest[-1] in valued:
        return list(CHOICES.get(rest[-1], ()))
    if begun.startswith("-"):
        own = [option for p in parameters if p.param_type_name == "option" for option in p.opts]
        return [*own, "--help", *(["--version"] if not before else [])]
    values = [w for i, w in enumerate(rest) if not w.startswith("-") and (i == 0 or rest[i - 1] not in valued)]
    arguments = [p for p in parameters if p.param_type_name == "argument"]
    if not arguments or (len(values) >= len(arguments) and arguments[-1].nargs != -1):
        return []
    return _values(arguments[min(len(values), len(arguments) - 1)].metavar or "", values, given)


def _values(kind: str, values: list[str], given: dict[str, str]) -> list[str]:
    """What an argument can be, by what help calls it."""
    runs = Path(os.path.expanduser(given.get("--runs") or str(held("runs").value)))
    found = [os.path.basename(path) for path in runs_in(runs)]
    match kind.split(" ")[0].removesuffix("..."):
        case "RUN":
            return [*(["last"] if found else []), *found]
        case "RECIPE" | "RECIPE|SWEEP" | "[TEXT]":
            return recipes()
        case "KNOB=VALUE" | "[KNOB=VALUE]":
            named = found[0] if values[0] == "last" and found else values[0]
            return _knobs(Path(named) if "/" in named else runs / named)
        case "SHELL":
            return list(SCRIPTS)
    return []


def _knobs(run: Path) -> list[str]:
    found = []
    for name, kind in knobs_of(run).items():
        group, _, number = name.rpartition(".")
        if number.isdecimal() and f"{group}=" not in found:
            found.append(f"{group}=")
        found += [f"{name}=on", f"{name}=off"] if kind == "switch" else [f"{name}="]
    return found
