"""Numbers as people read them, in few and constant columns."""

from __future__ import annotations

import math
import time


def number(value: float) -> str:
    """Three significant digits in at most seven columns: 0.00421, 0.830, 6.10, 41 200, 1.2e-5; nan, inf as such."""
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    size = abs(value)
    if size == 0:
        return "0"
    if size < 0.001 or size >= 999_999.5:
        return _power(f"{value:.1e}")
    if size >= 999.5:
        return thousands(round(value))
    digits = 2 - math.floor(math.log10(size))
    return f"{value:.{digits - 1 if round(size, digits) >= 10 ** (3 - digits) else digits}f}"


def setting(value: float) -> str:
    """A number somebody chose, without idle digits: 0.3, 0.002, 1 000, 1e-5."""
    if math.isfinite(value) and 1000 <= abs(value) < 1e6:
        return thousands(round(value))
    return _power(f"{value:.3g}")


def tick(value: float) -> str:
    """A tick of an axis, 1, 2 or 5 times a power of ten in at most five columns: 0.02, 500, 20k, 5M, 1e-5."""
    size = abs(value)
    for unit, letter in ((1e12, ""), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if letter and unit <= size < 1e12:
            return f"{value / unit:.4g}{letter}"
    if size and (size < 0.001 or size >= 1e12):
        return _power(f"{value:.0e}" if float(f"{value:.0e}") == value else f"{value:.1e}")
    return f"{value:.4g}"


def thousands(value: int) -> str:
    """A whole number in groups of three: 41 200."""
    return f"{value:,}".replace(",", " ")


def size(count: int) -> str:
    """So many bytes, to three significant digits: 812 B, 48.9 kB, 21.8 MB."""
    for unit, letters in ((1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            return f"{number(count / unit)} {letters}"
    return f"{count} B"


def percent(share: float) -> str:
    """A share of 1 in whole per cent, five columns at most: 63 %, <1 %; empty when it is not a number."""
    if not math.isfinite(share):
        return ""
    return "<1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def rate(per_second: float) -> str:
    """Steps a second, three significant digits: 612, 8.31; per minute when it takes longer than a second."""
    if not math.isfinite(per_second) or per_second <= 0:
        return "– step/s"
    return f"{number(per_second)} step/s" if per_second >= 1 else f"{number(60 * per_second)} step/min"


def duration(seconds: float) -> str:
    """A stretch of time in two units: 35 s, 4 min 05 s, 1 h 20 min, 3 d 04 h."""
    if not math.isfinite(seconds) or seconds < 0:
        return "–"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600:02d} h"


def estimate(seconds: float) -> str:
    """A stretch of time as precise as an estimate is, so that it rarely changes: 35 s, 12 min, 1 h 20 min, 3 d 04 h."""
    return f"{seconds / 60:.0f} min" if 90 <= seconds < 3570 else duration(seconds)


def clock(at: float) -> str:
    """The local time of a moment in seconds since 1970: 14:03:59; with its day unless that is today's."""
    then = time.localtime(at)
    today = then[:3] == time.localtime()[:3]
    return time.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S", then)


def ago(seconds: float) -> str:
    """How long ago in one unit, so that it rarely changes: now, 12 s, 5 min, 3 h, 12 d."""
    for unit, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{int(seconds // unit)} {name}"
    return f"{int(seconds)} s" if seconds >= 2 else "now"


def _power(text: str) -> str:
    """1.20e-05 → 1.2e-5."""
    mantissa, e, exponent = text.partition("e")
    if not e:
        return text
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}"
