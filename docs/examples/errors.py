import eyespot

try:
    eyespot.load("no-such-file.eyespot")
except eyespot.ClassifierFileError as error:
    print(error)
try:
    eyespot.teach("no-such-folder")
except eyespot.EyespotError as error:  # the root of them all
    print(type(error).__name__, error)
