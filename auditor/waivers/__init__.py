"""Waivers: read from files that people write, and applied to findings before the verdict."""
