"""NumPy files, pipelines, and the one function that tells sources apart."""

import io
import zipfile

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

import keras_gamegan as kgg
from keras_gamegan import datasets
from keras_gamegan.datasets import pipelines

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8), np.uint8)
LABELS = np.arange(6) % 3


def saved(tmp_path, **arrays):
    path = tmp_path / "data.npz"
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    "names",
    [("images", "labels"), ("x_train", "y_train"), ("x", "y"), ("arr_0", "arr_1")],
)
def test_usual_names_of_arrays(names, tmp_path):
    path = saved(tmp_path, **dict(zip(names, (IMAGES, LABELS), strict=True)))
    stream = datasets.load_npz(path, 6, with_labels=True, shuffle=False)
    images, labels = stream.batch(0)
    np.testing.assert_allclose(images, IMAGES[..., None] / 127.5 - 1, atol=1e-6)
    np.testing.assert_array_equal(labels, LABELS)
    alone = datasets.load_npz(path, 6, shuffle=False).batch(0)
    np.testing.assert_array_equal(alone, images)


def test_named_arrays_a_single_one_and_npy(tmp_path):
    path = saved(tmp_path, pixels=IMAGES, kinds=LABELS)
    stream = datasets.load_npz(
        path, 6, shuffle=False, image_key="pixels", label_key="kinds", with_labels=True
    )
    np.testing.assert_array_equal(stream.batch(0)[1], LABELS)
    series = np.random.default_rng(1).normal(size=(6, 5, 2))
    np.save(tmp_path / "series.npy", series)
    for path in (saved(tmp_path, other=series), tmp_path / "series.npy"):
        found = datasets.load_npz(path, 6, shuffle=False).batch(0)
        np.testing.assert_allclose(found, series, atol=1e-6)


@pytest.mark.parametrize(
    "content, arguments, error, text",
    [
        (None, {}, FileNotFoundError, "there is no such file"),
        (b"text", {}, ValueError, "of numbers, as np.savez"),
        (b"", {}, ValueError, "of numbers, as np.savez"),
        (
            {"a": IMAGES, "b": LABELS},
            {},
            ValueError,
            r"holds 'a' \(6, 8, 8\), 'b' \(6,\)",
        ),
        ({"images": IMAGES}, {"image_key": "x"}, ValueError, "image_key='x'"),
        ({"images": IMAGES}, {"with_labels": True}, ValueError, "label_key=None"),
        ({"images": IMAGES.astype(int)}, {}, TypeError, "an array of int64"),
        ({"images": np.array([{}])}, {}, ValueError, "of numbers, as np.savez"),
        (
            {"images": IMAGES, "labels": LABELS[:2]},
            {"with_labels": True},
            ValueError,
            r"shape \(6,\)",
        ),
    ],
)
def test_bad_files(content, arguments, error, text, tmp_path):
    path = tmp_path / "data.npz"
    if isinstance(content, dict):
        saved(tmp_path, **content)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=text):
        datasets.load_npz(path, 2, **arguments)


def elements(form):
    if form == "dictionaries":
        both = {"image": IMAGES[..., None], "label": LABELS, "id": LABELS}
        return tf.data.Dataset.from_tensor_slices(both), {"label_key": "label"}
    both = (IMAGES[..., None], LABELS)
    return tf.data.Dataset.from_tensor_slices(both), {}


@pytest.mark.parametrize("form", ["dictionaries", "tuples"])
def test_examples_with_labels(form):
    dataset, keys = elements(form)
    stream = datasets.from_dataset(dataset, batch_size=6, shuffle=False, **keys)
    images, labels = stream.batch(0)
    np.testing.assert_allclose(images, IMAGES[..., None] / 127.5 - 1, atol=1e-6)
    np.testing.assert_array_equal(labels, LABELS)


def test_images_alone_are_resized_and_entered_at_any_step():
    def pictures():
        for index in range(6):
            yield {"photo": np.full((9 + index, 12, 3), 10 * index, np.uint8)}

    spec = {"photo": tf.TensorSpec((None, None, 3), tf.uint8)}
    dataset = tf.data.Dataset.from_generator(pictures, output_signature=spec)
    stream = datasets.from_dataset(dataset, "photo", image_size=4, batch_size=2, seed=1)
    assert stream.example_shape == (4, 4, 3)
    batches = list(stream.epochs())
    grey = sorted(np.rint((np.stack(batches)[..., 0, 0, 0] + 1) * 127.5).ravel())
    np.testing.assert_allclose(grey, 10 * np.arange(6), atol=1e-3)
    for step, batch in enumerate(stream.endless(start_step=1).take(2), start=1):
        np.testing.assert_array_equal(batch, batches[step])


def test_fit_takes_what_tensorflow_datasets_yields():
    with tfds.testing.mock_data(num_examples=8):
        dataset = tfds.load("mnist", split="train")
        stream = datasets.from_dataset(dataset, batch_size=4)
    gan = kgg.GAN(*kgg.networks.dcgan_pair((28, 28, 1), 2, base_filters=2), seed=0)
    gan.compile()
    assert np.isfinite(gan.fit(stream, verbose=0).history["d_loss"]).all()


