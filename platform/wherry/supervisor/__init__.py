"""Keeps the five processes of a platform alive from one small parent: see `supervisor.Supervisor`."""
