"""Pictures in a Jupyter notebook, where there is one."""

import sys
from typing import Any


def is_notebook() -> bool:
    """Returns whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel")


def show(png: bytes, shown: Any = None) -> Any:
    """Shows a picture below the running cell; does nothing outside a notebook.

    Args:
        png: The file's content.
        shown: What an earlier call returned: the picture takes that one's place.

    Returns:
        What makes the next picture take this one's place; None outside a notebook.
    """
    if not is_notebook():
        return None
    from IPython import display

    picture = display.Image(png)
    if shown is None:
        return display.display(picture, display_id=True)
    shown.update(picture)
    return shown
