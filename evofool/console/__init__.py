"""What people see in the terminal: live views, summaries and tables. Nothing else in evofool prints."""
