"""An extension of the site's reader of docstrings: what "Example:" heads is code."""

import re

import griffe

_HEAD = re.compile(r"^( *)Example:$", re.MULTILINE)


class ExampleSections(griffe.Extension):
    """Renames the section to what the reader knows: "Examples:"."""

    def on_instance(self, *, obj: griffe.Object, **_: object) -> None:
        """Called for every object that was found."""
        if obj.docstring:
            obj.docstring.value = _HEAD.sub(r"\1Examples:", obj.docstring.value)
