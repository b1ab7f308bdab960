"""Models × strategies × samples × seeds: the grid, its metrics with intervals, its table."""
