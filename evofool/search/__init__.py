"""Evolution: MAP-Elites, its archive, its selectors and emitters, wired by DEAP."""
