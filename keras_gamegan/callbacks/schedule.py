"""When a callback acts: every epoch, or every so many train steps."""

from keras_gamegan import validation


def check_every(every: str | int) -> str | int:
    """Returns ``every``, or raises unless it is "epoch" or a positive integer."""
    if every == "epoch":
        return every
    if isinstance(every, str):
        raise ValueError(
            '`every` must be "epoch" or a number of train steps. '
            f"Received: every={every!r}."
        )
    return validation.check_integer("every", every, hint='Or every="epoch".')


class Schedule:
    """Says when so many train steps have passed, whatever `steps_per_execution` is.

    Args:
        every: "epoch" or a positive integer.
    """

    def __init__(self, every: str | int) -> None:
        self.every = check_every(every)
        self._last = 0

    def start(self, step: int) -> None:
        """Begins counting at this train step."""
        self._last = step

    def due_after_batch(self, step: int) -> bool:
        """Returns whether the schedule's next multiple has been reached."""
        if isinstance(self.every, str):
            return False
        due = step // self.every > self._last // self.every
        self._last = step
        return due

    def due_after_epoch(self) -> bool:
        """Returns whether epochs are what the schedule counts."""
        return self.every == "epoch"
