"""Options: declared once, typed and checked; what is written to config.json and read back."""
