"""Pictures of what jobs found: pages to open in a browser, and prints; made from folders alone."""
