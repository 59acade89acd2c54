"""Who is told what a job does: its beginning, progress and end as plain figures, for any tracker or program."""
