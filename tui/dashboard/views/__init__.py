"""What each screen shows, without textual: rows, choices and words, ready to be drawn."""
