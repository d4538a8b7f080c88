"""Which device which run of several is trained on."""

from __future__ import annotations


def devices_named(words: str) -> list[str]:
    """The devices that are meant by `cuda:0,1`, or by the name of one. Raises ValueError where it can't be a list."""
    kind, _, numbers = words.partition(":")
    if "," not in words:
        return [words]
    found = numbers.split(",")
    if kind != "cuda" or not all(one.isdecimal() for one in found) or len(set(found)) < len(found):
        raise ValueError(f"--device {words}: several are written as cuda:0,1, each of them once")
    return [f"cuda:{int(one)}" for one in found]


def freest(devices: list[str], taken: list[str]) -> str:
    """Of some devices the first of those that the fewest runs are on."""
    return min(devices, key=taken.count)


def full(device: str, devices: list[str], taken: list[str], at_once: int) -> bool:
    """Whether a device has its share of the runs that are at work at a time on several `devices`: that of one which is
    not among them is that of one."""
    return taken.count(device) >= -(-at_once // len(devices)) * max(devices.count(device), 1)
