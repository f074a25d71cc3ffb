"""How much one file may ask of the machine. Every bound is checked before the memory is taken.

docs/reliability.md says what is told to the user at each of them, and how much memory was measured there.
"""

from __future__ import annotations

IMAGES = 500_000
"""Images in one part (train or test) of a data source: 392 MB as 28x28 bytes. MNIST has 60,000, all of NIST's digits 402,953."""

ARRAY_BYTES = 1_000_000_000
"""Bytes of one unpacked array of an .npz: 500,000 images of one byte a pixel, 159,000 of eight."""

ARCHIVE_BYTES = 4_000_000_000
"""Bytes of an .npz as it lies on disk."""

ARCHIVE_DIRECTORY = 1_000_000
"""Bytes of the list of files at the end of an .npz: some ten thousand names."""

CSV_BYTES = 1_600_000_000
"""Bytes of a CSV: 500,000 rows of 785 cells of up to four characters, the comma counted."""

CSV_LINE = 65_536
"""Bytes of one line of a CSV: 785 cells of 83 bytes each; a row of pixels has at most 3,140."""

FOLDER_ENTRIES = 1_000_000
"""Files of any kind in one folder that is looked into."""

FOLDER_BYTES = 8_000_000_000
"""Bytes of all pictures of one part (train or test) together; they are read one after another."""

PICTURE_BYTES = 64_000_000
"""Bytes of one picture as it lies on disk."""

PIXELS = 40_000_000
"""Width times height of a picture, as its header says: 40 million pixels of grey, 8 or 16 bits deep."""

DECODED_BYTES = 120_000_000
"""Width times height times bytes a pixel of an unpacked picture, as its header says: 30 million pixels in colour."""

PATH_LENGTH = 4_096
"""Characters of a path: what Linux takes."""

CACHE_BYTES = 1_000_000_000
"""Bytes of everything that one process computes once and keeps (ganad.memory); GANAD_CACHE_BYTES in its place."""
