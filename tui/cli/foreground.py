"""A training in the foreground: shows what happens until its engine is gone, and passes on what asks it to end."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import time
from functools import partial

from laddertop.tui.cli.follow import Meter, Reporter, json_line, reporter_for
from laddertop.tui.cli.print import result
from laddertop.tui.cli.show import headline
from laddertop.tui.steer.ending import signals_taken
from laddertop.tui.steer.engine_process import WAITS, EngineError, EngineProcess
from laddertop.tui.watch.summary import summary

LOOK_EVERY = 0.1
"""Seconds between two looks at the journal."""


def watch(engine: EngineProcess, as_json: bool) -> int:
    """Reports until the engine is gone and returns the exit status; raises EngineError when it failed or crashed."""
    with signals_taken(partial(_pass_on, engine)) as received:
        try:
            _follow(engine, reporter_for(engine, as_json), received)
            _report_end(engine, as_json)
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.EIO):
                raise
            # Nobody reads any more: the other end of a pipe, or the terminal, is gone.
            received.append(signal.SIGPIPE if error.errno == errno.EPIPE else signal.SIGHUP)
            engine.process.terminate()
            engine.process.wait()
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.dup2(1, 2)
    if received:
        return 128 + received[0]
    status = engine.state.status(alive=False)
    if engine.ended_on_purpose and status == "diverged":
        raise EngineError(f"{engine.run.name} {status}: {engine.obituary()}")
    if not engine.ended_on_purpose or status == "failed":
        hint = f"; `laddertop resume {engine.run.name}` goes on from its newest checkpoint" if engine.started else ""
        raise engine.failure(hint)
    return 0


def _follow(engine: EngineProcess, report: Reporter, received: list[int]) -> None:
    """Reports what happens until the engine is gone."""
    meter = Meter(engine)
    next_look, shown, told_to_stop, waited = 0.0, (-1, False), False, False
    try:
        gone = False
        while not gone:
            with contextlib.suppress(subprocess.TimeoutExpired):
                engine.process.wait(LOOK_EVERY)
            gone = engine.process.poll() is not None
            if received and not told_to_stop and not gone:
                told_to_stop = True
                report.message("stopping: the engine finishes its step and saves; ctrl-c (again) kills it at once")
            if (waits := not gone and engine.run.engine_waits()) and not waited:
                report.message(WAITS)
            waited = waits
            for event in engine.news():
                report.happened(event, engine.state.knobs)
            if engine.started and (gone or time.monotonic() >= next_look):
                next_look = time.monotonic() + report.every
                now = meter.read()
                if (now.step, now.paused) != shown:
                    shown = (now.step, now.paused)
                    report.progress(now)
    finally:
        report.close()


def _report_end(engine: EngineProcess, as_json: bool) -> None:
    told = summary(engine.run)
    if as_json:
        ended = engine.state.ended if engine.ended_on_purpose else None
        last = {"run": engine.run.name, "time": time.time(), "step": told["step"]}
        reason = {
            "reason": ended.reason if ended else "crashed",
            "detail": ended.detail if ended else engine.obituary(),
        }
        json_line("ended", {**last, **reason, "summary": told})
    elif engine.started:
        evaluation = f", {headline(told['evaluation'])}" if told["evaluation"] else ""
        result(f"{told['name']}: {told['state']} at step {told['step']} of {told['steps']}{evaluation}")


def _pass_on(engine: EngineProcess, number: int, again: bool) -> None:
    """Passes on what asks this process to end, so that the engine stops in good order; a second SIGINT kills it."""
    interrupted = number == signal.SIGINT
    engine.process.send_signal(
        signal.SIGKILL if again and interrupted else signal.SIGINT if interrupted else signal.SIGTERM
    )
