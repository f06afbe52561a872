"""Folders of image files."""

import contextlib
import os
import socket
import sys

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

import keras_gamegan as kgg
from keras_gamegan.datasets import folder
from tests.datasets.trees import EXPECTED, values


def written_folder(path):
    path.mkdir(parents=True, exist_ok=True)
    return path


def test_files_are_found_in_the_order_of_their_paths(tree):
    images = kgg.datasets.load_folder(tree, 8, 3, shuffle=False, drop_remainder=False)
    assert values(images) == EXPECTED
    assert images.class_names is None and len(images) == 3


def test_subfolders_are_classes(tree):
    pairs = kgg.datasets.load_folder(tree, 8, 8, shuffle=False, labels="subfolders")
    ((images, labels),) = list(pairs)
    assert labels.numpy().tolist() == [0] * 4 + [1] * 4 and labels.dtype == tf.int32
    assert values([images]) == EXPECTED
    assert pairs.class_names == ["cats", "dogs"]


@pytest.mark.parametrize(
    "size, told",
    [
        # The tree's images are 11 high and 9 to 12 wide.
        (8, None),
        (9, None),
        (11, "4 of 8 .* 11 x 11 .* has 11 x 9. Pass image_size=8, which enlarges none"),
        (16, "8 of 8 .* 16 x 16 .* has 11 x 9. Pass image_size=8, which enlarges none"),
        ((11, 10), "2 of 8 .* 11 x 10 .* has 11 x 9. Pass a smaller image_size"),
        ((12, 9), "8 of 8 .* 12 x 9 .* has 11 x .*. Pass a smaller image_size"),
    ],
)
def test_images_that_are_enlarged_are_told(size, told, tree):
    warned = contextlib.nullcontext()
    if told:
        warned = pytest.warns(UserWarning, match=told)
    with warned:
        kgg.datasets.load_folder(tree, size, 8)


def test_no_size_is_advised_that_no_network_takes(tmp_path):
    PIL.Image.new("RGB", (5, 20)).save(tmp_path / "a.png")
    with pytest.warns(UserWarning, match=r"1 of 1 .* has 20 x 5\. Leave them out\.$"):
        kgg.datasets.load_folder(tmp_path, 8, 1)


@pytest.mark.parametrize("cached", [False, True])
def test_batches_are_a_function_of_seed_and_step(cached, tree, tmp_path):
    cache = tmp_path / "cache" if cached else None
    loaded = [
        kgg.datasets.load_folder(tree, 8, 3, seed, cache=cache, color_mode="grayscale")
        for seed in (1, 1, 2)
    ]
    first, again, other = ([values([b]) for b in each] * 1 for each in loaded)
    assert first == again != other
    second = [values([b]) for b in loaded[0]]
    assert second != first
    assert [values([b]) for b in loaded[1].starting_at(2)] == second
    assert [values([b]) for b in loaded[1].starting_at(1)] == first[1:]


def test_linked_folders_are_entered_once(tree, tmp_path):
    written_folder(tmp_path / "all")
    os.symlink(tree, tmp_path / "all" / "linked")
    os.symlink(tmp_path / "all", tree / "loop")
    found = kgg.datasets.load_folder(tmp_path / "all", 8, 8, shuffle=False)
    assert values(found) == EXPECTED


def test_remote_folders(tree, tmp_path):
    root = f"ram://{tmp_path.name}/images"
    for path in sorted(tree.rglob("*.PNG")):
        target = f"{root}/{path.relative_to(tree)}"
        tf.io.gfile.makedirs(os.path.dirname(target))
        with tf.io.gfile.GFile(target, "wb") as file:
            file.write(path.read_bytes())
    found = kgg.datasets.load_folder(root, 8, 8, shuffle=False, labels="subfolders")
    ((images, _),) = list(found)
    assert values([images]) == EXPECTED and found.class_names == ["cats", "dogs"]


