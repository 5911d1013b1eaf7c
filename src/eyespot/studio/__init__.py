"""The studio: a page on this machine alone, for teaching, looking and playing."""