@pytest.mark.parametrize(
    "make, arguments, error, text",
    [
        (lambda d: IMAGES, {}, TypeError, "of type ndarray"),
        (lambda d: d.repeat(), {}, ValueError, "an endless one"),
        (lambda d: d.take(0), {}, ValueError, "an empty one"),
        (lambda d: d, {"image_key": "img"}, ValueError, r"\['id', 'image', 'label'\]"),
        (lambda d: d, {"label_key": "kind"}, ValueError, "label_key='kind'"),
        (
            lambda d: d.map(lambda e: e["image"]),
            {"label_key": "x"},
            ValueError,
            "belongs",
        ),
        (lambda d: d.map(lambda e: e["label"]), {}, TypeError, "must be uint8"),
        (lambda d: d.batch(2), {}, ValueError, r"shape \(None, 8, 8, 1\).*unbatch"),
        (lambda d: d.batch(2, True), {"image_size": 4}, ValueError, "unbatch"),
        (lambda d: d, {"batch_size": 7}, ValueError, "batch_size=7 for 6"),
        (lambda d: d.map(lambda e: (1, 2, 3)), {}, ValueError, "a tuple of 3"),
        (lambda d: d.batch(2, True), {}, ValueError, r"\(2, 8, 8, 1\).*\.unbatch\(\)"),
        (
            lambda d: d.map(lambda e: tf.cast(e["image"], "float32")).batch(3, True),
            {},
            ValueError,
            r"\(3, 8, 8, 1\).*\.unbatch\(\)",
        ),
        (
            lambda d: d.map(lambda e: (e["image"][..., 0], e["label"])).batch(2, True),
            {},
            ValueError,
            r"labels of shape \(2,\).*\.unbatch\(\)",
        ),
        (
            lambda d: d.map(lambda e: (e["image"], e)),
            {},
            TypeError,
            r"Labels must be integers.*\{'image'.*label\[\"class\"\]",
        ),
        (
            lambda d: d.map(lambda e: {"image": e["image"], "label": {"a": e["id"]}}),
            {"label_key": "label"},
            TypeError,
            r"Labels must be integers.*\{'a'",
        ),
        (
            lambda d: d.map(lambda e: (e["image"], e["image"])),
            {},
            ValueError,
            r"labels of shape \(8, 8, 1\)",
        ),
        (
            lambda d: d.map(lambda e: (e["image"], tf.one_hot(e["label"], 3))),
            {},
            TypeError,
            r"Labels must be integers.*float32",
        ),
        (
            lambda d: d.map(
                lambda e: (e["image"], tf.one_hot(e["label"], 3, dtype="int32"))
            ),
            {},
            ValueError,
            r"labels of shape \(3,\).*tf.argmax",
        ),
        (lambda d: d, {"shuffle": "no"}, TypeError, "shuffle='no'"),
        (lambda d: d, {"drop_remainder": None}, TypeError, "drop_remainder=None"),
    ],
)
def test_bad_pipelines(make, arguments, error, text):
    with pytest.raises(error, match=text):
        datasets.from_dataset(
            make(elements("dictionaries")[0]), **{"batch_size": 2, **arguments}
        )


def test_too_much_for_memory(monkeypatch):
    monkeypatch.setattr(pipelines, "_MEMORY_LIMIT", 6 * 64 - 1)
    with pytest.raises(ValueError, match=r"shape \(8, 8, 1\).*as it is, mapped"):
        datasets.from_dataset(elements("tuples")[0], batch_size=2)


@pytest.mark.filterwarnings("ignore:.* were enlarged")
def test_sources_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("cat", "dog"):
        (tmp_path / "mnist" / name).mkdir(parents=True)
        for number in range(2):
            image = PIL.Image.fromarray(IMAGES[number])
            image.save(tmp_path / "mnist" / name / f"{number}.png")
    folder = datasets.load("mnist", batch_size=2, with_labels=True)
    assert folder.example_shape == (64, 64, 3) and folder.class_names == ["cat", "dog"]
    small = datasets.load("mnist/", 16, 2, color_mode="grayscale")
    assert small.example_shape == (16, 16, 1) and small.class_names is None
    saved(tmp_path, images=IMAGES)
    assert datasets.load("data.npz", (8, 8), 2).example_shape == (8, 8, 1)
    with tfds.testing.mock_data(num_examples=4):
        named = datasets.load("fashion_mnist", batch_size=2, with_labels=True)
    assert named.example_shape == (28, 28, 1) and named.class_names[1] == "Trouser"
    with pytest.raises(FileNotFoundError, match="does not exist in"):
        datasets.load("nowhere/pngs")
    with pytest.raises(ValueError, match=r"image_size=16 for 'data.npz'.*\(8, 8, 1\)"):
        datasets.load("data.npz", 16, 2)
    with pytest.raises(
        ValueError, match=r"no such folder or file in.*Did you mean 'fashion_mn"
    ):
        datasets.load("fashion_mnits")


