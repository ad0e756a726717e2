"""Renderers: a finished ``Report`` in, bytes out. One file per format; ``registry`` names them."""
