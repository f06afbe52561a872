"""What each Bazel test runs: pytest, on the one test file it is given.

The tests know nothing of Bazel; `tools/build_files.py` makes this file the `main`
of every `py_test`.
"""

import sys

import pytest


class _Deselected:
    """Counts tests left out by their marker, such as those that are `slow`."""

    count = 0

    def pytest_deselected(self, items):
        self.count += len(items)


def main(arguments):
    """Runs pytest; a file whose tests are all left out by marker has passed."""
    deselected = _Deselected()
    # Bazel starts a test in the folder that holds its inputs, which is read-only.
    options = ["-p", "no:cacheprovider", "--rootdir=.", "-c", "pyproject.toml"]
    status = pytest.main([*options, *arguments], plugins=[deselected])
    if status == pytest.ExitCode.NO_TESTS_COLLECTED and deselected.count:
        return 0
    return int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
