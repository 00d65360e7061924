"""Puts a platform on a machine, and takes it off again. Until the virtual environment stands, the standard library only."""
