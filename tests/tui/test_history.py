"""What the charts are given of a run's metrics, however long it is, against a plain reckoning of every record."""

from __future__ import annotations

import numpy as np
import pytest

import laddertop.tui.watch.history
from laddertop.journal.events import Column
from laddertop.journal.metrics import MetricsReader, MetricsWriter, write_columns
from laddertop.journal.metrics_overview import overview_name
from laddertop.journal.metrics_sums import BLOCK
from laddertop.tui.draw.axis import BINS, XAxis
from laddertop.tui.watch.history import THROUGHPUT, Curves, History, Wanted

NAMES = ["total", "kl", "beta"]
NS = ("total", "kl", THROUGHPUT)


def write(folder, segment: int, first: int, count: int, seed: int = 0, start: float = 1e9):  # type: ignore[no-untyped-def]
    """Records of noise with a spike, a nan and an infinity; returns steps, times and values."""
    rng = np.random.default_rng(seed + segment)
    steps = first + np.arange(count)
    times = start + np.cumsum(rng.uniform(0.5, 1.5, count))
    values = rng.normal(3, 1, (count, 3)).astype(np.float32)
    values[:, 2] = 1
    values[count // 3, 0] = 1000
    values[count // 2, 0] = np.nan
    values[count // 4, 1] = np.inf
    if segment == 1:
        write_columns(folder, [Column(name=n, label=n, unit="") for n in NAMES])
    writer = MetricsWriter(folder, segment, 3)
    for part in np.array_split(np.arange(count), 7):
        writer.append(steps[part], times[part], values[part])
    writer.close()
    return steps, times, values


def reckoned(steps, times, values, wanted: Wanted):  # type: ignore[no-untyped-def]
    """Low, high, smooth and bad of the column total in every bin, one record at a time."""
    x = times - wanted.origin if wanted.axis.unit == "time" else steps
    at = wanted.axis.bins(x)
    low, high, smooth, bad = (np.full(BINS, np.nan) for _ in range(4))
    top = weight = 0.0
    for bin_, value in zip(at.tolist(), values[:, 0].tolist(), strict=True):
        top, weight = top * wanted.decay, weight * wanted.decay
        if np.isfinite(value):
            top, weight = top + value, weight + 1
        if bin_ >= 0:
            bad[bin_] = max(np.nan_to_num(bad[bin_]), not np.isfinite(value))
            if np.isfinite(value):
                low[bin_], high[bin_] = np.fmin(low[bin_], value), np.fmax(high[bin_], value)
            if np.isfinite(low[bin_]) and weight:
                smooth[bin_] = top / weight
    return low, high, smooth, bad


def look(folder) -> tuple[MetricsReader, History]:  # type: ignore[no-untyped-def]
    reader = MetricsReader(folder)
    reader.poll()
    return reader, History(reader)


AXES = [
    XAxis(0, 20_000),
    XAxis(5000, 7000),
    XAxis(9000, 9020),
    XAxis(1, 20_000, log=True),
    XAxis(0, 16_000, "time"),
    XAxis(4000, 9000, "time"),
]


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("decay", [0.0, 0.98])
def test_a_window_holds_what_every_record_in_it_says(tmp_path, axis: XAxis, decay: float) -> None:  # type: ignore[no-untyped-def]
    steps, times, values = write(tmp_path, 1, 1, 12_345)
    wanted = Wanted(axis, NS, decay, 1e9)
    curves = look(tmp_path)[1].all(wanted)
    low, high, smooth, bad = reckoned(steps, times, values, wanted)
    found = curves.of("total")
    np.testing.assert_array_equal(found.low, low)
    np.testing.assert_array_equal(found.high, high)
    np.testing.assert_array_equal(found.bad, bad == 1)
    np.testing.assert_array_equal(found.filled, np.isfinite(bad))
    ends = np.isfinite(low)
    if decay:
        # Records further back than the tail weigh less than a ten-thousandth.
        np.testing.assert_allclose(found.smooth[ends], smooth[ends], rtol=2e-3)


@pytest.mark.parametrize("axis", AXES)
def test_the_overview_of_a_long_run_keeps_every_extreme(tmp_path, axis: XAxis, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    steps, times, values = write(tmp_path, 1, 1, 12_345)
    monkeypatch.setattr(laddertop.tui.watch.history, "RECORDS_AT_MOST", 100)
    monkeypatch.setattr(laddertop.tui.watch.history, "CHUNK", BLOCK)
    wanted = Wanted(axis, NS, 0.9, 1e9)
    found = look(tmp_path)[1].all(wanted).of("total")
    smooth = reckoned(steps, times, values, wanted)[2]
    if axis == AXES[2]:  # narrower than a block, so nothing of the overview lies in it
        assert not found.filled.any()
        return
    x = times - 1e9 if axis.unit == "time" else steps
    # A block stands at its last record, so it may bring what happened a block before the axis.
    reached = np.flatnonzero(wanted.axis.bins(x) >= 0)
    inside = values[max(reached[0] - BLOCK, 0) : reached[-1] + 1, 0]
    inside = inside[np.isfinite(inside)]
    assert np.nanmin(found.low) >= inside.min()
    assert np.nanmax(found.high) <= inside.max()
    spike = reached[np.isfinite(values[reached, 0])]
    if 1000 in values[spike, 0]:
        assert np.nanmax(found.high) == 1000
    ends = found.filled & np.isfinite(smooth)
    same = np.isclose(found.smooth[ends], smooth[ends], rtol=1e-3)
    assert same.any() or axis.log


def test_what_is_appended_gives_the_same_as_gathering_afresh(tmp_path) -> None:  # type: ignore[no-untyped-def]
    steps, times, values = write(tmp_path / "", 1, 1, 3000)
    folder = tmp_path / "grown"
    folder.mkdir()
    write_columns(folder, [Column(name=n, label=n, unit="") for n in NAMES])
    writer = MetricsWriter(folder, 1, 3)
    reader, history = MetricsReader(folder), None
    wanted = Wanted(XAxis(0, 4096), NS, 0.98, 1e9)
    curves: Curves | None = None
    for begin, end in ((0, 700), (700, 701), (701, 2222), (2222, 3000)):
        writer.append(steps[begin:end], times[begin:end], values[begin:end])
        reader.poll()
        if history is None:
            history = History(reader)
            curves = history.all(wanted)
        else:
            curves = history.more(reader.read(1, begin, end))
    writer.close()
    assert curves is not None
    assert history is not None
    fresh_history = look(tmp_path)[1]
    fresh = fresh_history.all(wanted)
    for name in NS:
        for grown, whole in zip(curves.of(name), fresh.of(name), strict=True):
            np.testing.assert_allclose(grown, whole, rtol=1e-4)
    np.testing.assert_array_equal(curves.steps, fresh.steps)
    smoothed, again = history.smoothed(), fresh_history.smoothed()
    assert smoothed == pytest.approx(again, rel=1e-3)


def test_a_resume_throws_steps_away_and_they_are_told_apart(tmp_path) -> None:  # type: ignore[no-untyped-def]
    write(tmp_path, 1, 1, 2000)
    write(tmp_path, 2, 1201, 1000, start=1e9 + 5000)
    curves = look(tmp_path)[1].all(Wanted(XAxis(0, 2560), NS, 0.9, 1e9))
    assert curves.steps.max() == 2200
    bins = XAxis(0, 2560).bins(np.array([1201, 1999, 2199]))
    gone = curves.thrown_away("total").filled
    assert gone[bins[0] + 1 : bins[1]].all()
    assert not gone[: bins[0] - 1].any()
    assert not gone[bins[1] + 2 :].any()


def test_an_overview_that_is_missing_cut_off_or_behind_is_made_good(tmp_path) -> None:  # type: ignore[no-untyped-def]
    write(tmp_path, 1, 1, 12_345)
    wanted = Wanted(XAxis(0, 20_000), NS, 0.98, 1e9)
    whole = look(tmp_path)[1].all(wanted)
    path = tmp_path / overview_name(1)
    data = path.read_bytes()
    for kept in (0, 1, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:kept])
        again = look(tmp_path)[1].all(wanted)
        for one, other in zip(again.of("total"), whole.of("total"), strict=True):
            np.testing.assert_array_equal(one, other)
    path.unlink()
    again = look(tmp_path)[1].all(wanted)
    np.testing.assert_array_equal(again.of("total").high, whole.of("total").high)


def test_a_long_run_without_an_overview_fills_up_look_by_look(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    write(tmp_path, 1, 1, 12_345)
    wanted = Wanted(XAxis(0, 20_000), NS, 0.98, 1e9)
    whole = look(tmp_path)[1].all(wanted)
    (tmp_path / overview_name(1)).unlink()
    monkeypatch.setattr("laddertop.journal.metrics_overview.Overview.GATHER_AT_ONCE", 10)
    history = look(tmp_path)[1]
    filled = []
    while True:
        curves = history.all(wanted)
        filled.append(int(curves.of("total").filled.sum()))
        if history.complete:
            break
    assert filled == sorted(filled)
    assert len(filled) == 5
    np.testing.assert_array_equal(curves.of("total").high, whole.of("total").high)


def test_a_term_that_is_nan_because_its_weight_is_0_is_no_fault(tmp_path) -> None:  # type: ignore[no-untyped-def]
    write_columns(tmp_path, [Column(name=n, label=n, unit="") for n in NAMES])
    values = np.ones((1000, 3), np.float32)
    values[:, 1] = np.nan
    values[:600, 2] = 0
    writer = MetricsWriter(tmp_path, 1, 3)
    writer.append(1 + np.arange(1000), 1e9 + np.arange(1000), values)
    writer.close()
    axis = XAxis(0, 1024)
    wanted = Wanted(axis, NS, 0.98, 1e9, (("kl", "beta"),))
    bad = look(tmp_path)[1].all(wanted).of("kl").bad
    assert not bad[: axis.bins(np.array([599]))[0]].any()
    assert bad[axis.bins(np.array([602]))[0] : axis.bins(np.array([999]))[0]].all()


def test_throughput_is_steps_over_seconds(tmp_path) -> None:  # type: ignore[no-untyped-def]
    write_columns(tmp_path, [Column(name=n, label=n, unit="") for n in NAMES])
    writer = MetricsWriter(tmp_path, 1, 3)
    writer.append(1 + np.arange(5000), 1e9 + np.arange(5000) / 50, np.ones((5000, 3)))
    writer.close()
    found = look(tmp_path)[1].all(Wanted(XAxis(0, 5000), (THROUGHPUT,), 0.98, 1e9)).of(THROUGHPUT)
    np.testing.assert_allclose(found.smooth[found.filled], 50, rtol=1e-3)
    assert not found.bad.any()
