from eyespot.models.importers import import_weights
from eyespot.models.registry import create, find
from eyespot.models.weights import find_weights

import_weights("squeezenet1_1", "squeezenet.safetensors")
network = create("squeezenet1_1", weights="imagenet")  # or weights="squeezenet.safetensors"
known = find_weights(find("squeezenet1_1"))
print(known.preprocessing, known.sha256[:8])
