"""From a teacher to traces."""
