"""Pictures to look at without a browser: sheets, posters, time-lapses, plots."""
