import eyespot

result = eyespot.teach("pets/")
print(result)
result.report("pets.report.html")
result.save("pets.eyespot")

classifier = eyespot.load("pets.eyespot")
prediction = classifier.predict("holiday/1.jpg")
print(prediction.label, prediction.probability, prediction.unknown)
