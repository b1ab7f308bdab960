"""Worlds that fork."""
