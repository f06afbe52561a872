"""What SampleGrid writes beside pictures: an animation, events, a notebook's output."""

import io
import sys
import types

import keras
import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan import files
from keras_gamegan.callbacks import animation, sample_grid


def make():
    pair = kgg.networks.dcgan_pair((28, 28, 1), latent_dim=4, base_filters=4, seed=0)
    gan = kgg.GAN(*pair, seed=0)
    # So fast that an epoch of one step changes the picture.
    gan.compile(d_optimizer="sgd", g_optimizer=keras.optimizers.SGD(10.0))
    return gan


DATA = np.zeros((8, 28, 28, 1), "float32")


def png(value, size=4):
    image = np.full((size, size, 1), value, np.uint8)
    return tf.io.encode_png(image).numpy()


def frames(content):
    with PIL.Image.open(io.BytesIO(content)) as picture:
        found = []
        for index in range(picture.n_frames):
            picture.seek(index)
            pixel = picture.convert("RGB").getpixel((0, 0))[0]
            found.append((pixel, picture.info["duration"]))
        return found


@pytest.mark.parametrize("scheme", ["", "ram://"])
def test_frames_are_the_pictures_in_the_order_of_time(scheme, tmp_path):
    folder = files.locate("directory", f"{scheme}{tmp_path}/pictures")
    files.make_folder(folder)
    for epoch in (9, 10, 999, 1000):
        files.write_bytes(folder / f"epoch_{epoch:03d}.png", png(epoch % 251))
    files.write_bytes(folder / "epoch_001.png", png(7, size=5))  # Of another run.
    files.write_bytes(folder / "step_00000001.png", png(8))
    files.write_bytes(folder / "epoch_best.png", png(8))
    assert animation.write(folder, r"epoch_([0-9]+)\.png")
    found = frames(files.read_bytes(folder / "samples.gif"))
    assert [pixel for pixel, _ in found] == [9, 10, 999 % 251, 1000 % 251]
    assert [duration for _, duration in found] == [500, 500, 500, 2000]


def test_of_many_pictures_a_hundred_are_taken_first_and_last_included(tmp_path):
    for step in range(1, 251):
        (tmp_path / f"step_{step:08d}.png").write_bytes(png(step))
    assert animation.write(tmp_path, r"step_([0-9]+)\.png")
    found = [pixel for pixel, _ in frames((tmp_path / "samples.gif").read_bytes())]
    assert len(found) == 100 and found == sorted(set(found))
    assert (found[0], found[-1]) == (1, 250)


def test_what_is_no_picture_is_left_out_and_named(tmp_path):
    for epoch in (1, 2, 3):
        (tmp_path / f"epoch_00{epoch}.png").write_bytes(png(epoch))
    (tmp_path / "epoch_002.png").write_bytes(b"no picture")
    with pytest.warns(UserWarning, match=r"epoch_002\.png' is left out of samples"):
        assert animation.write(tmp_path, r"epoch_([0-9]+)\.png")
    found = frames((tmp_path / "samples.gif").read_bytes())
    assert [pixel for pixel, _ in found] == [1, 3]


def test_no_animation_of_one_picture_nor_without_pillow(tmp_path, monkeypatch):
    (tmp_path / "epoch_001.png").write_bytes(png(1))
    assert not animation.write(tmp_path, r"epoch_([0-9]+)\.png")
    (tmp_path / "epoch_002.png").write_bytes(png(2))
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    assert not animation.write(tmp_path, r"epoch_([0-9]+)\.png")
    assert not (tmp_path / "samples.gif").exists()


def test_a_run_ends_with_its_animation_and_its_events(tmp_path):
    grid = kgg.callbacks.SampleGrid(
        tmp_path / "a", num_samples=4, tensorboard=tmp_path / "b"
    )
    make().fit(DATA, epochs=2, verbose=0, callbacks=[grid])
    last = tf.io.decode_png((tmp_path / "a" / "epoch_002.png").read_bytes())
    (path,) = (tmp_path / "b").iterdir()
    records = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    read = [tf.compat.v1.Event.FromString(record) for record in records]
    events = [(event.step, each) for event in read for each in event.summary.value]
    assert [step for step, _ in events] == [1, 2]
    shown = tf.io.decode_png(tf.make_ndarray(events[-1][1].tensor)[2])
    np.testing.assert_array_equal(shown, last)
    with PIL.Image.open(tmp_path / "a" / "samples.gif") as picture:
        assert picture.n_frames == 2 and picture.size == (last.shape[1], last.shape[0])


def test_true_puts_the_events_beside_the_pictures(tmp_path):
    grid = kgg.callbacks.SampleGrid(tmp_path, num_samples=4, tensorboard=True)
    make().fit(DATA, verbose=0, callbacks=[grid])
    assert len(list(tmp_path.glob("events.out.tfevents.*"))) == 1


def test_tensorboard_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    grid = kgg.callbacks.SampleGrid(tmp_path, num_samples=4, tensorboard=True)
    with pytest.raises(ImportError, match=r"pip install 'keras-gamegan\[examples\]'"):
        make().fit(DATA, verbose=0, callbacks=[grid])


class Display:
    """Stands in for IPython, which the tests do not need otherwise."""

    def __init__(self):
        self.seen = []
        self.Image = bytes

    def display(self, picture, display_id):
        assert display_id is True
        self.seen.append(("new", picture))
        return types.SimpleNamespace(
            update=lambda newer: self.seen.append(("updated", newer))
        )


@pytest.mark.parametrize("kernel", [True, False])
def test_notebooks_show_the_newest_picture_in_one_place(kernel, tmp_path, monkeypatch):
    display = Display()
    shell = types.SimpleNamespace(kernel=1) if kernel else object()
    module = types.ModuleType("IPython")
    module.display, module.get_ipython = display, lambda: shell
    monkeypatch.setitem(sys.modules, "IPython", module)
    grid = kgg.callbacks.SampleGrid(tmp_path, num_samples=4, show=True)
    make().fit(DATA, epochs=2, verbose=0, callbacks=[grid])
    pictures = [(tmp_path / f"epoch_00{n}.png").read_bytes() for n in (1, 2)]
    expected = list(zip(("new", "updated"), pictures, strict=True))
    assert display.seen == (expected if kernel else [])


@pytest.mark.parametrize("where", [False, True, "ram://logs"])
def test_configuration_round_trip(where):
    grid = kgg.callbacks.SampleGrid("pictures", tensorboard=where, show=True)
    config = grid.get_config()
    assert config["tensorboard"] == where and config["show"] is True
    assert sample_grid.SampleGrid.from_config(config).get_config() == config
    with pytest.raises((TypeError, ValueError), match="tensorboard"):
        kgg.callbacks.SampleGrid("pictures", tensorboard=3)