def test_unreadable_files_are_named_and_left_out(tree):
    good = (tree / "cats" / "0.PNG").read_bytes()
    (tree / "cats" / "0a.png").write_bytes(b"")
    (tree / "cats" / "0b.png").write_bytes(good[: len(good) // 2])
    (tree / "dogs" / "9.webp").write_bytes(b"no image")
    text = r"3 of 11 image.*cannot be read: 'cats/0a.png', 'cats/0b.png', 'dogs/9.webp'"
    with pytest.warns(UserWarning, match=text):
        pairs = kgg.datasets.load_folder(tree, 8, 8, shuffle=False, labels="subfolders")
    ((images, labels),) = list(pairs)
    assert values([images]) == EXPECTED
    assert labels.numpy().tolist() == [0] * 4 + [1] * 4


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes are Linux's")
@pytest.mark.parametrize("cached", [False, True])
def test_what_is_no_regular_file_is_no_image(cached, tree, tmp_path, monkeypatch):
    os.mkfifo(tree / "cats" / "a_pipe.png")
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listening:
        monkeypatch.chdir(tree / "cats")  # A socket's path must be short.
        listening.bind("b_socket.png")
        os.symlink("/dev/zero", tree / "cats" / "c_device.png")
        os.symlink(tree / "nowhere.png", tree / "cats" / "d_dangling.png")
        os.symlink(tree / "cats" / "e_loop.png", tree / "cats" / "e_loop.png")
        broken = os.fsencode(tree / "cats") + b"/f_\xff.png"
        with open(broken, "wb") as file:
            file.write(b"no image, in a folder of another encoding")
        os.symlink(tree / "dogs" / "3.PNG", tree / "dogs" / "linked.png")
        cache = tmp_path / "cache" if cached else None
        text = (
            r"6 of 15 .*'cats/a_pipe.png', 'cats/b_socket.png', 'cats/c_dev.*, \.\.\."
        )
        with pytest.warns(UserWarning, match=text):
            found = kgg.datasets.load_folder(tree, 8, 9, shuffle=False, cache=cache)
        assert values(found) == [*EXPECTED, 130]


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes are Linux's")
@pytest.mark.parametrize("cached", [False, True])
def test_names_in_another_encoding(cached, tree, tmp_path):
    name = os.fsencode(tree) + b"/\xe9t\xe9"
    os.rename(tree / "cats", name)
    os.rename(name + b"/0.PNG", name + b"/\xff.PNG")
    found = kgg.datasets.load_folder(
        *(tree, 8, 8),
        shuffle=False,
        labels="subfolders",
        cache=tmp_path / "cache" if cached else None,
    )
    ((images, labels),) = list(found)
    assert values([images]) == [100, 110, 120, 130, 10, 20, 30, 0]
    assert labels.numpy().tolist() == [0] * 4 + [1] * 4
    assert found.class_names == ["dogs", os.fsdecode(b"\xe9t\xe9")]


def test_a_class_that_links_to_another(tree):
    os.symlink(tree / "cats", tree / "animals")
    os.symlink(tree / "dogs", tree / "cats" / "friends")
    pairs = kgg.datasets.load_folder(tree, 8, 20, shuffle=False, labels="subfolders")
    ((images, labels),) = list(pairs)
    # What a class links to is in it, and where it is.
    assert pairs.class_names == ["animals", "cats", "dogs"]
    assert labels.numpy().tolist() == [0] * 8 + [1] * 8 + [2] * 4
    assert values([images]) == [*EXPECTED, *EXPECTED, *EXPECTED[4:]]
    # Without classes each image is there once.
    alone = kgg.datasets.load_folder(tree, 8, 8, shuffle=False)
    assert values(alone) == EXPECTED


def test_classes_that_link_to_one_another_and_back(tree):
    os.symlink(tree, tree / "cats" / "all")
    os.symlink(tree / "dogs", tree / "cats" / "dogs")
    os.symlink(tree / "cats", tree / "dogs" / "cats")
    pairs = kgg.datasets.load_folder(tree, 8, 16, shuffle=False, labels="subfolders")
    ((images, labels),) = list(pairs)
    assert labels.numpy().tolist() == [0] * 8 + [1] * 8
    assert values([images]) == [*EXPECTED, *EXPECTED[4:], *EXPECTED[:4]]


def test_a_class_without_a_readable_image_is_none_and_named(tree):
    for name in ("birds", "cows", "empty"):
        (tree / name).mkdir()
    (tree / "birds" / "a.png").write_bytes(b"no image")
    (tree / "cows" / "scan.tiff").write_bytes(b"not read")
    text = r"3 folder\(s\) without an image.*no classes: 'birds', 'cows', 'empty'"
    with pytest.warns(UserWarning, match=text):
        pairs = kgg.datasets.load_folder(tree, 8, 8, shuffle=False, labels="subfolders")
    ((_, labels),) = list(pairs)
    assert pairs.class_names == ["cats", "dogs"]
    assert labels.numpy().tolist() == [0] * 4 + [1] * 4


def test_images_of_other_formats_are_named(tree):
    for name in ("a.TIF", "b.heic", "c.avif"):
        (tree / name).write_bytes(b"not read")
    text = r"3 image file\(s\) of formats that are not read, convert.*'a.TIF', 'b.heic'"
    with pytest.warns(UserWarning, match=text):
        found = kgg.datasets.load_folder(tree, 8, 8, shuffle=False)
    assert values(found) == EXPECTED


def test_a_folder_that_may_not_be_listed_is_named(tree, monkeypatch):
    plain = os.scandir

    def refuse(path):
        if os.fspath(path).endswith("cats"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return plain(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.warns(UserWarning, match=r"1 folder\(s\) that may not.*: 'cats'"):
        found = kgg.datasets.load_folder(tree, 8, 4, shuffle=False)
    assert values(found) == EXPECTED[4:]
    with pytest.raises(PermissionError):
        kgg.datasets.load_folder(tree / "cats", 8, 4)


@pytest.mark.parametrize(
    "path, arguments, error, text",
    [
        ("nowhere", {}, FileNotFoundError, "'.*nowhere', which does not exist"),
        ("images/notes.txt", {}, ValueError, "notes.txt', a file"),
        ("empty", {}, ValueError, "with no files in it"),
        ("texts", {}, ValueError, "with only .csv, .txt files"),
        ("scans", {}, ValueError, "with only .tif files. Convert the images to PNG"),
        ("broken", {}, ValueError, r"2 image file\(s\) none can be read: 'a.png', 'b"),
        ("images", {"image_size": 0}, ValueError, "image_size=0"),
        ("images", {"image_size": "64"}, TypeError, "image_size='64'"),
        ("images", {"batch_size": 9}, ValueError, "batch_size=9 for 8 examples"),
        ("images", {"seed": -1}, ValueError, "seed=-1"),
        ("images", {"color_mode": "gray"}, ValueError, "color_mode='gray'"),
        ("images", {"labels": "folders"}, ValueError, "labels='folders'"),
        (
            "images",
            {"labels": np.arange(8)},
            ValueError,
            "labels=array.*ShuffledStream",
        ),
        ("images", {"shuffle": "no"}, TypeError, "shuffle='no'"),
        ("images", {"drop_remainder": 1}, TypeError, "drop_remainder=1"),
        ("images/cats", {"labels": "subfolders"}, ValueError, "4 image.*'0.PNG'"),
        ("images", {"cache": "ram://x"}, ValueError, "cache='ram://x'"),
        (3, {}, TypeError, "path=3"),
    ],
)
def test_bad_input(path, arguments, error, text, tree, tmp_path):
    written_folder(tmp_path / "empty")
    for name in (
        "texts/a.txt",
        "texts/b.csv",
        "scans/c.tif",
        "broken/a.png",
        "broken/b.jpg",
    ):
        written_folder((tmp_path / name).parent)
        (tmp_path / name).write_bytes(b"text")
    given = tmp_path / path if isinstance(path, str) else path
    with pytest.raises(error, match=text):
        kgg.datasets.load_folder(given, **{"batch_size": 4, **arguments})


def test_too_many_for_memory(tree, monkeypatch):
    monkeypatch.setattr(folder, "_MEMORY_LIMIT", 8 * 8 * 8 * 3 - 1)
    with pytest.raises(ValueError, match=r"8 images of shape \(8, 8, 3\).*cache="):
        kgg.datasets.load_folder(tree, 8, 4)
