"""Errors of the library in the words of the command line: remedies are flags."""

from keras_gamegan.command_line import options
from keras_gamegan.networks import building


def in_flags(error: ValueError, source: str, given: options.Options) -> ValueError:
    """Returns an error of loading or building with the remedy as a flag.

    Args:
        error: What the library raised.
        source: SOURCE.
        given: The flags of `kgg train`.
    """
    text = str(error)
    if "Did you mean" in text:
        return error
    if "list_builders" in text:
        return ValueError(
            "SOURCE must be a folder of images, a .npz or .npy file, or the name of a "
            f"TFDS data set. Received: {source!r}, and there is none of that name. "
            "Check the spelling, or give the path."
        )
    for part, remedy in _remedies(given).items():
        if part in text:
            # The cause stays; where Python's arguments stood comes the flag.
            cause, _, received = text.partition(" Received: ")
            first = received.split(". ")[0].rstrip(".")
            return ValueError(f"{cause} Received: {first}. {remedy}")
    return error


def _remedies(given: options.Options) -> dict[str, str]:
    """Returns what is said in an error -> which flag mends it."""
    sides = building.fitting_sides(given.image_size or 64)
    found = {
        "drop_remainder": "Use a smaller --batch_size, no more than there are.",
        "data_dir=": "Use --data_dir=FOLDER with what TFDS has prepared.",
        "load_images(": f"Use --image_size={' or '.join(map(str, sides))}.",
    }
    if given.conditional:
        found["labels="] = (
            "Sort the images into subfolders, or leave --conditional out."
        )
    return found
