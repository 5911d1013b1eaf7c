import eyespot

classifier = eyespot.teach("pets/").classifier
print(classifier.metrics["top1"], classifier.metrics["top1_interval"])
answer = classifier.predict("holiday/1.jpg")
print(answer.label, answer.probability, answer.unknown)
classifier.add_class("capybara", ["capybara/1.jpg", "capybara/2.jpg"])
classifier.save("pets.eyespot")
classifier = eyespot.load("pets.eyespot")
