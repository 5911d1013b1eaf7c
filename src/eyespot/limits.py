"""The limits on what comes from outside: each is decided here, and docs/limits.md lists them all.

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
"""Of the numbers of a TIFF before they become 8 bits each."""
MAX_TIFF_PARTS = 100_000
"""Strips or tiles of a picture."""
MAX_TIFF_DIRECTORIES = 100
"""Pictures of a file that are looked at."""

# --- collections --------------------------------------------------------------------------------

MAX_FILES = 500_000
"""Files below a table's folder among which its photos are looked for by name."""
MAX_SHARDS = 100_000
"""Tar files that a pattern may stand for."""
MAX_IDX_BYTES = 500_000_000
"""Unpacked, of an IDX file."""

# --- classifiers --------------------------------------------------------------------------------

MAX_MEMBER_BYTES = 8_000_000_000
"""Of the arrays in a classifier's file."""
MAX_MANIFEST_BYTES = 50_000_000
"""Of the JSON in a classifier's file."""

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

# --- the server (each an option of `eyespot serve`) ---------------------------------------------

MAX_REQUEST_BYTES = 20_000_000
MAX_REQUEST_PICTURES = 32
MAX_REQUEST_SECONDS = 10.0
"""From a request's first byte to its answer."""
MAX_WAITING_PICTURES = 256
"""Of one classifier, under way."""
MAX_KEY_FILE_BYTES = 1_000_000
