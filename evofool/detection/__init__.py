"""How well images that fool a network are told from real ones: scores, trained detectors, and their figures."""
