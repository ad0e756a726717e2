"""YAML documents that a person writes: values with their places, and complaints that name them."""
