from eyespot.models.importers import import_weights
from eyespot.tasks.faces import find_faces

import_weights("tiny_yolo_face", "face-detector.safetensors")  # once
faces = find_faces("photo.jpg")
print(len(faces), "faces")
for face in faces:
    print(face.left, face.top, face.right, face.bottom, face.score)
