"""Generated sites: four kinds, seeded, live and recorded."""
