from skimage import data

import eyespot

classifier = eyespot.load("efficientnet_lite0")  # its own 1,000 classes
print(classifier.predict(data.chelsea(), top=3).top)
