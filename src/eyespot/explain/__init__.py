"""See inside a network: what it looks for, and what it finds in a photo."""
