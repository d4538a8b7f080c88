"""laddertop: a terminal dashboard that steers the training of denoising autoencoders, VAEs and ladder networks.

`laddertop.tui` are the front ends, `laddertop.engine` trains, and `laddertop.journal`, a folder per run, is all that
stands between them. In a checkout they are the folders of the same names beside this one.
"""
