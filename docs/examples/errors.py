import eyespot

try:
    eyespot.load("no-such-file.eyespot")
except eyespot.errors.ClassifierFileError as error:
    print(error)
try:
    eyespot.teach("no-such-folder")
except eyespot.EyespotError as error:  # the base class of all errors
    print(type(error).__name__, error)
