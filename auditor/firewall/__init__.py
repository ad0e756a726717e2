"""A declared policy as firewall rules: for review, never applied. One file per target; ``targets`` lists them."""
