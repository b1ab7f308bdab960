"""Who answers: local, remote, scripted, expert and noisy expert models."""
