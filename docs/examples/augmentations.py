import numpy as np
import torch
from PIL import Image
from skimage import data

from eyespot.training.augment import cutmix, find_augmentation, mixup

cat, coffee = (Image.fromarray(x).resize((128, 128)) for x in (data.chelsea(), data.coffee()))
photos = torch.from_numpy(np.stack([cat, coffee] * 3)).permute(0, 3, 1, 2)  # uint8 [6, 3, 128, 128]
labels = torch.eye(2).repeat(3, 1)  # a cat or coffee
torch.manual_seed(0)
names = ("crops", "crops+colour", "crops+randaugment", "crops+erasing")
rows = [find_augmentation(name)(photos, 112) for name in names]
rows += [mix(rows[0], labels, 1.0)[0] for mix in (mixup, cutmix)]
sheet = torch.cat([torch.cat(list(row), 2) for row in rows], 1).clamp(0, 255).byte()
Image.fromarray(sheet.permute(1, 2, 0).numpy()).save("augmentations.jpg")
print(f"{len(names)} augmentations, MixUp and CutMix of {len(photos)} photos")
