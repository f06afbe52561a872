"""Runs the tests in an environment for each TensorFlow that is supported.

    python tools/test_matrix.py                       # the default suite, four times
    python tools/test_matrix.py --only=2.18 tests/games -x

Environments are made under build/matrix, by uv, and kept: they are made again when
setup.py changes. A row whose interpreter is not on this machine is skipped, and said.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "matrix"
# A newer one needs a newer protobuf than these TensorFlows take, and does not say so.
_METADATA = ("tensorflow-metadata<1.18",)
# TensorFlow's minor version -> (interpreters, the first that is there; what else is
# pinned). The first row is the floor of everything, the last one the ceiling.
ROWS = {
    "2.18": (("3.10", "3.11", "3.12"), ("keras==3.8.*", "numpy==1.26.*", *_METADATA)),
    "2.19": (("3.12", "3.11"), ("keras==3.10.*", *_METADATA)),
    "2.20": (("3.13", "3.12", "3.11"), ("keras==3.12.*",)),
    "2.21": (("3.11", "3.12", "3.13"), ("keras==3.15.*",)),
}


def uv(*arguments):
    """Runs uv, which comes with the extra `lint`; returns whether it succeeded."""
    command = [sys.executable, "-m", "uv", "--quiet", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def environment(version):
    """Returns the interpreter of a row's environment, made if needed, or None."""
    pythons, pins = ROWS[version]
    folder = FOLDER / version
    python, stamp = folder / "bin" / "python", folder / ".stamp"
    newest = (ROOT / "setup.py").stat().st_mtime
    if stamp.is_file() and stamp.stat().st_mtime > newest:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    made = any(
        uv("venv", "--no-python-downloads", "--python", each, str(folder))
        for each in pythons
    )
    if not made:
        return None
    wanted = [f"tensorflow=={version}.*", *pins, "--editable", ".[test]"]
    if not uv("pip", "install", "--python", str(python), *wanted):
        sys.exit(f"The environment of TensorFlow {version} could not be made.")
    stamp.touch()
    return python


def main():
    """Runs the rows and prints a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=ROWS, action="append", help="Rows to run.")
    options, pytest_arguments = parser.parse_known_args()
    outcomes = {}
    for version in options.only or ROWS:
        python = environment(version)
        if python is None:
            outcomes[version] = f"skipped: no Python {' or '.join(ROWS[version][0])}"
            continue
        command = [python, "-m", "pytest", "-p", "no:cacheprovider", *pytest_arguments]
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        outcomes[version] = "passed" if code == 0 else f"failed, pytest exited {code}"
    for version, outcome in outcomes.items():
        print(f"TensorFlow {version}: {outcome}")
    sys.exit(any(outcome.startswith("failed") for outcome in outcomes.values()))


if __name__ == "__main__":
    main()
