"""Which column is the photo, the label and the split: held to tables of many programs."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eyespot.data.open import open_photos
from eyespot.data.photos import Dataset
from eyespot.errors import DatasetError, UsageError
from tests.data.files import encode, noise, save

NAMES = [f"{label}{number}.jpg" for label in ("cat", "dog", "owl") for number in range(4)]
LABELS = [name[:3] for name in NAMES]
IMAGE = encode(noise(16, 12, 1), "PNG")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve photos of three classes, whose names say what is right."""
    root = tmp_path_factory.mktemp("photos")
    for name in NAMES:
        save(root / name)
    return root


def read(folder: Path, text: str | bytes, name: str = "labels.csv", **columns: Any) -> Dataset:
    file = folder / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return open_photos(file, least_classes=1, **columns)


def rows(header: str, row: str) -> str:
    """A table of twelve rows; {n} number, {f} file, {l} label, {i} index, {s} split."""
    lines = [header] if header else []
    for n, (f, l) in enumerate(zip(NAMES, LABELS, strict=True)):  # noqa: E741
        s = ("TRAIN", "TRAIN", "VALIDATION", "TEST")[n % 4]
        i = ("cat", "dog", "owl").index(l)
        hot = ",".join("1" if l == c else "0" for c in ("cat", "dog", "owl"))
        lines.append(row.format(n=n, f=f, l=l, i=i, s=s, hot=hot))
    return "\n".join(lines) + "\n"


def is_right(found: Dataset) -> bool:
    return [(photo.name[-8:], photo.label) for photo in found.photos] == [
        (name, name[:3]) for name in NAMES
    ]


READ = {
    "plain": ("path,label", "{f},{l}"),
    "no header": ("", "{f},{l}"),
    "label first": ("", "{l},{f}"),
    "capitals": ("Image,Species", "{f},{l}"),
    "an unknown word": ("file,emotion", "{f},{l}"),
    "ids and sizes": ("image_id,image,width,emotion", "{n},{f},640,{l}"),
    "index column of pandas": (",image,label", "{n},{f},{l}"),
    "unnamed index": ("Unnamed: 0,filename,kind", "{n},{f},{l}"),
    "dates": ("image,taken,animal", "{f},2024-01-{n},{l}"),
    "scores": ("image,confidence,animal", "{f},0.9{n},{l}"),
    "decimals of any name": ("image,foo,animal", "{f},0.9{n},{l}"),
    "e-mails": ("image,by,animal", "{f},a{n}@x.org,{l}"),
    "photographers": ("image,photographer,animal", "{f},Ann,{l}"),
    "a constant": ("image,site,animal", "{f},north,{l}"),
    "label studio": (
        "annotation_id,annotator,choice,created_at,id,image,lead_time,updated_at",
        "{n},1,{l},2024-01-01T00:00:00Z,{n},{f},3.2,2024-01-01T00:00:00Z",
    ),
    "automl": ("", "{s},{f},{l}"),
    "automl with addresses": ("", "{s},gs://bucket/photos/{f},{l}"),
    "roboflow": ("filename, cat, dog, owl", "{f}, {hot}"),
    "one-hot floats": ("image,cat,dog,owl", "{f},{hot}"),
    "names and numbers": ("class id,filepaths,labels,data set", "{i},{f},{l},train"),
    "numbers and names": ("filepaths,class_index,class_name", "{f},{i},{l}"),
    "semicolons": ("path;label", "{f};{l}"),
    "tabs": ("path\tlabel", "{f}\t{l}"),
    "bars": ("path|label", "{f}|{l}"),
    "quoted commas": ("path;label;note", '{f};{l};"a, b, c, d"'),
    "spaces": ("path , label ", " {f} , {l} "),
    "a space between": ("", "{f} {l}"),
    "backslashes": ("path,label", "C:\\Users\\me\\pets\\{f},{l}"),
    "relative": ("path,label", "./{f},{l}"),
    "label studio uploads": ("image,choice", "/data/upload/1/8f2a1b3c-{f},{l}"),
    "label studio local files": ("image,choice", "/data/local-files/?d=pets/{f},{l}"),
}


