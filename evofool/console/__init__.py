"""What people see in the terminal: the only wing that prints."""
