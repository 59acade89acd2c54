"""Files, folders and threads: atomic writes, archives of arrays, JSON lines, images, locks, interrupts."""
