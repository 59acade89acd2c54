"""Folders on disk: runs, campaigns, histories, checkpoints and exports."""
