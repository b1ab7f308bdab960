"""Traces made visible: one static page."""
