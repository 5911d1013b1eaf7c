from eyespot.tasks.detection.faces import find_faces
from eyespot.weights.importers import import_weights

import_weights("tiny_yolo_face", "face-detector.safetensors")  # once
faces = find_faces("photo.jpg")
print(len(faces), "faces")
for face in faces:
    print(face.left, face.top, face.right, face.bottom, face.score)
