"""Bazel's own rules, under the name by which they are asked for."""

py_binary = native.py_binary
py_library = native.py_library
py_test = native.py_test
