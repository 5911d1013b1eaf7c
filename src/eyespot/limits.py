"""The limits on untrusted input, all in one place; docs/reference/limits.md lists them.

Bytes are decimal. Input beyond a limit is refused before it is read, unpacked or decoded.
"""

# --- photos -------------------------------------------------------------------------------------

MAX_PHOTO_BYTES = 200_000_000
"""Bytes of a photo's file, and of a table or list of photos."""
MAX_PHOTO_PIXELS = 100_000_000
"""Pixels of an image in memory: 300 MB as RGB."""
MAX_REDUCED_PIXELS = 4 * MAX_PHOTO_PIXELS
"""Pixels of an image that is decoded at reduced size, row by row."""
MAX_PROFILE_BYTES = 4_000_000
"""Bytes of a colour profile; a larger one is ignored, and the image read as sRGB."""
MAX_SAMPLE_BYTES = 400_000_000
"""Bytes of the samples of a TIFF or PNG before conversion to 8 bits."""
MAX_FILE_PARTS = 100_000
"""Segments, chunks, blocks, strips or tiles of an image file; each takes some microseconds."""
MAX_TIFF_DIRECTORIES = 100
"""Images of a TIFF that are read."""

MAX_WEBP_PIXELS = MAX_PHOTO_PIXELS // 2
"""Pixels of a WebP; its decoder takes twice the time and memory of others."""
MAX_JPEG_SCANS = 100
"""Scans of a JPEG; cameras and programs write 1 to 12."""
MAX_SCANNED_PIXELS = 2_000_000_000
"""Pixels x scans of a JPEG: about a second; 12 scans of the largest image have 1,200 million."""
MAX_JPEG2000_SAMPLES = 48_000_000
"""Samples of a JPEG 2000 at its decoded size: Pillow holds the interpreter's lock meanwhile."""
MAX_JPEG2000_PARTS = 500_000
"""Code-blocks and packets of a JPEG 2000; 100 million pixels in tiles of 128 have 400,000."""
MAX_RUN_LENGTH_STEPS = 4_000_000
"""Pixels and bytes of a run-length encoded BMP, which Pillow reads one by one."""

# --- collections --------------------------------------------------------------------------------

MAX_FILES = 500_000
"""Files below a table's folder that are searched for photos by name."""
MAX_SHARDS = 100_000
"""Tar files that a pattern may match."""
MAX_NAMES_BYTES = 10_000_000
"""Bytes of a names.json beside photos, and of a job's description of its output."""
MAX_IDX_BYTES = 500_000_000
"""Bytes of an IDX file, unpacked."""

MAX_ANNOTATION_BYTES = 200_000_000
"""Bytes of a file of boxes."""
MAX_ANNOTATION_MARKS = 5_000_000
"""Elements and attributes of its XML, lists and objects of its JSON: of a million boxes in COCO."""
MAX_YAML_BYTES = 500_000
"""Bytes of a YOLO data.yaml; the 1,203 classes of LVIS take 30,000."""

# --- classifiers --------------------------------------------------------------------------------

MAX_MEMBER_BYTES = 8_000_000_000
"""Bytes of each array file in a .eyespot file: the features of half a million photos."""
MAX_MANIFEST_BYTES = 50_000_000
"""Bytes of the JSON in a .eyespot file, and of its model card: names of 100,000 classes. Older
files keep the confusion matrix there, which fills this with 2,600 classes."""
MAX_MANIFEST_LISTS = 1_000_000
"""Lists and objects in that JSON; each takes at least 64 bytes of memory."""
MAX_MANIFEST_DEPTH = 8
"""Nesting depth of the metrics; eyespot writes 4."""
MAX_NETWORK_NAME = 200
"""Characters of a network's name."""

# --- the studio ---------------------------------------------------------------------------------

MAX_UPLOAD_BYTES = 200 * 2**20
"""Bytes of one request to the studio."""
MAX_PROJECTS = 1_000
MAX_PROJECT_CLASSES = 200
MAX_PROJECT_PHOTOS = 20_000
"""Photos of a project; training on 10,000 took 1.3 GB of memory."""
MAX_PHOTO_BOXES = 10_000
"""Boxes of a photo in the studio."""
MAX_NAME_CHARACTERS = 100
"""Characters of the name of a project or class."""
MAX_TEXT_CHARACTERS = 10_000
"""Characters of a text in a request of the studio's pages, such as a path below a folder; no system
has paths longer than 4,096 bytes."""
MAX_ARCHIVE_MEMBERS = 2 * MAX_PROJECT_PHOTOS
MAX_ARCHIVE_BYTES = 20_000_000_000
"""Unpacked bytes that all members of an archive claim together."""
MAX_ARCHIVE_GROWTH = 100
"""Growth of an archive when unpacked: photos barely compress, zip bombs grow a thousandfold."""
MAX_ARCHIVE_MANIFEST_BYTES = 20_000_000

# --- HTTP, of the server and the studio ---------------------------------------------------------

MAX_HEAD_BYTES = 65_536
"""Bytes of a request's URL and headers, and of all other bytes outside its body. Apache and nginx
allow 8 to 32 kB; cookies of other programs on the same host are included."""
MAX_URL_BYTES = 8_192
"""Bytes of a request's URL, as in most servers."""
MAX_HEADERS = 100
"""Headers of a request; browsers send twenty."""
MAX_CONNECTIONS = 2_000
"""Connections of a process; each takes at most 60 kB before its first request."""
MAX_PIPELINED_REQUESTS = 16
"""Requests that a connection sends before the first response; clients rarely do."""
MAX_DRAINED_BYTES = 100_000_000
"""Bytes of a refused request that are read and discarded, since many clients read no response
before they have sent everything: five times MAX_REQUEST_BYTES."""
MAX_DRAIN_SECONDS = 60.0
"""Seconds for draining."""

# --- the server (defaults where `eyespot serve` has an option) ----------------------

MAX_REQUEST_BYTES = 20_000_000
"""Bytes of a request's body."""
MAX_REQUEST_PHOTOS = 32
"""Photos in a request."""
MAX_REQUEST_SECONDS = 10.0
"""Seconds from a request's first byte to its response."""
MAX_WAITING_PHOTOS = 256
"""Photos in progress for one classifier."""
MAX_BODIES_BYTES = 200_000_000
"""Bytes of all requests in progress in a process: ten of the largest, or a hundred usual photos."""
MAX_JSON_MARKS = 10_000
"""Brackets, braces and commas of a request's JSON; each may stand for a value of 64 bytes or more.
32 photos need a hundred."""
MAX_KEY_FILE_BYTES = 1_000_000
"""Bytes of the file of API keys."""
MAX_HEIF_PIXELS = MAX_PHOTO_PIXELS // 2
"""Pixels of a HEIC or AVIF, which have no reduced size: 100 million took 5 s and 1.3 GB. Phones
write up to 50 million."""
