"""A server of exported samplers, over HTTP; `service` needs BentoML."""

from keras_gamegan.serving.sampler_folder import find_sampler as find_sampler

__all__ = ["find_sampler"]
