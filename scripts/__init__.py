"""Scripts that regenerate what is generated; no part of the package."""
