"""Pictures made of character cells: charts, sparklines, images, tables. numpy only, no textual, no journal.

H and W are rows and columns of character cells; N is a number of images or points.
"""
