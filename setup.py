"""Packaging of keras_gamegan; the tools' settings are in pyproject.toml."""

import pathlib
import re

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


# Lower bounds are the versions the tests run with.
REQUIREMENTS = [
    "tensorflow>=2.21,<2.22",
    "keras>=3.15,<4",
    "numpy>=2.4,<3",
    "scipy>=1.17,<2",
    "absl-py>=2.5",
    "tensorflow-datasets>=4.9.10,<5",
    # tensorflow-datasets imports it on Python 3.11 and does not declare it.
    "importlib_resources>=7.1",
    "tensorflow-gan==2.1.0",
    # TF-GAN asks for any version of these, and gets along with few.
    "tensorflow-probability>=0.25,<0.26",
    "tf_keras>=2.21,<2.22",
]
EXAMPLES = ["matplotlib>=3.11,<4", "tensorboard>=2.21,<2.22"]
# Servers of exported samplers, and ONNX; to write a SavedModel needs none of it.
SERVING = [
    "bentoml>=1.4.39,<2",
    "tensorflow-serving-api>=2.21,<2.22",
    "onnx>=1.23,<2",
    "onnxruntime>=1.31,<2",
    "tf2onnx>=1.17,<2",
]
TEST = [
    "pytest>=9.2,<10",
    "pytest-cov>=7.1",
    "pytest-xdist>=3.8",
    "hypothesis>=6.170",
    "ruff>=0.17.6,<0.18",
    "mypy>=2.4,<3",
    "build>=1.6",
    *EXAMPLES,
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
    python_requires=">=3.11",
    packages=setuptools.find_packages(include=["keras_gamegan", "keras_gamegan.*"]),
    package_data={"keras_gamegan": ["py.typed"]},
    include_package_data=False,
    zip_safe=False,
    install_requires=REQUIREMENTS,
    extras_require={
        "test": TEST,
        "examples": EXAMPLES,
        "serving": SERVING,
        "docs": ["pdoc>=16,<17"],
    },
    keywords="keras tensorflow gan generative adversarial game duality-gap",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
)
