"""Classifiers behind a server: the Open Inference Protocol, and servers that answer a picture with labels."""
