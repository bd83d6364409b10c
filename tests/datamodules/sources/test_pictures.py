"""Image files of any kind, loose or packed, to one size; what is broken is named, what is unsafe refused."""

import io
import os
import stat
import struct
import tarfile
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from infogan.datamodules.sources import pictures
from infogan.datamodules.sources.pictures import Decoder, files_of, pictures_in
from infogan.errors import DataError

RNG = np.random.default_rng(0)


def noise(width, height, mode="RGB"):
    return Image.fromarray(RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)).convert(mode)


def encoded(picture, kind="PNG", **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


CONTENTS = {
    "b/two.jpg": encoded(noise(40, 30), "JPEG"),
    "a/one.png": encoded(noise(30, 40)),
    "a/three.bmp": encoded(noise(32, 32, "L"), "BMP"),
}


def folder(place, contents):
    for name, data in contents.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    return place


def packed_zip(place, contents):
    with zipfile.ZipFile(place, "w") as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return place


def packed_tar(place, contents):
    with tarfile.open(place, "w") as archive:
        for name, data in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return place


def decoded(place, size=16, channels=3, skip_broken=False, **options):
    found = pictures_in(place)
    return Decoder(found, size, channels, skip_broken, **options)(range(len(found.entries)))


def one(tmp_path, data, name="picture.png", **options):
    return decoded(folder(tmp_path / "one", {name: data}), **options).images[0]


def test_a_folder_a_zip_and_a_tar_hold_the_same_images(tmp_path):
    loose = folder(tmp_path / "loose", CONTENTS)
    for name in (".hidden.png", "__MACOSX/a/one.png", "a/._one.png", "notes.txt"):
        folder(loose, {name: b"no image"})
    places = [loose, packed_zip(tmp_path / "x.zip", CONTENTS), packed_tar(tmp_path / "x.tar", CONTENTS)]
    found = [decoded(place) for place in places]
    assert [entry.name for entry in pictures_in(loose).entries] == sorted(CONTENTS)
    for chunk in found:
        assert (chunk.images.shape, chunk.images.dtype) == ((3, 3, 16, 16), np.uint8)
        assert (chunk.images == found[0].images).all()
        assert chunk.rows.tolist() == [0, 1, 2]


def test_the_middle_square_is_kept(tmp_path):
    wide = np.zeros((8, 24, 3), np.uint8)
    wide[:, 8:16] = (10, 20, 30)
    images = one(tmp_path, encoded(Image.fromarray(wide)), size=8)
    assert (images == np.array([10, 20, 30])[:, None, None]).all()


def test_a_smaller_square_for_pictures_of_one_size(tmp_path):
    aligned = np.full((218, 178), 255, np.uint8)
    aligned[35:183, 15:163] = 7
    data = encoded(Image.fromarray(aligned))
    assert (one(tmp_path, data, size=8, channels=1, crops={(178, 218): 148}) == 7).all()
    assert (one(tmp_path, data, size=8, channels=1) > 200).any()
    assert (one(tmp_path, data, size=8, channels=1, crops={(100, 100): 20}) > 200).any()


def test_a_picture_is_turned_as_its_camera_says(tmp_path):
    top = np.zeros((16, 16), np.uint8)
    top[:8] = 200
    exif = Image.Exif()
    exif[0x0112] = 6  # the right side of what is shown is the top of what is stored
    image = one(tmp_path, encoded(Image.fromarray(top), "PNG", exif=exif), channels=1)[0]
    assert image[:, 8:].min() > 190
    assert image[:, :8].max() < 10


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_becomes_white(tmp_path, mode):
    picture = Image.new("RGBA", (16, 16), (0, 0, 0, 0))
    picture.paste((50, 50, 50, 255), (0, 0, 16, 8))
    options = {}
    if mode == "P":
        picture = picture.convert("RGB").quantize(2)
        options = {"transparency": picture.getpixel((0, 15))}
    else:
        picture = picture.convert(mode)
    image = one(tmp_path, encoded(picture, "PNG", **options))
    assert (image[:, 8:] == 255).all()
    assert (np.abs(image[:, :8].astype(int) - 50) <= 1).all()


@pytest.mark.parametrize(
    ("mode", "kind"), [("1", "PNG"), ("L", "PNG"), ("P", "GIF"), ("CMYK", "JPEG"), ("RGB", "WEBP")]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_modes_of_colour(tmp_path, mode, kind, channels):
    image = one(tmp_path, encoded(Image.new("RGB", (20, 20), "white").convert(mode), kind), channels=channels)
    assert image.shape == (channels, 16, 16)
    assert image.min() > 250


def test_gray_is_the_luminance(tmp_path):
    image = one(tmp_path, encoded(Image.new("RGB", (20, 20), (255, 0, 0))), channels=1)
    assert (image == round(0.299 * 255)).all()


def test_fine_stripes_become_an_even_gray(tmp_path):
    stripes = np.zeros((160, 160), np.uint8)
    stripes[:, ::2] = 255
    image = one(tmp_path, encoded(Image.fromarray(stripes)), size=16, channels=1)
    assert 120 <= image.min() <= image.max() <= 135


def png_that_claims(width, height):
    def part(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", zlib.compress(b"\0" * 100)) + part(b"IEND", b"")


BROKEN = {
    "empty.png": (b"", "is empty"),
    "text.png": (b"once upon a time", "is not an image"),
    "cut.png": (encoded(noise(64, 64))[:3000], "is damaged"),
    "cut.jpg": (encoded(noise(64, 64), "JPEG")[:1000], "is damaged"),
    **{
        f"cut.{name}": (encoded(noise(64, 64), kind)[:200], "is ")
        for name, kind in (("avif", "AVIF"), ("jp2", "JPEG2000"), ("ppm", "PPM"), ("ico", "ICO"), ("tga", "TGA"))
    },
    "twisted.avif": (encoded(noise(64, 64), "AVIF").replace(b"av01Color", b"av02Color"), "is "),
    "header.png": (encoded(noise(64, 64))[:20], "is "),
    "real.tif": (encoded(Image.new("F", (8, 8)), "TIFF"), "numbers of 32 bits, of no range that is known"),
    "whole.tif": (encoded(Image.new("I", (8, 8)), "TIFF"), "numbers of 32 bits, of no range that is known"),
    "real.pfm": (encoded(Image.new("F", (8, 8)), "PPM"), "numbers of 32 bits, of no range that is known"),
    "bomb.png": (png_that_claims(30_000, 30_000), "too many pixels"),
    "large.png": (png_that_claims(10_000, 10_000), "too many pixels"),
    "short.png": (png_that_claims(64, 64), "is damaged"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_image_is_named(tmp_path, name):
    data, why = BROKEN[name]
    for place in (
        folder(tmp_path / "loose", {name: data}),
        packed_zip(tmp_path / "x.zip", {name: data}),
        packed_tar(tmp_path / "x.tar", {name: data}),
    ):
        with pytest.raises(DataError) as error:
            decoded(place)
        line = str(error.value)
        assert "\n" not in line
        assert name in line
        assert str(place) in line
        assert why in line


def test_broken_images_are_left_out_when_asked(tmp_path):
    contents = {**CONTENTS, "a/oo.png": b"", "zz.png": b"text"}
    chunk = decoded(folder(tmp_path / "loose", contents), skip_broken=True)
    assert chunk.rows.tolist() == [0, 2, 3], "a/oo.png comes second and zz.png last"
    assert (chunk.images == decoded(folder(tmp_path / "whole", CONTENTS)).images).all()


def test_some_of_them(tmp_path):
    found = pictures_in(folder(tmp_path / "loose", CONTENTS))
    assert [entry.name for entry in found.only([2, 0]).entries] == ["b/two.jpg", "a/one.png"]


@pytest.mark.parametrize("name", ["../out.png", "a/../../out.png", "/out.png", "..\\out.png", "C:\\out.png"])
@pytest.mark.parametrize("pack", [packed_zip, packed_tar])
def test_names_that_lead_out_of_an_archive(tmp_path, pack, name):
    place = pack(tmp_path / "in" / "x" if (tmp_path / "in").mkdir() is None else None, {**CONTENTS, name: b"x"})
    with pytest.raises(DataError, match=r"which leads out of it: refused$"):
        pictures_in(place)
    assert [path.name for path in tmp_path.rglob("*")] == ["in", "x"]


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
        b"A",
        tarfile.GNUTYPE_SPARSE,
    ],
)
def test_links_and_devices_in_a_tar(tmp_path, kind):
    place = packed_tar(tmp_path / "x.tar", CONTENTS)
    with tarfile.open(place, "a") as archive:
        member = tarfile.TarInfo("a/link.png")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(DataError, match=r"x\.tar holds a/link\.png, which is a link, a device or sparse: refused"):
        pictures_in(place)


@pytest.mark.parametrize("kind", ["S_IFLNK", "S_IFCHR", "S_IFBLK", "S_IFIFO", "S_IFSOCK"])
def test_links_and_devices_in_a_zip(tmp_path, kind):
    place = packed_zip(tmp_path / "x.zip", CONTENTS)
    with zipfile.ZipFile(place, "a") as archive:
        member = zipfile.ZipInfo("a/link.png")
        member.create_system, member.external_attr = 3, getattr(stat, kind) << 16
        archive.writestr(member, "/etc/passwd")
    with pytest.raises(DataError, match=r"x\.zip holds a/link\.png, which is a link or a device: refused"):
        pictures_in(place)


def test_what_is_no_file_in_a_folder(tmp_path):
    """A pipe would be waited for, and a device may have no end."""
    os.mkfifo(folder(tmp_path / "x", CONTENTS) / "pipe.png")
    with pytest.raises(DataError, match=r"x/pipe\.png could not be read: it is no file but a device or a pipe$"):
        decoded(tmp_path / "x")
    assert len(decoded(tmp_path / "x", skip_broken=True).rows) == 3
    (tmp_path / "x" / "pipe.png").unlink()
    (tmp_path / "x" / "zero.png").symlink_to("/dev/zero")
    with pytest.raises(DataError, match=r"x/zero\.png could not be read: it is no file but a device or a pipe$"):
        decoded(tmp_path / "x")
    (tmp_path / "x" / "zero.png").unlink()
    with (tmp_path / "x" / "large.png").open("wb") as file:
        file.truncate(pictures.LARGEST + 1)
    with pytest.raises(DataError, match=r"x/large\.png could not be read: 209,715,201 bytes are too many"):
        decoded(tmp_path / "x")


def test_a_zip_whose_member_unpacks_to_more_than_it_says(tmp_path):
    """500 MB of zeros that claim to be 1,000 bytes: no more than that is unpacked."""
    place = packed_zip_of_zeros(tmp_path / "x.zip", 500 << 20)
    contents = bytearray(place.read_bytes())
    position = contents.rindex(b"PK\1\2") + 24
    contents[position : position + 4] = (1000).to_bytes(4, "little")
    place.write_bytes(contents)
    tracemalloc.start()
    with pytest.raises(DataError, match=r"bomb\.png in \S+x\.zip (could not be read|is not an image)"):
        decoded(place)
    assert tracemalloc.get_traced_memory()[1] < 20 << 20
    tracemalloc.stop()


def packed_zip_of_zeros(place, size):
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("bomb.png", "w") as stream:
        for _ in range(size >> 20):
            stream.write(bytes(1 << 20))
    return place


def test_a_zip_bomb(tmp_path):
    place = packed_zip_of_zeros(tmp_path / "x.zip", 201 << 20)
    assert place.stat().st_size < 300_000
    with pytest.raises(DataError, match=r"x\.zip holds bomb\.png, 210,763,776 bytes large: refused$"):
        pictures_in(place)


def test_a_tar_that_is_cut_off(tmp_path):
    place = packed_tar(tmp_path / "x.tar", CONTENTS)
    whole = place.read_bytes()
    for length in (100, 700, 1200, 3000):
        place.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"x\.tar"):
            decoded(place)


def test_a_zip_that_is_cut_off_or_flipped(tmp_path):
    place = packed_zip(tmp_path / "x.zip", CONTENTS)
    whole = bytearray(place.read_bytes())
    place.write_bytes(whole[:-200])
    with pytest.raises(DataError, match=r"x\.zip"):
        decoded(place)
    place = tmp_path / "y.zip"
    whole[200] ^= 1  # in the bytes of the first image, whose checksum the archive holds
    place.write_bytes(whole)
    with pytest.raises(DataError, match=r"b/two\.jpg in \S+y\.zip could not be read"):
        decoded(place)


def test_what_holds_no_images(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    for place, why in (
        (tmp_path, "holds no images"),
        (tmp_path / "gone", "does not exist"),
        (tmp_path / "notes.txt", "no uncompressed tar"),
    ):
        with pytest.raises(DataError, match=why):
            pictures_in(place)


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_flipped_byte_in_a_zip_of_any_packing(tmp_path, packing):
    for position in range(40, 400, 30):
        place = tmp_path / f"{position}.zip"
        with zipfile.ZipFile(place, "w", packing) as archive:
            archive.writestr("one.png", CONTENTS["a/one.png"])
        contents = bytearray(place.read_bytes())
        contents[position] ^= 255
        place.write_bytes(contents)
        with pytest.raises(DataError, match=rf"one\.png in \S+{position}\.zip could not be read: [^\n]+$"):
            decoded(place)


@pytest.mark.parametrize(
    ("offset", "value", "line"),
    [
        (8, 1, r"one\.png in \S+x\.zip could not be read: .*encrypted"),
        (10, 99, r"one\.png in \S+x\.zip could not be read: .*compression"),
        (6, 99, r"x\.zip is damaged: zip file version"),
    ],
    ids=["encrypted", "unknown packing", "unknown version"],
)
def test_a_zip_that_cannot_be_unpacked(tmp_path, offset, value, line):
    place = packed_zip(tmp_path / "x.zip", {"one.png": CONTENTS["a/one.png"]})
    contents = bytearray(place.read_bytes())
    contents[contents.rindex(b"PK\1\2") + offset] = value
    contents[offset - 2] = value
    place.write_bytes(contents)
    with pytest.raises(DataError, match=rf"{line}[^\n]*$"):
        decoded(place)


def test_a_tar_that_is_cut_off_anywhere_is_never_taken_for_a_shorter_one(tmp_path):
    place = packed_tar(tmp_path / "x.tar", CONTENTS)
    whole = place.read_bytes()
    end = len(whole.rstrip(b"\0"))
    for length in range(0, end, 256):
        place.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"x\.tar"):
            pictures_in(place)
    place.write_bytes(whole[: -(-end // 512) * 512 + 512])
    assert len(pictures_in(place).entries) == 3, "one empty block ends an archive"


def test_a_damaged_header_in_a_tar(tmp_path):
    place = packed_tar(tmp_path / "x.tar", CONTENTS)
    contents = bytearray(place.read_bytes())
    contents[contents.index(b"a/one.png")] ^= 1
    place.write_bytes(contents)
    with pytest.raises(DataError, match=r"x\.tar is cut off or damaged after 1 members$"):
        pictures_in(place)


def test_postscript_is_not_run(tmp_path, monkeypatch):
    """Pillow would hand it to Ghostscript."""
    from PIL import EpsImagePlugin

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *_, **__: pytest.fail("it was run"))
    text = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n"
    with pytest.raises(DataError, match=r"picture\.png is not an image that Pillow can read$"):
        one(tmp_path, text)


def test_a_folder_may_be_named_like_an_image(tmp_path):
    place = folder(tmp_path / "loose", {"all.png/one.png": CONTENTS["a/one.png"]})
    assert [entry.name for entry in pictures_in(place).entries] == ["all.png/one.png"]


@pytest.mark.parametrize("pack", [folder, packed_zip, packed_tar])
def test_a_name_cannot_break_the_line_or_steer_the_terminal(tmp_path, pack):
    with pytest.raises(DataError) as error:
        decoded(pack(tmp_path / "x", {"a\nb\x1b[2J.png": b""}))
    assert str(error.value).isprintable()
    assert "a?b?[2J.png" in str(error.value)


@pytest.mark.parametrize("pack", [packed_zip, packed_tar])
def test_a_member_that_is_too_large_to_be_a_picture(tmp_path, monkeypatch, pack):
    place = pack(tmp_path / "x", {"one.png": bytes(1001), "notes.txt": bytes(5000)})
    monkeypatch.setattr(pictures, "LARGEST", 1001)
    assert len(pictures_in(place).entries) == 1
    monkeypatch.setattr(pictures, "LARGEST", 1000)
    with pytest.raises(DataError, match=r"x holds one\.png, 1,001 bytes large: refused$"):
        pictures_in(place)


HIDDEN = {
    ".ipynb_checkpoints/one-checkpoint.png": CONTENTS["a/one.png"],
    "a/.cache/thumbnails/one.png": CONTENTS["a/one.png"],
    ".git/objects/one.png": CONTENTS["a/one.png"],
    ".hidden.png": CONTENTS["a/one.png"],
    "@eaDir/one.png/SYNOPHOTO_THUMB_M.jpg": CONTENTS["b/two.jpg"],
    "a/__MACOSX/one.png": CONTENTS["a/one.png"],
}


@pytest.mark.parametrize("pack", [folder, packed_zip, packed_tar])
def test_what_is_hidden_is_not_looked_at(tmp_path, pack):
    (tmp_path / ".mine").mkdir()
    place = pack(tmp_path / ".mine" / "x", {**CONTENTS, **HIDDEN})
    found = pictures_in(place)
    assert [entry.name for entry in found.entries] == sorted(CONTENTS), "where the place itself lies is no matter"
    assert (found.others, found.empty) == ((), ())
    if pack is folder:
        assert sorted(files_of(place)) == sorted(place / name for name in CONTENTS)
    with pytest.raises(DataError, match="holds no images"):
        pictures_in(pack(tmp_path / "y", HIDDEN))


def test_a_hidden_link_in_a_tar_is_not_refused(tmp_path):
    place = packed_tar(tmp_path / "x.tar", CONTENTS)
    with tarfile.open(place, "a") as archive:
        member = tarfile.TarInfo(".git/link")
        member.type, member.linkname = tarfile.SYMTYPE, "objects"
        archive.addfile(member)
    assert len(pictures_in(place).entries) == 3


def test_a_tar_of_a_dot(tmp_path):
    """`tar cf x.tar .` writes such names."""
    place = packed_tar(tmp_path / "x.tar", {f"./{name}": data for name, data in (CONTENTS | HIDDEN).items()})
    assert [entry.name for entry in pictures_in(place).entries] == sorted(f"./{name}" for name in CONTENTS)


@pytest.mark.parametrize("pack", [folder, packed_zip, packed_tar])
def test_what_is_not_read_is_counted(tmp_path, pack):
    others = {"a/one.heic": b"x", "a/two.HEIC": b"x", "b/one.svg": b"x", "c/deep/three.heic": b"x", "LICENSE": b"x"}
    found = pictures_in(pack(tmp_path / "x", CONTENTS | others))
    assert [entry.name for entry in found.entries] == sorted(CONTENTS)
    (remark,) = found.remarks()
    assert remark == f"files in {tmp_path / 'x'} that are not read as images: 3 .heic, 1 without an ending, 1 .svg"
    assert found.empty == ("c",), "the upper folder of those without an image"
    assert found.remarks((".heic", ".svg", "")) == []


def test_folders_without_anything(tmp_path):
    place = folder(tmp_path / "x", CONTENTS)
    for name in ("c/deep", "a/deep", ".hidden/deep"):
        (place / name).mkdir(parents=True)
    (place / "link").symlink_to(place / "a")
    assert pictures_in(place).empty == ("a/deep", "c", "link")


SAVED = {
    "PNG": (".png", ".apng"),
    "JPEG": (".jpg", ".JPEG", ".jfif", ".jpe"),
    "JPEG2000": (".jp2", ".j2k"),
    "PPM": (".ppm", ".pnm"),
    "AVIF": (".avif",),
    **{kind: (f".{kind.lower()}",) for kind in ("WEBP", "GIF", "BMP", "DIB", "ICO", "PCX", "SGI", "TGA", "QOI")},
    "TIFF": (".tif", ".tiff"),
}


@pytest.mark.parametrize("kind", SAVED)
def test_a_format_that_pillow_opens(tmp_path, kind):
    data = encoded(Image.new("RGB", (32, 32), (200, 100, 50)), kind)
    for suffix in SAVED[kind]:
        image = one(tmp_path, data, f"picture{suffix}", size=8)
        assert np.abs(image.astype(int) - np.array([200, 100, 50])[:, None, None]).max() <= 8
        (tmp_path / "one" / f"picture{suffix}").unlink()


def test_gray_as_a_pgm(tmp_path):
    assert (one(tmp_path, encoded(Image.new("L", (9, 9), 77), "PPM"), "x.pgm", size=9, channels=1) == 77).all()


RAMP = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)


def tiff(values, bits, photometric):
    """Unpacked gray pixels of 16 bits each, little-endian, that claim to have `bits`."""
    data = values.astype("<u2").tobytes()
    tags = [(256, 8), (257, 8), (258, bits), (259, 1), (262, photometric), (273, 8), (277, 1), (278, 8), (279, 128)]
    entries = b"".join(struct.pack("<HHII", tag, 3, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<I", 8 + 128) + data + struct.pack("<H", len(tags)) + entries + b"\0" * 4


DEEP = {
    "x.png": encoded(Image.fromarray(RAMP)),
    "x.tif": encoded(Image.fromarray(RAMP), "TIFF"),
    "x.jp2": encoded(Image.fromarray(RAMP), "JPEG2000"),
    "x.pgm": encoded(Image.fromarray(RAMP), "PPM"),
    "y.tif": tiff(RAMP, 16, 1),
    "white_is_0.tif": tiff(65535 - RAMP, 16, 0),
    "big.pgm": b"P5 8 8 1023\n" + np.rint(RAMP / 65535 * 1023).astype(">u2").tobytes(),
}


@pytest.mark.parametrize("name", DEEP)
def test_16_bits_of_gray_are_scaled_to_8(tmp_path, name):
    """65,535 = 255 · 257; a pixel of ten bits is known to 0.25 of 255."""
    images = one(tmp_path, DEEP[name], name, size=8)
    assert (images[0] == images[1]).all()
    assert np.abs(images[0] - RAMP / 257).max() <= (0.5 if name != "big.pgm" else 0.7)
    assert (images.min(), images.max()) == (0, 255)


def test_the_transparent_gray_of_16_bits_becomes_white(tmp_path):
    data = encoded(Image.fromarray(RAMP), transparency=int(RAMP[2, 3]))
    image = one(tmp_path, data, size=8, channels=1)[0]
    assert image[2, 3] == 255
    assert image[2, 2] == round(RAMP[2, 2] / 257)


def test_48_bits_of_colour(tmp_path):
    pixels = np.stack([RAMP, RAMP.T, RAMP[::-1]], axis=2)
    data = b"P6 8 8 65535\n" + pixels.astype(">u2").tobytes()
    image = one(tmp_path, data, "x.ppm", size=8)
    assert np.abs(image - pixels.transpose(2, 0, 1) / 257).max() <= 1


@pytest.mark.parametrize("channels", [1, 3])
def test_colours_by_lightness(tmp_path, channels):
    """L* at its most, without a* and b*, is white; Pillow counts these from 128 on."""
    white = Image.merge("LAB", [Image.new("L", (9, 9), value) for value in (255, 128, 128)])
    assert one(tmp_path, encoded(white, "TIFF"), "x.tif", channels=channels).min() >= 253
