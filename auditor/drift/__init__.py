"""How two reports differ: one held against a baseline while it is made, or two saved ones compared."""
