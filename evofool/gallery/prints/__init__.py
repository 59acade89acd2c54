"""Pictures made from job folders and genomes: contact sheets, posters, time-lapses, plots, single renderings."""
