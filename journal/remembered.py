"""A file of which its writer remembers all, so that it is written again where somebody took it away or cut it."""

from __future__ import annotations

from pathlib import Path

from laddertop.journal import inside


class Remembered(inside.Appender):
    """The plain file `name` in `folder`, as `Appender` has it, for as long as it is small enough to be remembered."""

    def __init__(self, folder: Path | str, name: str) -> None:
        """Raises as `Appender` does."""
        super().__init__(folder, name)
        with inside.reading(folder, name) as file:
            self._whole = bytearray(file.read())

    def last_line(self) -> bytes:
        """What comes after the last end of a line."""
        return bytes(self._whole[self._whole.rfind(b"\n") + 1 :])

    def add(self, data: bytes, *, durable: bool = False) -> None:
        """Takes up `data`, which the next `flush` writes; `durable` has it wait for the disk, too."""
        self._whole += data
        super().add(data, durable=durable)

    def flush(self) -> None:
        """Writes what the disk has not taken so far, and all of it where it failed when that was to be waited for.

        Raises OSError when the disk does not take all of it.
        """
        if self._unsure:
            self.renew()
        else:
            super().flush()

    def renew(self) -> None:
        """Puts the file as it should be in the place of whatever is there. Raises OSError when the disk takes none.

        Its bytes are those that it had, so that readers go on where they were.
        """
        inside.write(self._folder, self._name, bytes(self._whole), durable=True)
        self.close()
        super().__init__(self._folder, self._name)
