"""What all that talks to browsers has in common: where it listens, what it says of its pages."""
