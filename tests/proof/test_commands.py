"""A thousand commands from five senders at once: each is answered once, those of one sender in their order."""

from __future__ import annotations

import random
import threading
from collections import Counter

import pytest

from laddertop.journal.commands import send
from laddertop.journal.events import Commanded
from tests.conftest import Tally
from tests.processes import Laddertop, wait_for

pytestmark = pytest.mark.stress

SENDERS = 5
EACH = 200


def test_every_command_of_five_senders_is_answered_once_and_in_its_order(laddertop: Laddertop, tally: Tally) -> None:
    settings = ("--steps", "100000000", "--set", "checkpoint.every=0", "--set", "evaluate.every=0")
    done = laddertop("train", "tiny.toml", "--name", "asked", "--detach", *settings)
    assert done.returncode == 0, done.stderr
    run = laddertop.runs / "asked"
    sent: dict[str, list[str]] = {f"sender {number}": [] for number in range(SENDERS)}

    def ask(by: str) -> None:
        chance = random.Random(by)
        for _ in range(EACH):
            changes = chance.choice(({"noise": "off"}, {"noise": "on"}, {"lr": chance.uniform(1e-4, 2e-3)}))
            sent[by].append(send(run, 1, "set", changes, by=by).id)

    threads = [threading.Thread(target=ask, args=(by,)) for by in sent]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    def answers() -> list[Commanded]:
        return [event for event in laddertop.events("asked") if isinstance(event, Commanded)]

    wait_for(lambda: len(answers()) >= SENDERS * EACH)
    assert laddertop("stop", "asked").returncode == 0
    told = [event for event in answers() if event.action == "set"]
    times = Counter(event.id for event in told)
    missing = sum(times[identity] == 0 for identities in sent.values() for identity in identities)
    twice = sum(count > 1 for count in times.values())
    moved = sum(
        one != other
        for by, identities in sent.items()
        for one, other in zip(identities, [event.id for event in told if event.by == by], strict=False)
    )
    refused = sum(event.outcome != "applied" for event in told)
    tally("command of five senders", SENDERS * EACH, missing + twice + moved + refused)
    assert (missing, twice, moved, refused) == (0, 0, 0, 0)
