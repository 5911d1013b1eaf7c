"""Visual search: a known target at an unknown place."""
