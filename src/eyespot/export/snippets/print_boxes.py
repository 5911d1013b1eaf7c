scale = np.tile(np.divide(photo.shape[1::-1], image.shape[1::-1]), 2)  # to pixels of the photo
for box, label, score, shown in zip(*answers):
    if shown:
        xmin, ymin, xmax, ymax = box * scale
        print(f"{labels[label]} {score:.1%} ({xmin:.0f}, {ymin:.0f}) to ({xmax:.0f}, {ymax:.0f})")
