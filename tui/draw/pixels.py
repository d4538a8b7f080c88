"""Images in the terminal's own pixels: the kitty graphics protocol with Unicode placeholders.

https://sw.kovidgoyal.net/kitty/graphics-protocol/#unicode-placeholders. An image is sent once, under a number. Cells
that hold U+10EEEE show a part of it: their colour and a third diacritic say the number, two diacritics row and column.
So images are moved, cut and compared like all other cells. The terminal is asked nothing and answers nothing (q=2):
answers over a slow link would arrive as keys.
"""

from __future__ import annotations

import base64
from collections import OrderedDict
from collections.abc import Callable, Iterator

import numpy as np

from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.sheet import png

_PLACEHOLDER = "\U0010eeee"
_DIACRITICS = bytes.fromhex(
    "0305 030D 030E 0310 0312 033D 033E 033F 0346 034A 034B 034C 0350 0351 0352 0357 035B 0363 0364 0365 0366 0367"
    "0368 0369 036A 036B 036C 036D 036E 036F 0483 0484 0485 0486 0487 0592 0593 0594 0595 0597 0598 0599 059C 059D"
    "059E 059F 05A0 05A1 05A8 05A9 05AB 05AC 05AF 05C4 0610 0611 0612 0613 0614 0615 0616 0617 0657 0658"
).decode("utf-16-be")
"""What row or column 0, 1, … of an image is called in a placeholder."""

_PRIVATE = 0x100000
"""Row r and column c of an image is this character + 64 r + c in a picture; `placeholders` makes what is sent of it."""

_FIRST, _COLOURS = 16, 240
"""The palette entries that are sent as such with 256 colours and with more."""

_NUMBERS = _COLOURS * len(_DIACRITICS)
_HELD = 600
"""Images that the terminal holds at once, some 200 MB in kitty, which forgets the oldest beyond 320 MB."""

_CHUNK = 4096
"""Characters of data in one sequence."""

_ROW_PIXELS = 20
"""Pixels that a row of cells is high in most terminals; less would be smoothed by the terminal."""


class Pixels:
    """The images that the terminal holds."""

    def __init__(self) -> None:
        self._send: Callable[[str], object] | None = None
        self._numbers: OrderedDict[tuple[bytes, tuple[int, ...], int, int], int] = OrderedDict()
        self._next = 0

    @property
    def on(self) -> bool:
        """Whether images are drawn in pixels."""
        return self._send is not None

    def open(self, send: Callable[[str], object]) -> None:
        """From now on images go to the terminal through `send`."""
        self._send = send

    def place(self, image: np.ndarray, rows: int, columns: int) -> Cells:
        """Cells that show a uint8 image (H, W), or (H, W, 3) for colour, which is sent unless the terminal has it."""
        assert self._send is not None
        assert max(rows, columns) <= len(_DIACRITICS)
        key = (image.tobytes(), image.shape, rows, columns)
        if key in self._numbers:
            self._numbers.move_to_end(key)
        else:
            if len(self._numbers) == _HELD:
                self._send(_forget(self._numbers.popitem(last=False)[1]))  # what was not drawn for longest
            self._numbers[key], self._next = self._next, (self._next + 1) % _NUMBERS
            self._send("".join(_sequences(image, rows, columns, self._numbers[key])))
        cells = Cells(rows, columns)
        at = _PRIVATE + 64 * np.arange(rows)[:, None] + np.arange(columns)
        cells.chars[:] = at.astype(np.uint32).view("<U1")
        cells.inks[:] = Ink.IMAGES + self._numbers[key]
        return cells

    def close(self) -> str:
        """No more images. What makes the terminal forget those it has."""
        numbers, self._send = list(self._numbers.values()), None
        self._numbers.clear()
        return "".join(map(_forget, numbers))


TERMINAL = Pixels()
"""The one terminal of this process; off until `open`."""


def placeholders(text: str, number: int) -> list[str]:
    """Cells of the image `number` as the terminal takes them, each with its diacritics; `palette` is their colour."""
    at = [divmod(ord(char) - _PRIVATE, 64) for char in text]
    high = _DIACRITICS[number // _COLOURS]
    return [_PLACEHOLDER + _DIACRITICS[row] + _DIACRITICS[column] + high for row, column in at]


def palette(number: int) -> int:
    """The palette entry that stands for the image `number`."""
    return _FIRST + number % _COLOURS


def _name(number: int) -> int:
    """What the protocol calls the image: its palette entry is the lowest byte, the third diacritic the highest."""
    return palette(number) + (number // _COLOURS << 24)


def _forget(number: int) -> str:
    return f"\x1b_Ga=d,d=I,i={_name(number)},q=2\x1b\\"


def _sequences(image: np.ndarray, rows: int, columns: int, number: int) -> Iterator[str]:
    times = max(1, -(-rows * _ROW_PIXELS // image.shape[0]))
    data = base64.b64encode(png(image.repeat(times, 0).repeat(times, 1))).decode()
    head = f"a=T,U=1,f=100,i={_name(number)},c={columns},r={rows},"
    for start in range(0, len(data), _CHUNK):
        more = int(start + _CHUNK < len(data))
        yield f"\x1b_G{head}q=2,m={more};{data[start : start + _CHUNK]}\x1b\\"
        head = ""
