"""Backpropagation, convolution and visual search on small examples. numpy alone: no torch."""
