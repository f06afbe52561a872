"""The BUILD files say what the imports say."""

import ast
import pathlib
import textwrap

import pytest

from tools import build_files

ROOT = pathlib.Path(build_files.__file__).resolve().parents[1]


@pytest.fixture
def tree(tmp_path):
    """A small project; returns a function that writes one file of it."""

    def write(path, text=""):
        path = tmp_path / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")

    write(
        "keras_gamegan/__init__.py",
        """
        from keras_gamegan import games as games
        from keras_gamegan.models.gan import GAN as GAN
        """,
    )
    write("keras_gamegan/validation.py", "import math\n")
    write(
        "keras_gamegan/games/__init__.py",
        """
        from keras_gamegan.games import updates as updates
        from keras_gamegan.games.gap import gap as gap
        """,
    )
    write("keras_gamegan/games/updates.py", "from keras_gamegan import validation\n")
    write(
        "keras_gamegan/games/gap.py",
        """
        import tensorflow as tf
        from . import updates

        def gap():
            from keras_gamegan.validation import check_number
        """,
    )
    write("keras_gamegan/models/__init__.py")
    write(
        "keras_gamegan/models/gan.py",
        """
        import typing
        from keras_gamegan.games import gap, updates
        if typing.TYPE_CHECKING:
            from keras_gamegan import GAN
        """,
    )
    write("tests/conftest.py", "import keras\n")
    write("tests/bazel_main.py", "import pytest\n")
    write("tests/games/test_gap.py", "import keras_gamegan.games.gap as g\n")
    write("tests/games/golden/values.json", "{}")
    write("tests/examples/test_demo.py", "import keras_gamegan as kgg\n")
    write("examples/demo.py", 'if __name__ == "__main__":\n    print()\n')
    write.root = tmp_path
    return write


def room(text):
    """Parses a BUILD file, which is Python as well, into the arguments of `room`."""
    (call,) = [
        node.value
        for node in ast.parse(text).body
        if isinstance(node, ast.Expr) and node.value.func.id == "room"
    ]
    return {each.arg: ast.literal_eval(each.value) for each in call.keywords}


def test_rules_follow_the_imports(tree):
    files = build_files.render(tree.root)
    root = room(files["keras_gamegan/BUILD"])["modules"]
    assert root["__init__.py"] == [
        "//keras_gamegan/games",
        "//keras_gamegan/models:gan",
    ]
    assert root["validation.py"] == []
    games = room(files["keras_gamegan/games/BUILD"])["modules"]
    assert games["__init__.py"] == [":gap", ":updates"]
    assert games["updates.py"] == ["//keras_gamegan:validation"]
    # A relative import, and one inside a function.
    assert games["gap.py"] == [":updates", "//keras_gamegan:validation"]


def test_a_name_bound_by_the_package_needs_the_package(tree):
    models = room(build_files.render(tree.root)["keras_gamegan/models/BUILD"])
    # `gap` is the function that games/__init__ exports, `updates` is the file; what
    # stands under TYPE_CHECKING is not needed.
    assert models["modules"]["gan.py"] == [
        "//keras_gamegan/games",
        "//keras_gamegan/games:updates",
    ]


def test_tests_get_their_fixtures_and_their_data(tree):
    files = build_files.render(tree.root)
    games = room(files["tests/games/BUILD"])
    assert games == {
        "tests": {"test_gap.py": ["//keras_gamegan/games:gap", "//tests:conftest"]},
        "has_data": True,
    }
    examples = room(files["tests/examples/BUILD"])
    assert examples == {
        "tests": {
            "test_demo.py": ["//examples:demo", "//keras_gamegan", "//tests:conftest"]
        }
    }
    assert room(files["examples/BUILD"]) == {"programs": {"demo.py": []}}


def test_circles_are_refused(tree):
    tree("keras_gamegan/validation.py", "from keras_gamegan.games import gap\n")
    with pytest.raises(ValueError, match=r"in a circle\. Received: .* -> "):
        build_files.render(tree.root)


def test_check_and_write(tree, capsys):
    arguments = ["--root", str(tree.root)]
    assert build_files.main([*arguments, "--check"]) == 1
    assert '+        "gap.py": [' in capsys.readouterr().out
    assert build_files.main(arguments) == 0
    assert build_files.main([*arguments, "--check"]) == 0

    tree("keras_gamegan/validation.py", "from keras_gamegan import version\n")
    tree("keras_gamegan/version.py")
    assert build_files.main([*arguments, "--check"]) == 1
    assert '+        "validation.py": [":version"],' in capsys.readouterr().out

    # A folder whose Python has gone keeps no BUILD file.
    (tree.root / "tests/games/test_gap.py").unlink()
    assert build_files.main(arguments) == 0
    assert not (tree.root / "tests/games/BUILD").exists()
    assert build_files.main([*arguments, "--check"]) == 0


def test_this_tree_has_no_circles():
    modules = build_files.find_modules(ROOT)
    assert "tools.build_files" in modules
    assert build_files.find_dependencies(modules)
