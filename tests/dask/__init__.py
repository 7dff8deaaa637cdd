"""Designs on a Dask cluster: `make dask` installs it apart from everything else, and runs these tests."""
