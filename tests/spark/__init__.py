"""The compiled interpreter on Spark: `make spark` installs it apart from everything else, and runs these tests."""
