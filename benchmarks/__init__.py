"""Figures, measured on the real application. `make bench` runs `foundation.py` and `acknowledgements.py`, `make load`
runs `load.py`."""
