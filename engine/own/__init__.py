"""The user's own data: looked at and checked when a run is made of them, and read when it is trained. No torch."""

from laddertop.engine.own.look import look
from laddertop.engine.own.read import read

__all__ = ["look", "read"]
