"""`eyespot faces`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from eyespot.cli.options import Json, ManyPhotos, option
from eyespot.cli.outputs import check_folder, check_outputs, numbered_files, write_jpeg
from eyespot.cli.show import print_json, print_problems, print_wrote, progress, say
from eyespot.errors import PhotoError
from eyespot.shown import counted, printable

if TYPE_CHECKING:
    from eyespot.data.photos import Photo


def faces(
    photos: ManyPhotos,
    annotated: Annotated[
        Path | None, option("Write the photos with boxes into this folder.", metavar="FOLDER")
    ] = None,
    as_json: Json = False,
) -> int:
    """Find faces in photos: where they are, not whose they are.

    The detector needs its weights once: eyespot weights tiny_yolo_face FILE

    Example: eyespot faces party/ --annotated boxes/
    """
    from eyespot.data.unlabelled import find_unlabelled

    found = find_unlabelled(photos)
    files = _files(found.photos, annotated)
    results: list[dict[str, Any]] = []
    with progress() as step:
        for number, (photo, file) in enumerate(zip(found.photos, files, strict=True)):
            if as_json:  # without it, the printed lines are the progress
                step("Finding faces", number, len(files))
            one = _result(photo, file)
            results.append(one)
            if not as_json:
                text = one["error"] and f"cannot be used: {one['error']}"
                say(printable(f"{photo.name}  {text or counted(len(one['faces']), 'face')}"))
    if as_json:
        print_json(results)
    elif annotated:
        print_wrote(annotated)
    print_problems(found)
    return 1 if all(one["error"] for one in results) else 0


def _files(photos: "tuple[Photo, ...]", folder: Path | None) -> list[Path | None]:
    """The file for each photo with boxes; None without a folder. Raises UsageError where one
    cannot be written, or would replace a photo."""
    if folder is None:
        return [None] * len(photos)
    files = numbered_files(photos, folder, ".jpg")
    check_folder(folder, files[0].name)
    check_outputs(files, photos=photos)
    return [*files]


def _result(photo: "Photo", file: Path | None) -> dict[str, Any]:
    """What `--json` prints for a photo, which is drawn into `file`."""
    from eyespot.data.decode import decode
    from eyespot.tasks.detection.faces import draw_faces, faces_in

    about: dict[str, Any] = {"path": photo.name, "width": None, "height": None, "faces": []}
    about |= {"annotated": None, "error": None}
    try:
        pixels = decode(photo.read()).pixels
    except PhotoError as error:
        return about | {"error": str(error)}
    found = faces_in(pixels)
    if file:
        write_jpeg(draw_faces(pixels, found), file)
    height, width = pixels.shape[:2]
    rows = [
        {"box": [round(corner, 1) for corner in face.box], "score": round(face.score, 4)}
        for face in found
    ]
    return about | {
        "width": width,
        "height": height,
        "faces": rows,
        "annotated": printable(file) if file else None,
    }
