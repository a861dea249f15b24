"""What tools/make_vectors.py writes, a module for each chapter."""
