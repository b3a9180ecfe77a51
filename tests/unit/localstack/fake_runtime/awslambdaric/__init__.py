"""A runtime client of a few lines, in place of the real one, which only function processes have."""
