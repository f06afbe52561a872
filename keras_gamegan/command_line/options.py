"""The flags of a subcommand, and its help."""

import sys
import textwrap
from typing import Any

from absl import flags


class UsageError(Exception):
    """A command line that cannot be understood; its text says why."""


class Options:
    """Flags in groups, of which the help shows the first unless all are asked for.

    Args:
        usage: The command line, such as "kgg sample RUN [flags]".
        about: What it does, a sentence or some.
        positional: What the arguments without dashes are called; the last one, with
            "...", may be given several times.
    """

    def __init__(
        self, usage: str, about: str, positional: tuple[str, ...] = ()
    ) -> None:
        self.values = flags.FlagValues()
        self._usage, self._about = usage, about
        self._positional = positional
        self._groups: dict[str, list[str]] = {}

    def group(self, title: str) -> "Group":
        """Returns a new group of flags."""
        names = self._groups.setdefault(title, [])
        return Group(self.values, names)

    def parse(self, arguments: list[str]) -> list[str]:
        """Sets the flags; returns the other arguments.

        Raises:
            UsageError: If there is no such flag, or its value or the number of other
                arguments is wrong.
            SystemExit: If help was asked for, and printed.
        """
        for asked, full in (("--helpfull", True), ("--help", False), ("-h", False)):
            if asked in arguments:
                print(self.help(full))
                sys.exit(0)
        try:
            found = self.values([self._usage, *arguments])[1:]
        except flags.Error as error:
            text, _, close = str(error).rstrip(".").partition(". Did you mean: ")
            names = " or ".join(f"--{each}" for each in close.rstrip(" ?").split(", "))
            hint = f" Did you mean {names}?" if close else ""
            raise UsageError(f"{text}.{hint} See --help.") from error
        several = bool(self._positional) and self._positional[-1].endswith("...")
        enough = len(found) >= len(self._positional) - several
        if not enough or (len(found) > len(self._positional) and not several):
            raise UsageError(
                f"Received: {' '.join(found) or 'nothing'}. Usage: {self._usage}"
            )
        return found

    def help(self, full: bool = False) -> str:
        """Returns the text of --help; of all groups if `full`."""
        lines = [f"usage: {self._usage}", "", *textwrap.wrap(self._about, 78)]
        groups = list(self._groups.items())
        for title, names in groups if full else groups[:1]:
            lines += ["", f"{title}:"]
            for name in names:
                flag = self.values[name]
                shown = str(flag.default_as_str).strip("'")
                default = "" if flag.default is None else f" [{shown}]"
                text = f"  --{name}".ljust(22) + f" {flag.help}{default}"
                lines += textwrap.wrap(text, 78, subsequent_indent=" " * 23)
        if not full and len(groups) > 1:
            lines += ["", "--helpfull lists all flags."]
        return "\n".join(lines)

    def is_given(self, name: str) -> bool:
        """Returns whether a flag was on the command line."""
        return bool(self.values[name].present)

    def __getattr__(self, name: str) -> Any:
        """Returns a flag's value."""
        return getattr(self.values, name)


class Group:
    """Defines the flags of one group; see `absl.flags`."""

    def __init__(self, values: flags.FlagValues, names: list[str]) -> None:
        self._values, self._names = values, names

    def text(self, name: str, default: str | None, about: str) -> None:
        """A string."""
        flags.DEFINE_string(name, default, about, flag_values=self._values)
        self._names.append(name)

    def choice(
        self, name: str, default: str | None, choices: tuple[str, ...], about: str
    ) -> None:
        """One of some strings."""
        flags.DEFINE_enum(name, default, list(choices), about, flag_values=self._values)
        self._names.append(name)

    def integer(
        self, name: str, default: int | None, about: str, minimum: int = 1
    ) -> None:
        """An integer."""
        flags.DEFINE_integer(name, default, about, minimum, flag_values=self._values)
        self._names.append(name)

    def number(
        self,
        name: str,
        default: float | None,
        about: str,
        minimum: float | None = 0.0,
        maximum: float | None = None,
    ) -> None:
        """A number."""
        flags.DEFINE_float(
            name, default, about, minimum, maximum, flag_values=self._values
        )
        self._names.append(name)

    def switch(self, name: str, default: bool, about: str) -> None:
        """On or off: --name, --noname."""
        flags.DEFINE_bool(name, default, about, flag_values=self._values)
        self._names.append(name)
