from eyespot.weights.find import find_weights
from eyespot.weights.importers import import_weights
from eyespot.weights.zoo import create, find

import_weights("squeezenet1_1", "squeezenet.safetensors")
network = create("squeezenet1_1", weights="imagenet")  # or weights="squeezenet.safetensors"
known = find_weights(find("squeezenet1_1"))
print(known.preprocessing, known.sha256[:8])
