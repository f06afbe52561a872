"""Writes the BUILD files from the imports in the tree, and checks that they agree.

One `py_library` stands for one module, one `py_test` for one test module, one
`py_binary` for one script. Their `deps` are read from the source with `ast`, so
nobody keeps them by hand:

    python tools/build_files.py            # writes
    python tools/build_files.py --check    # prints the difference, exits with 1

What is imported from elsewhere (TensorFlow, NumPy, ...) has no label: it comes from
the Python environment that is active.
"""

import argparse
import ast
import difflib
import pathlib
import sys

# The top-level folders that hold Python; each folder below them is a Bazel package.
FOLDERS = ("keras_gamegan", "tests", "examples", "benchmarks", "tools")
# Runs pytest on one file, see there.
TEST_MAIN = "tests/bazel_main.py"
# Argument of the macro `room` in room.bzl -> the rule that it stands for.
ARGUMENTS = {"modules": "py_library", "tests": "py_test", "programs": "py_binary"}
_WIDTH = 100
HEADER = "# Written by tools/build_files.py from the imports; `make build-files`.\n"
ROOT_BUILD = f"""{HEADER}
package(default_visibility = ["//visibility:public"])

licenses(["notice"])

exports_files([
    "LICENSE",
    "pyproject.toml",
])
"""


class Module:
    """One Python file, with what the rule for it needs to know."""

    def __init__(self, root, path):
        self.path = path
        self.folder = path.parent.as_posix()
        self.tree = ast.parse((root / path).read_text(encoding="utf-8"), str(path))
        parts = path.with_suffix("").parts
        self.is_init = parts[-1] == "__init__"
        self.dotted = ".".join(parts[:-1] if self.is_init else parts)

    @property
    def target(self):
        """The rule's name; a package's own name is kept for its `__init__`."""
        if self.is_init:
            return self.path.parent.name
        if self.path.stem == self.path.parent.name:
            return f"{self.path.stem}_module"
        return self.path.stem

    @property
    def label(self):
        """The rule's absolute label, short where Bazel has a short form."""
        if self.target == self.path.parent.name:
            return f"//{self.folder}"
        return f"//{self.folder}:{self.target}"

    @property
    def rule(self):
        """The kind of rule: `py_test`, `py_binary` or `py_library`."""
        if self.folder.split("/")[0] == "tests" and self.path.stem.startswith("test_"):
            return "py_test"
        if self.folder.split("/")[0] != "tests" and any(map(_is_guard, self.tree.body)):
            return "py_binary"
        return "py_library"


def _is_guard(node):
    """Whether ``node`` is `if __name__ == "__main__":`."""
    return isinstance(node, ast.If) and "'__main__'" in ast.unparse(node.test)


