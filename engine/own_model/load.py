"""The class of a user's own model, from its file or from the package that offers it, and where in the user's code an
error comes from."""

from __future__ import annotations

import inspect
import linecache
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from laddertop.journal.own_model import Code, OwnModelSection, code_of, read_code, sum_of
from laddertop.journal.places import MODELS_GROUP
from laddertop.journal.spec import did_you_mean

MODULE = "laddertop_own_model"
"""Name of the module that a user's file becomes."""


def load_class(model: OwnModelSection, folder: Path | None = None) -> type[nn.Module]:
    """The class that a spec names, of the run in `folder` where there is one.

    Raises ValueError when there is none, when its code is not to be run unasked, or when that fails.
    """
    if model.path is None:
        return _offered(model)
    code = code_of(model, folder) if model.found else read_code(model.path)
    return _named(_executed(code), model.called, code.path)


def file_of(loaded: type[nn.Module]) -> Path:
    """The file that a class was loaded from."""
    return Path(str(sys.modules[loaded.__module__].__file__))


def package_of(model: OwnModelSection) -> str:
    """The package that offers a model, with its version; empty where the user named a file."""
    if model.path is not None:
        return ""
    package = _entry_point(model.place).dist
    return f"{package.name} {package.version}" if package else "an unknown package"


@contextmanager
def in_its_words(files: tuple[Path, ...], doing: str) -> Iterator[None]:
    """Makes any error of a user's code a ValueError of one sentence that points at the line, else names `doing`."""
    try:
        yield
    except (Exception, SystemExit) as error:
        raise ValueError(where(error, files) or f"{doing}: {_what(error)}") from error


def where(error: BaseException, files: tuple[Path, ...]) -> str:
    """The innermost line of the user's files that an error comes from, and what it was; empty when none has to do with
    it: mine.py, line 23, in costs (`h = self.up(x)`): RuntimeError: …"""
    names = {str(file) for file in files}
    if isinstance(error, SyntaxError) and error.filename in names:
        line = (error.text or "").strip()
        return f"{error.filename}, line {error.lineno}{f' (`{line}`)' if line else ''}: {error.msg}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in names]
    if not frames:
        return ""
    at = frames[-1]
    inside = "" if at.name == "<module>" else f", in {at.name}"
    return f"{at.filename}, line {at.lineno}{inside} (`{at.line}`): {_what(error)}"


def _what(error: BaseException) -> str:
    said = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}{f': {said}' if said else ''}"


def _executed(code: Code) -> ModuleType:
    """The module of a file. What was read is run, so that it is what the checksum was taken of."""
    module = ModuleType(MODULE)
    module.__file__ = str(code.path)
    sys.modules[MODULE] = module
    lines = code.text.decode(errors="replace").splitlines(keepends=True)
    # Tracebacks show the lines that were run, whatever became of the file.
    linecache.cache[str(code.path)] = (len(code.text), None, lines, str(code.path))
    with in_its_words((code.path,), str(code.path)):
        exec(compile(code.text, str(code.path), "exec"), module.__dict__)
    return module


def _named(module: ModuleType, name: str, file: Path) -> type[nn.Module]:
    found = getattr(module, name, None)
    if found is None:
        own = [k for k, v in vars(module).items() if inspect.isclass(v) and v.__module__ == module.__name__]
        there = f"; it has {', '.join(own)}" if own else "; it has none"
        raise ValueError(f"{file} has no class {name}{did_you_mean(name, own)}{there}")
    return _module_class(found, f"{file}: {name}")


def _module_class(found: Any, what: str) -> type[nn.Module]:
    if not inspect.isclass(found) or not issubclass(found, nn.Module):
        raise ValueError(f"{what} is no class that derives from torch.nn.Module")
    return found


def _entry_point(name: str) -> EntryPoint:
    offered = entry_points(group=MODELS_GROUP)
    if name not in offered.names:
        hint = did_you_mean(name, sorted(offered.names))
        raise ValueError(f"no installed package offers a model {name!r}{hint}; install the one that does")
    return offered[name]


def _offered(model: OwnModelSection) -> type[nn.Module]:
    """What a package offers. Raises ValueError when it is not what the run was made with."""
    point = _entry_point(model.place)
    try:
        loaded = _module_class(point.load(), f"{model.place} of {package_of(model)}")
    except (ImportError, AttributeError, SyntaxError) as error:
        raise ValueError(f"{model.place} of {package_of(model)} can't be loaded: {_what(error)}") from None
    if model.found and sum_of(file_of(loaded).read_bytes()) != model.found.sha256:
        raise ValueError(
            f"{model.place} of {package_of(model)} is not what the run was made with, which was {model.found.package}; "
            "install that version, or train a new run"
        )
    return loaded
