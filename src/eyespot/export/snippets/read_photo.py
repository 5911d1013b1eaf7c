import numpy as np
from PIL import Image, ImageOps


def read_photo(path):
    """Upright RGB pixels, height x width x 3, 0 to 255; transparent areas become white."""
    photo = Image.open(path)
    photo.draft("RGB", (224, 224))  # decodes a large JPEG at a fraction of its size
    form, photo = photo.format, ImageOps.exif_transpose(photo)
    if photo.mode[0] in "IF":
        grey = np.asarray(photo, np.float32)
        usual = (
            [65535] if form in ("PNG", "PPM", "JPEG2000") else [1, 255, 1023, 4095, 16383, 65535]
        )
        low, high = min(grey.min(), 0), grey.max()
        white = next((full for full in usual if high <= full * 1.001), high)
        grey = (grey - low) * (255 / max(white - low, 1e-12)) + 0.5
        photo = Image.fromarray(grey.clip(0, 255).astype(np.uint8))
    if photo.has_transparency_data:
        photo = photo.convert("RGBA")
        photo = Image.alpha_composite(Image.new("RGBA", photo.size, "white"), photo)
    return np.array(photo.convert("RGB"))
