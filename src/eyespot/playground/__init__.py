"""Small networks on points of the plane, to see backpropagation at work. numpy alone: no torch."""
