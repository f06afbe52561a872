"""`kgg demo`."""

from keras_gamegan import demo
from keras_gamegan.command_line import options


def run(arguments: list[str]) -> None:
    """Runs the demonstration.

    Args:
        arguments: Those after `kgg demo`.
    """
    given = options.Options(
        "kgg demo [flags]",
        "Trains the three trainers on a toy, with and without a penalty, over several "
        "seeds, and writes a page that says how they did: three minutes on two cores.",
    )
    flags = given.group("flags")
    flags.text("output_dir", "runs/demo", "Folder of the page.")
    given.parse(arguments)
    demo.main(output_dir=given.output_dir)
