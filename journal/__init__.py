"""The only thing between front ends and the engine: one self-contained folder per run.

The engine writes what happened, front ends write commands, anybody reads. Nothing here imports torch or textual.
"""
