"""Usual names of columns, and the words for yes, no and missing values."""

from eyespot.data.split_names import Split

PATH_NAMES = tuple(
    """
    path file filename file_name filepath filepaths file_path paths image images image_path
    image_paths filenames files image_file image_name image_uri image_gcs_uri source_ref img
    img_path photo photo_path picture url uri image_url name
    """.split()  # noqa: SIM905
)
"""In order of preference."""
ID_NAMES = ("id", "image_id", "img_id", "photo_id", "id_code", "file_id", "uuid")
"""Columns that may name photos if no other column does."""
LABEL_NAMES = (
    *("label", "labels", "class", "classes", "category", "categories", "target", "species"),
    *("class_name", "class_label", "label_name", "category_name", "display_name", "choice"),
    *("choices", "annotation", "annotations", "breed", "tag", "tags", "ground_truth", "truth"),
    *("gt", "y", "fine_label", "species_name", "diagnosis", "dx", "wnid"),
)
INDEX_NAMES = (
    *("class_index", "class_idx", "class_id", "label_index", "label_idx", "label_id"),
    *("category_id", "category_index", "species_id", "target_id", "breed_id"),
)
"""Labels as numbers: used if no column has names of classes."""
SPLIT_NAMES = (
    *("split", "splits", "subset", "partition", "set", "usage", "ml_use", "data_split", "phase"),
    *("data_set", "dataset"),
)
SURE_SPLITS = ("split", "splits", "subset", "partition")
"""Columns that hold a split even if most cells are something else."""
SPLIT_FLAGS: dict[str, tuple[Split, Split]] = {
    "is_test": ("train", "test"),
    **dict.fromkeys(("is_train", "is_training", "is_training_image"), ("test", "train")),
    **dict.fromkeys(("is_valid", "is_val"), ("train", "val")),
}
"""Columns of no and yes, and the splits that these mean."""
GROUP_NAMES = ("group", "groups", "group_id")
NEVER = frozenset(
    (
        *("id", "ids", "idx", "index", "uuid", "guid", "key", "hash", "md5", "sha1", "sha256"),
        *("width", "height", "w", "h", "x", "x1", "x2", "y1", "y2", "xmin", "xmax", "ymin"),
        *("ymax", "size", "bytes", "area", "ratio", "channels", "bbox", "polygon", "region"),
        *("date", "time", "datetime", "timestamp", "year", "month", "day", "created", "updated"),
        *("modified", "at", "score", "confidence", "probability", "prob", "weight"),
        *("email", "mail"),
        *("annotator", "annotators", "user", "username", "author", "photographer", "worker"),
        *("url", "uri", "link", "lat", "lon", "lng", "latitude", "longitude", "gps", "altitude"),
        *("comment", "comments", "note", "notes", "description", "caption", "text", "title"),
        *("count", "number", "no", "num", "nr", "row", "line", "page", "unnamed", "fold", "seed"),
        *("batch", "session", "run", "sequence", "frame", "series", "patient", "subject", "track"),
        *("camera", "device", "scanner", "slide", "plate", "lens", "site", "station", "burst"),
        *("licence", "license", "rights", "version", "filesize", "checksum", "dpi", "iso"),
    )
)
"""Words in names of columns that are not labels, unless the whole name is in LABEL_NAMES."""
NO = frozenset({"0", "0.0", "false", "no", "n", "f"})
YES = frozenset({"1", "1.0", "true", "yes", "y", "t"})
UNASSIGNED = frozenset({"", "unassigned", "none", "nan", "null", "-"})
"""Cells of a split column that leave the split to eyespot."""
