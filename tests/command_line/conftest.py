"""A folder of small images in two classes."""

import numpy as np
import PIL.Image
import pytest


@pytest.fixture(name="images", scope="module")
def fixture_images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    for number in range(12):
        pixels = rng.integers(0, 256, (9 + number, 10, 3), np.uint8)
        (folder / "ab"[number % 2]).mkdir(exist_ok=True)
        PIL.Image.fromarray(pixels).save(folder / "ab"[number % 2] / f"{number}.png")
    return folder