@pytest.mark.parametrize("name", ["data.npz", "pictures", "fashion_mnist"])
@pytest.mark.parametrize(
    "arguments, owner, text",
    [
        ({"color_mode": "grayscale"}, "pictures", "a folder of images"),
        ({"cache": "kept"}, "pictures", "a folder of images"),
        ({"split": "test"}, "fashion_mnist", "a TFDS data set"),
        ({"data_dir": "prepared"}, "fashion_mnist", "a TFDS data set"),
    ],
)
@pytest.mark.filterwarnings("ignore:.* were enlarged")
def test_arguments_of_other_sources(
    name, arguments, owner, text, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    saved(tmp_path, images=IMAGES)
    (tmp_path / "pictures").mkdir()
    for number, image in enumerate(IMAGES):
        PIL.Image.fromarray(image).save(tmp_path / "pictures" / f"{number}.png")

    def load():
        with tfds.testing.mock_data(num_examples=4):
            return datasets.load(name, batch_size=2, download=True, **arguments)

    if name == owner:
        assert load().batch_size == 2
        return
    (argument,) = arguments
    with pytest.raises(
        ValueError,
        match=rf"`{argument}` is an argument of {text}.*{argument}='.*{name}",
    ):
        load()


@pytest.mark.parametrize(
    "arguments, error, text",
    [
        ({"source": None}, TypeError, "`source` must be a str.*source=None"),
        ({"source": b"data.npz"}, TypeError, "source=b'data.npz'"),
        ({"source": ""}, ValueError, "source=''"),
        ({"image_size": (1, 2, 3)}, ValueError, r"image_size=\(1, 2, 3\)"),
        ({"image_size": "8"}, TypeError, "image_size='8'"),
        ({"image_size": 0}, ValueError, "image_size=0"),
        ({"with_labels": "yes"}, TypeError, "with_labels='yes'"),
        ({"drop_remainder": "yes"}, TypeError, "drop_remainder='yes'"),
        ({"source": "mnist", "download": "no"}, TypeError, "download='no'"),
    ],
)
def test_bad_arguments_of_load(arguments, error, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved(tmp_path, images=IMAGES)
    with pytest.raises(error, match=text):
        datasets.load(**{"source": "data.npz", "batch_size": 2, **arguments})
    if "source" not in arguments:
        (tmp_path / "nothing").mkdir()
        with pytest.raises((TypeError, ValueError), match=text):
            datasets.load(**{"source": "nothing/", "batch_size": 2, **arguments})


@pytest.mark.parametrize("flag", ["with_labels", "shuffle", "drop_remainder"])
def test_flags_of_array_files(flag, tmp_path):
    path = saved(tmp_path, images=IMAGES, labels=LABELS)
    with pytest.raises(TypeError, match=f"{flag}='False'"):
        datasets.load_npz(path, 2, **{flag: "False"})
    with pytest.raises(TypeError, match="path=3"):
        datasets.load_npz(3)


@pytest.mark.parametrize(
    "flag", ["shuffle", "with_labels", "cache", "drop_remainder", "download"]
)
def test_flags_of_named_data_sets(flag):
    with pytest.raises(TypeError, match=f"{flag}='no'"):
        datasets.load_images("mnist", **{flag: "no"})


def test_a_picture_is_no_array_file(tmp_path):
    path = tmp_path / "picture.npz"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ValueError, match=r"begins with .*PNG.*read by load_folder"):
        datasets.load_npz(path)


def test_labels_beyond_an_int32_are_refused():
    images = np.zeros((2, 4, 4, 1), "uint8")
    with pytest.raises(ValueError, match=r"an int32 holds. Received: labels from 1 to"):
        datasets.ShuffledStream(images, np.array([1, 2**32]), 2)


def _archive(kind):
    buffer = io.BytesIO()
    if kind == "flipped":
        images = np.zeros((64, 8, 8, 3), np.uint8)
        images[::3] = 7
        np.savez_compressed(buffer, images=images)
        content = bytearray(buffer.getvalue())
        content[60] ^= 0xFF
        return bytes(content)
    with zipfile.ZipFile(buffer, "w") as file:
        for name in ("a.png", "b.png")[: 1 + (kind == "two pictures")]:
            file.writestr(name, b"\x89PNG")
    content = bytearray(buffer.getvalue())
    if kind == "a password":
        for header, place in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
            content[content.index(header) + place] |= 1
    return bytes(content)


@pytest.mark.parametrize("kind", ["flipped", "a picture", "two pictures", "a password"])
def test_archives_that_hold_no_arrays(kind, tmp_path):
    path = tmp_path / "x.npz"
    path.write_bytes(_archive(kind))
    with pytest.raises(ValueError, match=r"must be a \.npz or .*path=.*x\.npz"):
        datasets.load_npz(path)
