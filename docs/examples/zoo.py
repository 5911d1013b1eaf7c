import torch

import eyespot

network = eyespot.models.create("resnet18", num_classes=5)  # weights="imagenet" for trained ones
images = torch.rand(2, 3, 224, 224)  # standardized, as the weights' preprocessing says
maps = network.forward_features(images)
print({stage: tuple(values.shape[1:]) for stage, values in maps.items()})
print(network.forward_head(maps["conv5"]).shape, network.num_features)
network.reset_head(7)
print(network(images).shape)
