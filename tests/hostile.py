"""Inputs that ask for more than a machine should give, and what reading each of them takes.

`python -m tests.hostile` prints the table of docs/reliability.md: for each input the bytes on disk, the peak of memory that
reading it adds in a process of its own, the seconds, and what is said.
"""

from __future__ import annotations

import gzip
import io
import json
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]

READ = """
import json, resource, sys, time
import numpy, pandas, scipy.ndimage, PIL.Image
from pathlib import Path
from ganad import service
from ganad.data import preprocess, sources
from ganad.errors import GanadError
PIL.Image.init()
def peak():
    try:  # what getrusage says on Linux begins with the peak of the process that started this one
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
path, read = sys.argv[1], {"data": sources.load, "picture": lambda p: service.prepare_file(Path(p))}[sys.argv[2]]
before, began = peak(), time.perf_counter()
try:
    read(path)
    said = "read"
except GanadError as error:
    said = str(error)
print(json.dumps({"bytes": peak() - before, "seconds": time.perf_counter() - began, "said": said}))
"""


def reading(path: Path, kind: str = "data") -> dict[str, Any]:
    """What reading a path says and takes in a fresh process: {"said", "bytes" of memory at the peak, "seconds"}."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path), kind], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def idx(shape: tuple[int, ...], content: bytes = b"") -> bytes:
    """An IDX file whose header promises a shape."""
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape) + content


def zeros(n: int) -> bytes:
    """n zeros, n a multiple of 10⁸, as gzip: 97 kB for each 10⁸ of them."""
    return gzip.compress(bytes(100_000_000), 9) * (n // 100_000_000)


def idx_folder(folder: Path, images: bytes, *, gz: bool) -> Path:
    """A folder of MNIST's four files with other training images."""
    small = idx((20,), bytes(range(10)) * 2)
    ending = ".gz" if gz else ""
    for name in ("train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte"):
        (folder / f"{name}{ending}").write_bytes(gzip.compress(small) if gz else small)
    for name in ("train-images-idx3-ubyte", "t10k-images-idx3-ubyte"):
        (folder / f"{name}{ending}").write_bytes(images)
    return folder


def gzip_bomb(folder: Path) -> Path:
    """5.8 GB of zeros behind the header of 60,000 images."""
    return idx_folder(folder, gzip.compress(idx((60_000, 28, 28))) + zeros(5_800_000_000), gz=True)


def lying_idx(folder: Path) -> Path:
    """A header of 7 TB, and nothing behind it."""
    return idx_folder(folder, idx((9_000_000, 900, 900)), gz=False)


def header(shape: tuple[int, ...], dtype: str = "|u1") -> bytes:
    """The head of a .npy file that promises an array."""
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": dtype, "fortran_order": False, "shape": shape})
    return out.getvalue()


def npz(path: Path, images: bytes, content: Callable[[Any], None] = lambda member: None) -> Path:
    """An .npz whose training images begin with given bytes, and go on with what `content` writes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        with archive.open("x_train.npy", "w", force_zip64=True) as member:
            member.write(images)
            content(member)
        for name in ("y_train", "x_test", "y_test"):
            out = io.BytesIO()
            np.save(out, np.zeros((20, 28, 28) if name.startswith("x") else 20, np.uint8))
            archive.writestr(f"{name}.npy", out.getvalue())
    return path


def npz_bomb(folder: Path) -> Path:
    """6.1 GB of float64 images, all zero."""

    def write(member: Any) -> None:
        for _ in range(972):
            member.write(bytes(1000 * 784 * 8))

    return npz(folder / "bomb.npz", header((972_000, 28, 28), "<f8"), write)


def lying_npz(folder: Path) -> Path:
    """A header of 7 TB, and nothing behind it."""
    return npz(folder / "lying.npz", header((1_000, 30_000, 30_000), "<f8"))


def huge_field(folder: Path) -> Path:
    """A CSV whose first cell has 40 MB."""
    for part in ("train", "test"):
        (folder / f"{part}.csv").write_bytes(b"7" * 40_000_000 + b",0" * 784)
    return folder


def deep_png(folder: Path) -> Path:
    """39 megapixels of 16 bits, all of one grey but a square."""
    picture = np.full((6245, 6245), 40_000, np.uint16)
    picture[1500:4500, 2800:3300] = 100
    Image.fromarray(picture).save(folder / "deep.png", compress_level=9)
    return folder / "deep.png"


def see_through_png(folder: Path) -> Path:
    """29 megapixels in colour with transparency."""
    picture = np.zeros((5400, 5400, 4), np.uint8)
    picture[1500:4000, 2500:2900, 3] = 255
    Image.fromarray(picture).save(folder / "clear.png", compress_level=9)
    return folder / "clear.png"


def photo(folder: Path) -> Path:
    """A progressive JPEG of 29 megapixels in colour: the decoder holds all its coefficients."""
    picture = np.full((5400, 5400, 3), 220, np.uint8)
    picture[1500:4000, 2500:2900] = 20
    Image.fromarray(picture).save(folder / "photo.jpg", progressive=True, subsampling=0)
    return folder / "photo.jpg"


def wide_png(folder: Path) -> Path:
    """39 megapixels in colour."""
    Image.new("RGB", (6245, 6245), "white").save(folder / "wide.png", compress_level=9)
    return folder / "wide.png"


INPUTS = {
    "IDX, gzipped: 5.8 GB behind a header of 47 MB": (gzip_bomb, "data"),
    "IDX: a header of 7 TB": (lying_idx, "data"),
    "npz: 6.1 GB of float64": (npz_bomb, "data"),
    "npz: a header of 7 TB": (lying_npz, "data"),
    "CSV: a cell of 40 MB": (huge_field, "data"),
    "PNG: 39 megapixels of 16 bits": (deep_png, "picture"),
    "PNG: 39 megapixels in colour": (wide_png, "picture"),
    "PNG: 29 megapixels with transparency": (see_through_png, "picture"),
    "JPEG, progressive: 29 megapixels": (photo, "picture"),
}
"""What it is -> how it is made, and how it is read."""


def main() -> None:
    print("| input | on disk | peak of memory | seconds | what is said |\n|---|---:|---:|---:|---|")
    for name, (make, kind) in INPUTS.items():
        with tempfile.TemporaryDirectory() as folder:
            path = make(Path(folder))
            files = [path] if path.is_file() else list(path.iterdir())
            disk = max(f.stat().st_size for f in files)
            r = reading(path, kind)
            said = r["said"].replace(str(path), path.name).replace(f"{folder}/", "")
            print(
                f"| {name} | {disk / 1e6:.2f} MB | {r['bytes'] / 1e6:.0f} MB | {r['seconds']:.1f} | {said} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
