"""Pages to open in a browser, made from folders."""