def _imports(module):
    """Yields (module, name) for each import in the file; name is None for `import`."""
    # What only a type checker reads is not there at run time.
    hidden = {
        id(inner)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(module.tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                package = module.dotted.split(".")
                package = package[: len(package) - node.level + module.is_init]
                source = ".".join([*package, source] if source else package)
            for alias in node.names:
                yield source, alias.name


def _bindings(init):
    """Maps each name that an `__init__` imports to where it comes from, dotted."""
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in init.tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _resolve(modules, source, name):
    """Returns the module of ours that an import needs, or None."""
    package = modules.get(source)
    if name is None:
        return package
    submodule = modules.get(f"{source}.{name}")
    if package is not None and package.is_init:
        # A package may bind a function under the name of the file it stands in:
        # then the import gives the function, and needs the package.
        origin = _bindings(package).get(name, f"{source}.{name}")
        if origin != f"{source}.{name}":
            return package
    return submodule or package


def find_modules(root):
    """Returns the tree's modules by dotted name."""
    root = pathlib.Path(root)
    modules = {}
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            path = path.relative_to(root)
            if not any(part.startswith((".", "__pycache__")) for part in path.parts):
                module = Module(root, path)
                modules[module.dotted] = module
    return modules


def find_dependencies(modules):
    """Returns, by dotted name, the set of modules each module needs directly.

    Raises:
        ValueError: If modules need each other in a circle: Bazel has no build for
            that, and neither has a reader.
    """
    dependencies = {}
    for dotted, module in modules.items():
        found = {_resolve(modules, *pair) for pair in _imports(module)}
        if module.rule == "py_test":
            folder = module.path.parent
            found |= {
                modules.get(".".join((*parent.parts, "conftest")))
                for parent in (folder, *folder.parents)
            }
            # tests/examples run the files of examples/ by their path.
            under = module.path.parts[1]
            found |= {m for m in modules.values() if m.path.parts[0] == under}
        dependencies[dotted] = found - {None, module}
    _refuse_cycles(modules, dependencies)
    return dependencies


def _refuse_cycles(modules, dependencies):
    """Raises if some modules import each other."""
    done = set()

    def visit(dotted, trail):
        if dotted in trail:
            cycle = [*trail[trail.index(dotted) :], dotted]
            raise ValueError(
                "Modules must not import each other in a circle. Received: "
                f"{' -> '.join(cycle)}. Move what both need into a third module."
            )
        if dotted not in done:
            for needed in sorted(m.dotted for m in dependencies[dotted]):
                visit(needed, [*trail, dotted])
            done.add(dotted)

    for dotted in sorted(modules):
        visit(dotted, [])


def _has_data(root, folder, packages):
    """Whether files other than Python lie in the folder or below it.

    A folder below that is a Bazel package of its own looks after its own files.
    """
    for path in sorted((root / folder).iterdir()):
        name = path.name
        if name.startswith((".", "__pycache__")) or name == "BUILD":
            continue
        relative = path.relative_to(root).as_posix()
        if path.is_dir():
            if relative not in packages and _has_data(root, relative, packages):
                return True
        elif path.suffix not in (".py", ".pyc"):
            return True
    return False


def _sort_key(label):
    """Sorts as buildifier does: files, then this folder's targets, then the rest."""
    place = 2 if label.startswith("//") else int(label.startswith(":"))
    return (place, label.replace(":", "!"))


def _render_entry(module, dependencies):
    """Returns the lines of one file: its name and what it needs."""
    labels = {
        f":{needed.target}" if needed.folder == module.folder else needed.label
        for needed in dependencies[module.dotted]
    }
    quoted = [f'"{label}"' for label in sorted(labels, key=_sort_key)]
    line = f'        "{module.path.name}": [{", ".join(quoted)}],\n'
    if len(line) <= _WIDTH:
        return line
    wrapped = "".join(f"            {each},\n" for each in quoted)
    return f'        "{module.path.name}": [\n{wrapped}        ],\n'


def render(root):
    """Returns the text of every BUILD file, by its path below ``root``."""
    root = pathlib.Path(root)
    modules = find_modules(root)
    dependencies = find_dependencies(modules)
    packages = {module.folder for module in modules.values()}
    files = {"BUILD": ROOT_BUILD}
    for folder in sorted(packages):
        members = [m for m in modules.values() if m.folder == folder]
        members.sort(key=lambda module: (not module.is_init, module.target))
        text = f'{HEADER}\nload("//tools:room.bzl", "room")\n\nroom(\n'
        for argument, rule in ARGUMENTS.items():
            entries = [
                _render_entry(m, dependencies) for m in members if m.rule == rule
            ]
            if entries:
                text += f"    {argument} = {{\n{''.join(entries)}    }},\n"
        if _has_data(root, folder, packages):
            text += "    has_data = True,\n"
        files[f"{folder}/BUILD"] = f"{text})\n"
    return files


def read_existing(root):
    """Returns the BUILD files that lie in the tree now."""
    root = pathlib.Path(root)
    paths = [root / "BUILD"]
    for folder in FOLDERS:
        paths += sorted((root / folder).rglob("BUILD"))
    return {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for path in paths
        if path.is_file()
    }


def differences(root):
    """Returns the unified difference between the files and the tree; "" if none."""
    wanted, existing = render(root), read_existing(root)
    lines = []
    for path in sorted({*wanted, *existing}):
        lines += difflib.unified_diff(
            existing.get(path, "").splitlines(keepends=True),
            wanted.get(path, "").splitlines(keepends=True),
            f"{path} (as it is)",
            f"{path} (as the imports say)",
        )
    return "".join(lines)


def write(root):
    """Writes every BUILD file, and removes those of folders without Python."""
    root = pathlib.Path(root)
    wanted = render(root)
    for path in read_existing(root).keys() - wanted.keys():
        (root / path).unlink()
    for path, text in wanted.items():
        (root / path).write_text(text, encoding="utf-8")
    return sorted(wanted)


def main(arguments=None):
    """Runs the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--root", default=pathlib.Path(__file__).resolve().parents[1])
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    if not options.check:
        print(f"{len(write(options.root))} BUILD files written.")
        return 0
    text = differences(options.root)
    if text:
        print(f"{text}\nBUILD files differ: run `make build-files`.")
    return int(bool(text))


if __name__ == "__main__":
    sys.exit(main())
