from skimage import data

import eyespot

classifier = eyespot.load("efficientnet_lite0")  # the 1000 classes that the network was trained on
print(classifier.predict(data.chelsea(), top=3).top)
