"""A Jupyter kernel for Swift and Apus."""
