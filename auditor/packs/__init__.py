"""Rules as data: their model, their files, and checks of their form. Imports no NumPy."""
