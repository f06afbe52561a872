"""The service of `kgg serve`, for BentoML's own command line.

SAMPLER=runs/x/sampler bentoml serve service:Sampler --working-dir examples/serve
"""

from keras_gamegan.serving.service import Sampler as Sampler
