def detector_input(photo, facts):
    """The photo in its own proportions, at about `area` pixels; sides are multiples of 32."""
    height, width = photo.shape[:2]
    area, multiple, longest = (int(facts[key]) for key in ("area", "multiple", "longest"))
    ratio = min(max(width / height, 1 / longest), longest)
    sides = (area * ratio) ** 0.5, (area / ratio) ** 0.5
    size = [max(round(side / multiple), 1) * multiple for side in sides]
    image = Image.fromarray(photo).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.array(image)
