"""The limits on inputs: each is decided here, and docs/reference/limits.md lists them all.

Bytes are decimal. What a limit refuses is refused before it is read, unpacked or computed.
"""

# --- photos -------------------------------------------------------------------------------------

MAX_PHOTO_BYTES = 200_000_000
"""Of a photo's file, and of a table or list of photos."""
MAX_PHOTO_PIXELS = 100_000_000
"""Of a picture that is held in memory: 300 MB as RGB."""
MAX_REDUCED_PIXELS = 4 * MAX_PHOTO_PIXELS
"""Of a picture that is decoded at a fraction of its size, row by row."""
MAX_PROFILE_BYTES = 4_000_000
"""Of a colour profile; a larger one is passed over, and its picture taken as sRGB."""
MAX_SAMPLE_BYTES = 400_000_000
"""Of the numbers of a TIFF or PNG before they become 8 bits each."""
MAX_FILE_PARTS = 100_000
"""Segments, chunks, blocks, strips or tiles of a photo's file, each some microseconds' work."""
MAX_TIFF_DIRECTORIES = 100
"""Pictures of a file that are looked at."""

MAX_WEBP_PIXELS = MAX_PHOTO_PIXELS // 2
"""Of a WebP, whose decoder takes twice the time and memory of others for a pixel."""
MAX_JPEG_SCANS = 100
"""Of a JPEG; cameras and programs write 1 to 12."""
MAX_SCANNED_PIXELS = 2_000_000_000
"""Pixels x scans of a JPEG: about a second; 12 scans of the largest picture have 1,200 million."""
MAX_JPEG2000_SAMPLES = 48_000_000
"""Numbers of a JPEG 2000 at the size at which it is decoded: while Pillow does, a process waits."""
MAX_JPEG2000_PARTS = 500_000
"""Code-blocks and packets of a JPEG 2000; 100 million pixels in tiles of 128 have 400,000."""
MAX_RUN_LENGTH_STEPS = 4_000_000
"""Pixels and bytes of a BMP that is packed as runs, which Pillow reads one by one."""

# --- collections --------------------------------------------------------------------------------

MAX_FILES = 500_000
"""Files below a table's folder among which its photos are looked for by name."""
MAX_SHARDS = 100_000
"""Tar files that a pattern may stand for."""
MAX_NAMES_BYTES = 10_000_000
"""Of a names.json beside photos, and of what a job says of its output."""
MAX_IDX_BYTES = 500_000_000
"""Unpacked, of an IDX file."""

# --- classifiers --------------------------------------------------------------------------------

MAX_MEMBER_BYTES = 8_000_000_000
"""Of each file of arrays in a classifier's file: the features of half a million photos."""
MAX_MANIFEST_BYTES = 50_000_000
"""Of the JSON in a classifier's file, and of its model card: names of 100,000 classes. Older files
have the confusion matrix in it, which fills this with 2,600 classes."""
MAX_MANIFEST_LISTS = 1_000_000
"""Lists and objects in that JSON, each of which takes 64 bytes of memory or more."""
MAX_MANIFEST_DEPTH = 8
"""Lists and objects of the metrics within each other; what eyespot writes has 4."""
MAX_NETWORK_NAME = 200
"""Characters of the name of a network, which is compared with all that are known."""

# --- the studio ---------------------------------------------------------------------------------

MAX_UPLOAD_BYTES = 200 * 2**20
"""Of one request to the studio."""
MAX_PROJECTS = 1_000
MAX_PROJECT_CLASSES = 200
MAX_PROJECT_PICTURES = 20_000
"""Learning from 10,000 took 1.3 GB of memory."""
MAX_NAME_CHARACTERS = 100
"""Of the name of a project or class."""
MAX_TEXT_CHARACTERS = 10_000
"""Of a text in a request of the studio's pages, such as a path below a folder: no system has longer
paths than 4,096 bytes."""
MAX_ARCHIVE_MEMBERS = 2 * MAX_PROJECT_PICTURES
MAX_ARCHIVE_BYTES = 20_000_000_000
"""That all members of an archive may claim together."""
MAX_ARCHIVE_GROWTH = 100
"""Times that an archive may grow: pictures hardly shrink, zip bombs grow a thousand times."""
MAX_ARCHIVE_MANIFEST_BYTES = 20_000_000

# --- HTTP, of the server and the studio ---------------------------------------------------------

MAX_HEAD_BYTES = 65_536
"""Of a request's address and headers, and of whatever else of it is no body. Apache and nginx take
8 to 32 kB; cookies of other programs at the same host come along."""
MAX_URL_BYTES = 8_192
"""Of a request's address, as most servers have it."""
MAX_HEADERS = 100
"""Of a request; browsers send twenty."""
MAX_CONNECTIONS = 2_000
"""Of a process: 60 kB each at most before there is a request."""
MAX_PIPELINED_REQUESTS = 16
"""Of a connection, sent before the first was answered; hardly a client does so."""
MAX_DRAINED_BYTES = 100_000_000
"""Of a refused request, read and thrown away, since clients often read no answer before they have
sent all: five times what the server takes."""
MAX_DRAIN_SECONDS = 60.0
"""For that."""

# --- the server (those with an option of `eyespot serve` are its defaults) ----------------------

MAX_REQUEST_BYTES = 20_000_000
MAX_REQUEST_PICTURES = 32
MAX_REQUEST_SECONDS = 10.0
"""From a request's first byte to its answer."""
MAX_WAITING_PICTURES = 256
"""Of one classifier, under way."""
MAX_BODIES_BYTES = 200_000_000
"""Of all requests that a process has under way: ten of the largest, a hundred of usual photos."""
MAX_JSON_MARKS = 10_000
"""Brackets, braces and commas of a request's JSON, each of which may be a value of 64 bytes and
more. 32 pictures need a hundred."""
MAX_KEY_FILE_BYTES = 1_000_000
MAX_HEIF_PIXELS = MAX_PHOTO_PIXELS // 2
"""Pixels of a HEIC or AVIF, which have no reduced size: 100 million took 5 s and 1.3 GB. Phones
write up to 50 million."""
