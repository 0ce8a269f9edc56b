"""Figures, measured on the real application. `make bench` runs `foundation.py`."""
