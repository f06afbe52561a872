"""One macro for the rules of a folder's Python files."""

load("@rules_python//python:defs.bzl", "py_binary", "py_library", "py_test")

_PUBLIC = ["//visibility:public"]
_TEST_MAIN = "bazel_main.py"

def _target(file, folder):
    """The rule's name; a package's own name is kept for its `__init__`."""
    stem = file[:-len(".py")]
    if stem == "__init__":
        return folder
    return stem + "_module" if stem == folder else stem

def room(modules = {}, tests = {}, programs = {}, has_data = False):
    """A library for each module, a test for each test, a binary for each program.

    Args:
        modules: File -> labels of what it imports.
        tests: The same of tests; each runs pytest on its file.
        programs: The same of scripts.
        has_data: Whether other files lie in the folder, which travel with the package,
            its tests and programs.
    """
    folder = native.package_name().split("/")[-1]
    if has_data:
        native.filegroup(
            name = "data",
            srcs = native.glob(
                ["**"],
                exclude = ["**/*.py", "**/*.pyc", "**/*.bzl", "BUILD"],
            ),
            visibility = _PUBLIC,
        )
    data = [":data"] if has_data else []
    for file, deps in modules.items():
        py_library(
            name = _target(file, folder),
            srcs = [file],
            data = data if file == "__init__.py" else [],
            visibility = _PUBLIC,
            deps = deps,
        )
    for file, deps in programs.items():
        py_binary(
            name = _target(file, folder),
            srcs = [file],
            main = file,
            data = data,
            visibility = _PUBLIC,
            deps = deps,
        )
    if _TEST_MAIN in modules:
        native.exports_files([_TEST_MAIN])
    main = _TEST_MAIN if folder == "tests" else "//tests:" + _TEST_MAIN
    for file, deps in tests.items():
        py_test(
            name = _target(file, folder),
            size = "large",
            srcs = [file, main],
            args = ["$(location %s)" % file],
            data = data + ["//:pyproject.toml"],
            main = main,
            deps = deps,
        )
