"""Audits: one classifier, one verdict; what is measured, how it is judged, and the report."""
