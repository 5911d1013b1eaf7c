"""Look inside a network: first-layer filters, activation maps, and reasons for a prediction."""
