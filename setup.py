"""Packaging of keras_gamegan; the tools' settings are in pyproject.toml."""

import importlib.metadata
import pathlib
import re
import sysconfig

import setuptools

ROOT = pathlib.Path(__file__).resolve().parent


def read(name):
    """Returns a file's text, or "" where it is not there."""
    path = ROOT / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def read_version():
    """Reads the version without importing the package, which needs TensorFlow."""
    pattern = r'^__version__ = "([^"]+)"$'
    return re.search(pattern, read("keras_gamegan/version.py"), re.MULTILINE).group(1)


# Distributions of the module `tensorflow` that do not count as "tensorflow" to pip.
OTHER_TENSORFLOWS = (
    "tensorflow-cpu",
    "tensorflow-rocm",
    "tensorflow-macos",
    "tensorflow-cpu-aws",
    "intel-tensorflow",
    "tf-nightly",
    "tf-nightly-cpu",
)


def tensorflow():
    """Returns the requirement of TensorFlow: none where another build is installed.

    pip would put a second TensorFlow over it. Its builds run in an environment of their
    own, but with the interpreter, hence the folders, of the one that is installed into.
    A wheel or source distribution made by `python -m build` sees neither, and always
    asks for `tensorflow`.
    """
    folder = sysconfig.get_path("purelib")
    names = {
        (found.metadata["Name"] or "").lower().replace("_", "-")
        for found in importlib.metadata.distributions(path=[folder])
    }
    return [] if names & set(OTHER_TENSORFLOWS) else ["tensorflow>=2.18"]


# Lower bounds are the oldest, in `make test-matrix`, that the tests run with. Keras 4
# does not exist yet; a major version is where names of its public interface may go.
REQUIREMENTS = [*tensorflow(), "keras>=3.8,<4", "numpy>=1.26"]
EXTRAS = {
    # tensorflow-datasets imports importlib_resources and does not declare it.
    "datasets": [
        "tensorflow-datasets>=4.9.7",
        "importlib_resources>=6",
        "pillow>=10",
    ],
    # TF-GAN asks for any version of what it uses, and gets along with few; its
    # tensorflow-hub imports pkg_resources, which setuptools has dropped.
    "tfgan": [
        "tensorflow-gan==2.1.0",
        "tensorflow-probability>=0.25,<0.26",
        "tf_keras>=2.18",
        "setuptools<81",
    ],
    "games": ["scipy>=1.11"],
    "examples": ["matplotlib>=3.8", "tensorboard>=2.18"],
    # Servers of exported samplers, and ONNX; to write a SavedModel needs none of it.
    "serving": [
        "bentoml>=1.4.39,<2",
        "tensorflow-serving-api>=2.18",
        "onnx>=1.23,<2",
        "onnxruntime>=1.31,<2",
        "tf2onnx>=1.17,<2",
    ],
    "and-cuda": ["tensorflow[and-cuda]>=2.18"],
}
EXTRAS["all"] = sorted(
    requirement
    for extra in ("datasets", "tfgan", "games", "examples", "serving")
    for requirement in EXTRAS[extra]
)
EXTRAS["test"] = [
    "pytest>=9,<10",
    "pytest-cov>=7.1",
    "pytest-xdist>=3.8",
    "hypothesis>=6.148",
    "build>=1.3",
    *EXTRAS["datasets"],
    *EXTRAS["tfgan"],
    *EXTRAS["games"],
    *EXTRAS["examples"],
]
EXTRAS["lint"] = ["ruff>=0.17.6,<0.18", "mypy>=2.4,<3", "uv>=0.9"]
EXTRAS["docs"] = [
    "mkdocs>=1.6,<2",
    "mkdocs-material>=9.6",
    "mkdocstrings[python]>=0.30",
    "mkdocs-jupyter>=0.25",
    "latex2mathml>=3.78",
]

setuptools.setup(
    name="keras-gamegan",
    version=read_version(),
    description="GANs trained and measured as two-player games, for Keras.",
    long_description=read("README.md"),
    long_description_content_type="text/markdown",
    author="The keras_gamegan authors",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    packages=setuptools.find_packages(include=["keras_gamegan", "keras_gamegan.*"]),
    py_modules=["kgg_command"],
    entry_points={"console_scripts": ["kgg = kgg_command:main"]},
    package_data={"keras_gamegan": ["py.typed"]},
    include_package_data=False,
    zip_safe=False,
    install_requires=REQUIREMENTS,
    extras_require=EXTRAS,
    keywords="keras tensorflow gan generative adversarial game duality-gap",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
)
