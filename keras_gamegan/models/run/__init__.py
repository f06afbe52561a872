"""A run of steps: the data of `fit`, its checks, and taking it up again."""
