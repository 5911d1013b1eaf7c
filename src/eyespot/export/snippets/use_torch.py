import json

import torch

files = {"labels.json": ""}
model = torch.export.load("pets.pt2", extra_files=files).module()
labels = json.loads(files["labels.json"])
photos = read_photo("photo.jpg")[None]  # or several of one size
answers = model(torch.from_numpy(photos))
for probabilities, ood_score, unknown in zip(*answers):
    best = probabilities.argmax()
    print("none of these" if unknown else labels[best], f"{probabilities[best]:.1%}")
