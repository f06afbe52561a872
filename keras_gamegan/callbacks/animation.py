"""Pictures of one folder as an animated GIF."""

import importlib
import io
import re
import warnings
from typing import Any

from keras_gamegan import files

NAME = "samples.gif"
# Pictures of an animation at most: a GIF holds each of them.
_MOST = 100
# Milliseconds: of all pictures but the last together, of one at least and at most, and
# of the last one.
_TOTAL, _SHORTEST, _LONGEST, _LAST = 8000, 60, 500, 2000


def write(directory: Any, pattern: str) -> bool:
    """Writes `samples.gif`, from the first picture to the last.

    Of more than a hundred pictures, a hundred are taken, evenly spread. Pictures of
    another size than the last one are of another run and left out; so is, with a
    warning, a file that is no picture: training is over, and its result not lost.

    Args:
        directory: Folder of the pictures, of `files.locate`.
        pattern: Regular expression of their names with one group, the number in time.

    Returns:
        Whether it was written: that takes two pictures, and Pillow.
    """
    pillow = _pillow()
    matches = (re.fullmatch(pattern, name) for name in files.names(directory))
    numbered = [(int(match[1]), match[0]) for match in matches if match]
    names = [name for _, name in sorted(numbered)]
    if pillow is None or len(names) < 2:
        return False
    last = len(names) - 1
    places = {round(index * last / (_MOST - 1)) for index in range(_MOST)}
    chosen = names if last < _MOST else [names[place] for place in sorted(places)]
    frames = []
    for name in chosen:
        try:
            picture = pillow.open(io.BytesIO(files.read_bytes(directory / name)))
            colors = picture.convert("RGB")
        except (OSError, SyntaxError, ValueError) as error:  # As Pillow says damage.
            warnings.warn(
                f"{str(directory / name)!r} is left out of {NAME}: it cannot be read "
                f"as a picture ({error}).",
                stacklevel=2,
            )
            continue
        frames.append(colors.quantize(256, dither=pillow.Dither.NONE))
    frames = [frame for frame in frames if frame.size == frames[-1].size]
    if len(frames) < 2:
        return False
    each = min(max(_TOTAL // len(frames), _SHORTEST), _LONGEST)
    buffer = io.BytesIO()
    frames[0].save(
        buffer,
        format="GIF",
        save_all=True,
        append_images=frames[1:],
        duration=[each] * (len(frames) - 1) + [_LAST],
        loop=0,
    )
    files.write_bytes(directory / NAME, buffer.getvalue())
    return True


def _pillow() -> Any:
    """Returns `PIL.Image`, or None: it comes with matplotlib."""
    try:
        return importlib.import_module("PIL.Image")
    except ImportError:
        return None