@pytest.mark.parametrize("kind", list(READ))
def test_read_as_their_authors_meant(folder: Path, kind: str) -> None:
    found = read(folder, rows(*READ[kind]))
    assert is_right(found), found
    assert not found.skipped
    told = [finding.message for finding in found.findings if finding.kind == "columns"]
    assert len(told) == 1
    assert "labels.csv" in told[0]
    assert "label" in told[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_and_line_ends(folder: Path, encoding: str, end: str) -> None:
    text = rows("path,label", "{f},{l}").replace("\n", end)
    assert is_right(read(folder, text.encode(encoding)))


def test_one_photo_a_class_by_number(folder: Path) -> None:
    found = read(folder, rows("file,class_index", "{f},{n}"))
    assert len(found.classes) == len(NAMES)


def test_names_without_their_ending(folder: Path) -> None:
    text = "id,breed\n" + "".join(f"{name[:-4]},{name[:3]}\n" for name in NAMES)
    found = read(folder, text)
    assert [photo.label for photo in found.photos] == LABELS
    assert [finding.kind for finding in found.findings] == ["columns", "paths"]


def test_the_choice_is_told(folder: Path) -> None:
    found = read(folder, rows("image_id,image,width,emotion,split", "{n},{f},640,{l},{s}"))
    (finding,) = found.findings
    assert finding.severity == "note"
    assert finding.message == (
        "labels.csv: photo column: image, label column: emotion, split column: split."
    )
    assert finding.advice.startswith("Not used: image_id and width. ")


REFUSED = {
    "ids alone": ("image,image_id", "{f},{n}", "one column of labels"),
    "sizes alone": ("image,width,height", "{f},640,480", "one column of labels"),
    "dates alone": ("image,when", "{f},2024-01-{n}", "one column of labels"),
    "scores alone": ("image,score", "{f},0.{n}", "one column of labels"),
    "e-mails alone": ("image,who", "{f},a{n}@x.org", "one column of labels"),
    "batches": ("image,batch", "{f},{i}", "one column of labels"),
    "labels that are ids": ("image,label", "{f},{n}", "one column of labels"),
    "titles": ("image,headline", "{f},Photo number {n}", "one column of labels"),
    "two labels": ("image,label,species", "{f},{s}x,{l}", "found 2 candidates"),
    "two photos": ("left,right,label", "{f},{f},{l}", "one column of photos"),
    "several labels": ("image,cat,dog,owl", "{f},1,1,0", "has several labels"),
    "choices": ("image,choice", '{f},"[""a"", ""b""]"', "one column of labels|several labels"),
}


@pytest.mark.parametrize("kind", list(REFUSED))
def test_refused_in_a_sentence(folder: Path, kind: str) -> None:
    header, row, message = REFUSED[kind]
    with pytest.raises(DatasetError, match=message) as caught:
        read(folder, rows(header, row))
    assert len(str(caught.value)) < 1000
    assert "--" in str(caught.value)


def test_a_refusal_lists_columns_with_three_values(folder: Path) -> None:
    text = "image,colour,animal\n" + "".join(
        f"{name},{'red' if number % 2 else 'blue'},{name[:3]}\n"
        for number, name in enumerate(NAMES)
    )
    with pytest.raises(DatasetError) as caught:
        read(folder, text)
    said = str(caught.value)
    assert "colour (blue, red) and animal (cat, dog, owl)" in said
    assert "--label-column" in said
    assert is_right(read(folder, text, label_column="animal"))
    assert is_right(read(folder, text, label_column="ANIMAL"))
    assert is_right(read(folder, text, label_column="3"))
    assert read(folder, text, label_column="colour").classes == ("blue", "red")
    with pytest.raises(UsageError, match="no column 'size' for --label-column"):
        read(folder, text, label_column="size")


def test_columns_are_of_tables_alone(folder: Path) -> None:
    with pytest.raises(UsageError, match="Only tables have columns"):
        open_photos([IMAGE, IMAGE], ["a", "b"], label_column="a")
    with pytest.raises(UsageError, match="Only tables have columns"):
        open_photos(folder, label_column="a")


def test_every_split_word_counts(folder: Path) -> None:
    found = read(folder, rows("image,label,Usage", "{f},{l},{s}"))
    assert [photo.split for photo in found.photos][:4] == ["train", "train", "val", "test"]
    found = read(folder, rows("image,label,is_test", "{f},{l},{i}").replace(",2\n", ",1\n"))
    assert {photo.split for photo in found.photos} == {"train", "test"}
    found = read(folder, rows("image,label,split", "{f},{l},{n}"))
    assert {photo.split for photo in found.photos} == {None}
    assert "was not used as a split" in found.findings[1].message


@pytest.mark.parametrize("missing", ["", "nan", "NaN", "<NA>", "null"])
def test_missing_labels_are_none(folder: Path, missing: str) -> None:
    text = rows("image,label", "{f},{l}").replace("owl0.jpg,owl", f"owl0.jpg,{missing}")
    found = read(folder, text)
    assert len(found.photos) == 11
    assert [one.path for one in found.skipped] == ["owl0.jpg"]


def test_a_class_called_none_is_told(folder: Path) -> None:
    found = read(folder, rows("image,label", "{f},{l}").replace(",owl", ",none"))
    assert found.classes == ("cat", "dog", "none")
    assert (
        "The label 'none' of 4 photos in labels.csv was read as a class"
        in found.findings[1].message
    )


def jsonl(records: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


TASKS = [
    {
        "id": n,
        "data": {"image": f"/data/upload/1/0a1b2c3d-{name}"},
        "annotations": [
            {"result": [{"type": "choices", "from_name": "a", "value": {"choices": [name[:3]]}}]}
        ],
    }
    for n, name in enumerate(NAMES)
]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("metadata.jsonl", jsonl([{"file_name": f, "label": f[:3], "n": 1} for f in NAMES])),
        ("a.json", json.dumps([{"image": f, "choice": f[:3], "id": 7} for f in NAMES])),
        ("a.jsonl", jsonl([{"file_name": f, "labels": [f[:3]]} for f in NAMES])),
        ("tasks.json", json.dumps(TASKS)),
        (
            "vertex.jsonl",
            jsonl(
                [
                    {
                        "imageGcsUri": f"gs://b/{f}",
                        "classificationAnnotation": {"displayName": f[:3]},
                        "dataItemResourceLabels": {"aiplatform.googleapis.com/ml_use": "test"},
                    }
                    for f in NAMES
                ]
            ),
        ),
        (
            "output.manifest",
            jsonl(
                [
                    {
                        "source-ref": f"s3://b/{f}",
                        "job": 1,
                        "job-metadata": {"class-name": f[:3], "confidence": 0.9},
                    }
                    for f in NAMES
                ]
            ),
        ),
    ],
)
def test_json(folder: Path, name: str, text: str) -> None:
    assert is_right(read(folder, text, name))
    (folder / name).unlink()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Expected a JSON object in each line"),
        ("[1, 2]", "number 1 is not an object"),
        ('{"images": [], "annotations": []}', "COCO"),
        ("[" * 100_000, "nested too deeply|JSON object"),
        ('[{"data": {}, "annotations": [{"result": [{"type": "rectanglelabels"}]}]}]', "choices"),
        ("", "found nothing"),
    ],
)
def test_json_that_cannot_be_read(folder: Path, text: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read(folder, text, "bad.json")


def test_metadata_beside_the_photos(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for name in NAMES:
            save(tmp_path / split / name)
        lines = [{"file_name": name, "label": name[:3]} for name in NAMES]
        (tmp_path / split / "metadata.jsonl").write_text(jsonl(lines))
    found = open_photos(tmp_path)
    assert found.classes == ("cat", "dog", "owl")
    assert {(photo.name[:5], photo.split) for photo in found.photos} == {
        ("train", "train"),
        ("test/", "test"),
    }
    assert open_photos(tmp_path / "test").classes == ("cat", "dog", "owl")


def test_metadata_without_labels_leaves_the_folders_and_says_so(tmp_path: Path) -> None:
    for label in ("cat", "dog"):
        save(tmp_path / label / "1.jpg")
    (tmp_path / "metadata.csv").write_text("file_name,width\ncat/1.jpg,8\ndog/1.jpg,8\n")
    found = open_photos(tmp_path)
    assert found.classes == ("cat", "dog")
    assert "one column of labels in metadata.csv" in found.findings[0].message


def parquet(file: Path, **columns: Any) -> Dataset:
    columns = {"image": [IMAGE] * 12, **columns}
    pq.write_table(pa.table(columns), file, row_group_size=5)
    return open_photos(file, least_classes=1)


def test_parquet_as_other_tables(tmp_path: Path) -> None:
    splits = ["train", "train", "val", "test"] * 3
    found = parquet(
        tmp_path / "a.parquet",
        image_id=list(range(12)),
        width=[640] * 12,
        emotion=LABELS,
        split=splits,
        group=[f"g{n // 2}" for n in range(12)],
    )
    assert [photo.label for photo in found.photos] == LABELS
    assert [photo.split for photo in found.photos] == splits
    assert [photo.group for photo in found.photos][:3] == ["g0", "g0", "g1"]
    assert "label column: emotion, split column: split, group column" in found.findings[0].message
    hot = {c: [int(label == c) for label in LABELS] for c in ("cat", "dog", "owl")}
    assert [photo.label for photo in parquet(tmp_path / "b.parquet", **hot).photos] == LABELS
    floats = parquet(tmp_path / "c.parquet", label=[1.0, 2.0, float("nan")] * 4)
    assert floats.classes == ("1", "2")
    assert len(floats.skipped) == 4
    assert parquet(tmp_path / "d.parquet", label=[True, False] * 6).classes == ("False", "True")
    with pytest.raises(DatasetError, match="one column of labels"):
        parquet(tmp_path / "e.parquet", image_id=list(range(12)), width=[1, 2, 3] * 4)


def test_parquet_of_paths(folder: Path) -> None:
    pq.write_table(pa.table({"path": NAMES, "label": LABELS}), folder / "paths.parquet")
    assert is_right(open_photos(folder / "paths.parquet"))
    (folder / "paths.parquet").unlink()


def test_shared_cases(shared_cases: Path) -> None:
    """Files that were misread once."""
    for case in ("table-automl", "table-label-studio", "table-one-hot"):
        found = open_photos(shared_cases / case / "labels.csv")
        assert [photo.label for photo in found.photos] == [p.name[:3] for p in found.photos], case
        assert found.classes == ("cat", "dog", "owl")
    assert (
        "emotion"
        in open_photos(shared_cases / "parquet-image-id" / "faces.parquet").findings[0].message
    )
    glass = open_photos(shared_cases / "parquet-split-group" / "glass.parquet")
    assert sum(photo.split == "test" for photo in glass.photos) == 6
    assert all(photo.group for photo in glass.photos)
