"""Pages to open in a browser, made from the folders of runs and campaigns and from genome files."""
