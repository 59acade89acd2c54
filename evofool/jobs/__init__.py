"""The life of a job: everything that takes long, has a folder, and can be killed and resumed."""
