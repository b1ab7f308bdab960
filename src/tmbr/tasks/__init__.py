"""Worlds that ask: samples, prompt, tools, parsing, score and expert, one task a world."""
