#!/usr/bin/env python3
"""Makes the pictures of this folder and what their pixels have to be (expected.txt).

    pip install numpy tifffile imagecodecs pillow; apt-get install libtiff-tools; python3 make.py

The pixels are drawn here; what a lossy or converted file holds is what tifffile, Pillow or libtiff's own tools (tiff2rgba)
read from it, as the function that makes it says. Lines of expected.txt:
    pixels NAME WIDTH HEIGHT CHANNELS BITS SAMPLE...     samples as Raster has them
    file FILE NAME TOLERANCE                             FILE holds NAME, each sample within TOLERANCE
    refused FILE WORDS...                                reading FILE is an error that says WORDS
"""
import os
import struct
import subprocess
import zlib

import numpy as np
import tifffile
from PIL import Image

os.chdir(os.path.dirname(os.path.abspath(__file__)))
W, H = 12, 7  # pixels
rng = np.random.default_rng(18)
lines = []

# ------------------------------------------------------------------------------------------------ what is drawn
y, x = np.mgrid[0:H, 0:W]
rgb16 = rng.integers(0, 65536, (H, W, 3)).astype(np.uint16)
grey16 = rgb16[..., 0].copy()
rgb8 = (rgb16 >> 8).astype(np.uint8)
grey8 = rgb8[..., 0].copy()
alpha8 = rng.integers(0, 256, (H, W)).astype(np.uint8)
alpha16 = rng.integers(0, 65536, (H, W)).astype(np.uint16)
smooth8 = np.stack([20 + 18 * x, 30 + 30 * y, 60 + 5 * x + 10 * y], -1).astype(np.uint8)
index4 = (grey8 >> 4).astype(np.uint8)
palette = rng.integers(0, 256, (256, 3)).astype(np.uint16)
palette[0] = (0, 0, 0)
palette[1] = (255, 128, 1)


def scaled(values, bits):
    """Samples of fewer than 8 or 16 bits, brought to these as the reader has to."""
    to = 255 if bits <= 8 else 65535
    most = 2**bits - 1
    return ((values.astype(np.int64) * to + most // 2) // most).astype(np.uint8 if bits <= 8 else np.uint16)


def pixels(name, array):
    channels = 1 if array.ndim == 2 else array.shape[2]
    bits = 8 if array.dtype == np.uint8 else 16
    lines.append(' '.join(['pixels', name, *map(str, (array.shape[1], array.shape[0], channels, bits)),
                           *map(str, array.reshape(-1).tolist())]))


def holds(file, name, tolerance=0):
    lines.append(f'file {file} {name} {tolerance}')


def refused(file, words):
    lines.append(f'refused {file} {words}')


# ------------------------------------------------------------------------------------------------ TIFF, by hand
def pack(samples, bits):
    """Rows of samples, each row from the highest bit of a byte on."""
    out = b''
    for row in samples.reshape(samples.shape[0], -1):
        text = ''.join(format(int(v), f'0{bits}b') for v in row)
        text += '0' * (-len(text) % 8)
        out += bytes(int(text[i:i + 8], 2) for i in range(0, len(text), 8))
    return out


def tiff_bytes(data, tags, order='<', width=W, height=H, next_page=0, at=8, big=False):
    """One page: a header where at == 8, its strip, its tags. `tags`: number -> (type, values)."""
    head = {'<': b'II', '>': b'MM'}[order]
    out = (head + struct.pack(order + 'HI', 42, 8 + len(data) + len(data) % 2)) if at == 8 else b''
    start = at
    out += data + b'\0' * (len(data) % 2)
    all_tags = {256: (4, [width]), 257: (4, [height]), 259: (3, [1]), 273: (4, [start]), 278: (4, [height]),
                279: (4, [len(data)]), **tags}
    place = start + len(data) + len(data) % 2
    extra_at = place + 2 + 12 * len(all_tags) + 4
    entries, extra = b'', b''
    for number in sorted(all_tags):
        kind, values = all_tags[number]
        raw = b''.join(struct.pack(order + {1: 'B', 3: 'H', 4: 'I'}[kind], v) for v in values)
        entries += struct.pack(order + 'HHI', number, kind, len(values))
        if len(raw) <= 4:
            entries += raw.ljust(4, b'\0')
        else:
            entries += struct.pack(order + 'I', extra_at + len(extra))
            extra += raw + b'\0' * (len(raw) % 2)
    return out + struct.pack(order + 'H', len(all_tags)) + entries + struct.pack(order + 'I', next_page) + extra


def write(file, data):
    with open(file, 'wb') as f:
        f.write(data)


def raw_tiff(file, data, bits, photometric, samples=1, order='<', **more):
    """`more`: further tags as t<number>=(type, values)."""
    tags = {258: (3, [bits] * samples), 262: (3, [photometric]), 277: (3, [samples])}
    tags.update({int(key[1:]): value for key, value in more.items()})
    write(file, tiff_bytes(data, tags, order))


def samples16(array, order):
    return array.astype(order + 'u2').tobytes()


def tiffs():
    plain = {'metadata': None}
    for name, array in (('grey8', grey8), ('grey16', grey16), ('rgb8', rgb8), ('rgb16', rgb16)):
        photometric = 'minisblack' if array.ndim == 2 else 'rgb'
        for kind, options in {
                'plain': {}, 'strips': {'rowsperstrip': 2}, 'tiles': {'tile': (16, 16)}, 'big_endian': {'byteorder': '>'},
                'bigtiff': {'bigtiff': True}, 'lzw': {'compression': 'lzw', 'predictor': 2, 'rowsperstrip': 3},
                'deflate': {'compression': 'zlib', 'predictor': 2}, 'packbits': {'compression': 'packbits'},
                'zstd': {'compression': 'zstd'}}.items():
            file = f'{name}_{kind}.tif'
            tifffile.imwrite(file, array, photometric=photometric, **plain, **options)
            assert np.array_equal(tifffile.imread(file), array)
            holds(file, name)
        if array.ndim == 3:
            for kind, options in {'planes': {}, 'planes_tiles': {'tile': (16, 16)},
                                  'planes_big_endian_lzw': {'byteorder': '>', 'compression': 'lzw'}}.items():
                file = f'{name}_{kind}.tif'
                tifffile.imwrite(file, np.moveaxis(array, 2, 0), photometric='rgb', planarconfig='separate', **plain, **options)
                holds(file, name)
    small_tiles = np.tile(grey8, (5, 3))  # 36 x 35 pixels: tiles of 16 that leave the picture on both sides
    tifffile.imwrite('grey8_many_tiles.tif', small_tiles, photometric='minisblack', tile=(16, 16), **plain)
    pixels('small_tiles', small_tiles)
    holds('grey8_many_tiles.tif', 'small_tiles')

    # Turned by the orientation tag: the stored order is taken.
    for orientation in range(2, 9):
        tifffile.imwrite(f'rgb8_orientation{orientation}.tif', rgb8, photometric='rgb', extratags=[(274, 3, 1, orientation, True)], **plain)
        holds(f'rgb8_orientation{orientation}.tif', 'rgb8')

    # Alpha, straight, associated and unspecified: dropped.
    for kind in ('unassalpha', 'assocalpha', 'unspecified'):
        for name, colour, alpha in (('rgb8', rgb8, alpha8), ('rgb16', rgb16, alpha16), ('grey8', grey8, alpha8), ('grey16', grey16, alpha16)):
            both = np.dstack([colour, alpha])
            photometric = 'rgb' if colour.ndim == 3 else 'minisblack'
            tifffile.imwrite(f'{name}_{kind}.tif', both, photometric=photometric, planarconfig='contig', extrasamples=[kind], **plain)
            holds(f'{name}_{kind}.tif', name)
    tifffile.imwrite('rgb8_planes_unassalpha.tif', np.moveaxis(np.dstack([rgb8, alpha8]), 2, 0), photometric='rgb', planarconfig='separate', extrasamples=['unassalpha'], **plain)
    holds('rgb8_planes_unassalpha.tif', 'rgb8')

    # Samples of any number of bits, of both polarities.
    for bits in (1, 2, 3, 4, 6, 10, 12, 14):
        values = grey16 >> (16 - bits)
        pixels(f'grey_of_{bits}', scaled(values, bits))
        raw_tiff(f'grey_of_{bits}.tif', pack(values, bits), bits, 1)
        holds(f'grey_of_{bits}.tif', f'grey_of_{bits}')
    for bits in (1, 4, 8, 16):
        values = grey16 >> (16 - bits)
        data = samples16(values, '<') if bits == 16 else pack(values, bits)
        pixels(f'white_of_{bits}', scaled(2**bits - 1 - values.astype(np.int64), bits))
        raw_tiff(f'white_of_{bits}.tif', data, bits, 0)
        holds(f'white_of_{bits}.tif', f'white_of_{bits}')
    raw_tiff('white_of_16_big_endian.tif', samples16(grey16, '>'), 16, 0, order='>')
    holds('white_of_16_big_endian.tif', 'white_of_16')
    raw_tiff('rgb_of_4.tif', pack(rgb8 >> 4, 4), 4, 2, samples=3)
    pixels('rgb_of_4', scaled(rgb8 >> 4, 4))
    holds('rgb_of_4.tif', 'rgb_of_4')
    raw_tiff('rgb_of_12_big_endian.tif', pack(rgb16 >> 4, 12), 12, 2, samples=3, order='>')
    pixels('rgb_of_12', scaled(rgb16 >> 4, 12))
    holds('rgb_of_12_big_endian.tif', 'rgb_of_12')
    mirrored = bytes(int(format(b, '08b')[::-1], 2) for b in pack(grey16 >> 15, 1))
    raw_tiff('grey_of_1_fill_order2.tif', mirrored, 1, 1, t266=(3, [2]))
    holds('grey_of_1_fill_order2.tif', 'grey_of_1')

    # 12 bits kept in 16, as cameras write them.
    raw_tiff('camera12.tif', samples16(grey16 >> 4, '<'), 16, 1)
    pixels('camera12', grey16 >> 4)
    holds('camera12.tif', 'camera12')

    # Fax, of both kinds of codes, by libtiff's own tool.
    raw_tiff('base.tif', pack(grey16 >> 15, 1), 1, 0)
    for kind in ('g3:1d', 'g3:2d', 'g4'):
        file = f'white_of_1_{kind.replace(":", "_")}.tif'
        subprocess.run(['tiffcp', '-c', kind, 'base.tif', file], check=True)
        holds(file, 'white_of_1')

    # Palettes of 16 bits a colour, made from 8 in each way that is in use, and real ones.
    indices = grey8
    pixels('palette8', palette[indices].astype(np.uint8))
    real = rng.integers(0, 65536, (256, 3)).astype(np.uint16)
    pixels('palette16', real[indices])
    for file, map16, name in (('palette_257.tif', palette * 257, 'palette8'), ('palette_256.tif', palette * 256, 'palette8'),
                              ('palette_8.tif', palette, 'palette8'), ('palette_16.tif', real, 'palette16')):
        raw_tiff(file, indices.tobytes(), 8, 3, t320=(3, map16.T.reshape(-1).tolist()))
        holds(file, name)
    raw_tiff('palette_of_4.tif', pack(index4, 4), 4, 3, t320=(3, (palette[:16] * 257).T.reshape(-1).tolist()))
    pixels('palette_of_4', palette[index4].astype(np.uint8))
    holds('palette_of_4.tif', 'palette_of_4')
    raw_tiff('palette_of_1.tif', pack(grey16 >> 15, 1), 1, 3, t320=(3, (palette[:2] * 257).T.reshape(-1).tolist()))
    pixels('palette_of_1', palette[grey16 >> 15].astype(np.uint8))
    holds('palette_of_1.tif', 'palette_of_1')

    # Ink: what libtiff makes of it, (255 - ink) * (255 - black) / 255, rounded.
    for name, ink, most in (('cmyk8', np.dstack([rgb8, alpha8]), 255), ('cmyk16', np.dstack([rgb16, alpha16]), 65535)):
        paper = ((most - ink[..., :3].astype(np.int64)) * (most - ink[..., 3:].astype(np.int64)) + most // 2) // most
        pixels(name, paper.astype(ink.dtype))
        tifffile.imwrite(f'{name}.tif', ink, photometric='separated', planarconfig='contig', **plain)
        holds(f'{name}.tif', name)
        tifffile.imwrite(f'{name}_planes.tif', np.moveaxis(ink, 2, 0), photometric='separated', planarconfig='separate', **plain)
        holds(f'{name}_planes.tif', name)

    # JPEG in TIFF, and YCbCr without JPEG: what tiff2rgba, a tool of libtiff, reads.
    tifffile.imwrite('base.tif', smooth8, photometric='rgb', **plain)
    for file, options in {'jpeg_ycbcr.tif': ['-c', 'jpeg:95'], 'jpeg_rgb.tif': ['-c', 'jpeg:r:95'],
                          'jpeg_tiles.tif': ['-c', 'jpeg:95', '-t', '-w', '16', '-l', '16']}.items():
        subprocess.run(['tiffcp', *options, 'base.tif', file], check=True)
        converted(file)
    for h, v in ((1, 1), (2, 1), (2, 2)):
        file = f'ycbcr_{h}{v}.tif'
        luma = smooth8[..., 1]
        padded = np.pad(luma, ((0, -H % v), (0, -W % h)), mode='edge')
        data = b''
        for top in range(0, H, v):
            for left in range(0, W, h):
                data += padded[top:top + v, left:left + h].tobytes() + smooth8[top, left, ::2].tobytes()
        raw_tiff(file, data, 8, 6, samples=3, t530=(3, [h, v]))
        converted(file)
    tifffile.imwrite('jpeg_grey.tif', smooth8[..., 0], photometric='minisblack', compression='jpeg', **plain)
    pixels('jpeg_grey', tifffile.imread('jpeg_grey.tif'))
    holds('jpeg_grey.tif', 'jpeg_grey', 2)
    os.remove('base.tif')


def converted(file):
    name = file.removesuffix('.tif')
    subprocess.run(['tiff2rgba', '-c', 'none', file, 'rgba.tif'], check=True)
    pixels(name, tifffile.imread('rgba.tif')[..., :3])
    os.remove('rgba.tif')
    holds(file, name, 2)


def pages():
    """Several pages: the one that is no smaller copy and no mask."""
    page = lambda data, at, last, more, w=W, h=H: tiff_bytes(
        data, {258: (3, [8]), 262: (3, [1]), 277: (3, [1]), **more}, width=w, height=h, at=at,
        next_page=0 if last else 0xffffffff)

    def book(file, parts):
        out = b''
        for i, (array, more) in enumerate(parts):
            out += page(array.tobytes(), max(8, len(out)), i == len(parts) - 1, more, array.shape[1], array.shape[0])
            if len(out) % 2:
                out += b'\0'
            if i < len(parts) - 1:  # the next page's tags lie behind its pixels
                data = parts[i + 1][0].size
                out = out.replace(b'\xff\xff\xff\xff', struct.pack('<I', len(out) + data + data % 2), 1)
        write(file, out)

    thumbnail = grey8[::2, ::2].copy()
    reduced, mask = {254: (4, [1])}, {254: (4, [4])}
    book('pages_thumbnail_behind.tif', [(grey8, {}), (thumbnail, reduced)])
    book('pages_thumbnail_first.tif', [(thumbnail, reduced), (grey8, {})])
    book('pages_thumbnail_unmarked.tif', [(grey8, {}), (thumbnail, {})])
    book('pages_mask.tif', [(grey8, {}), (grey8, mask)])
    for file in ('thumbnail_behind', 'thumbnail_first', 'thumbnail_unmarked', 'mask'):
        holds(f'pages_{file}.tif', 'grey8')
    book('pages_two.tif', [(grey8, {}), (grey8, {})])
    refused('pages_two.tif', 'several pictures')
    book('pages_larger_second.tif', [(thumbnail, {}), (grey8, {})])
    refused('pages_larger_second.tif', 'several pictures')
    book('pages_thumbnail_alone.tif', [(thumbnail, reduced)])
    refused('pages_thumbnail_alone.tif', 'reduced copies')


def refused_tiffs():
    plain = {'metadata': None}
    for name, array, words in (('float32', grey8.astype('f4'), 'floating-point'), ('float16', grey8.astype('f2'), 'floating-point'),
                               ('int8', grey8.astype('i1'), 'with a sign'), ('int16', grey16.astype('i2'), 'with a sign'),
                               ('uint32', grey16.astype('u4'), '32 bits')):
        tifffile.imwrite(f'{name}.tif', array, photometric='minisblack', **plain)
        refused(f'{name}.tif', words)
    for name, number, words in (('cielab', 8, 'L*a*b*'), ('cfa', 32803, "raw values"), ('linear_raw', 34892, 'photometric interpretation 34892')):
        raw_tiff(f'{name}.tif', rgb8.tobytes(), 8, number, samples=3)
        refused(f'{name}.tif', words)
    tifffile.imwrite('bands.tif', np.dstack([rgb8, alpha8, alpha8]), photometric='minisblack', planarconfig='contig', **plain)
    refused('bands.tif', '5 samples a pixel')
    raw_tiff('other_inks.tif', np.dstack([rgb8, alpha8]).tobytes(), 8, 5, samples=4, t332=(3, [2]))
    refused('other_inks.tif', 'inks')
    write('no_photometric.tif', tiff_bytes(grey8.tobytes(), {258: (3, [8]), 277: (3, [1])}))
    refused('no_photometric.tif', 'photometric interpretation')
    raw_tiff('unknown_compression.tif', grey8.tobytes(), 8, 1, t259=(3, [34712]))
    refused('unknown_compression.tif', 'compression 34712')
    raw_tiff('two_samples_of_rgb.tif', rgb8[..., :2].tobytes(), 8, 2, samples=2)
    refused('two_samples_of_rgb.tif', 'damaged')
    raw_tiff('huge_tile.tif', grey8.tobytes(), 8, 1, t322=(4, [1 << 20]), t323=(4, [1 << 14]), t324=(4, [8]), t325=(4, [84]))
    refused('huge_tile.tif', 'blocks')
    for file, width, height in (('too_many_pixels.tif', 32769, 32768), ('too_wide.tif', 0xffffffff, 1)):
        write(file, tiff_bytes(b'\0' * 8, {258: (3, [8]), 262: (3, [1]), 277: (3, [1])}, width=width, height=height))
        refused(file, 'more than can be decoded')

    # So few bytes for so many pixels that no memory need be asked for.
    for file, more in (('plain', {}), ('deflate', {259: (3, [8])})):
        write(f'damaged_too_small_{file}.tif', tiff_bytes(grey8.tobytes(), {258: (3, [8]), 262: (3, [1]), 277: (3, [1]), **more}, width=32768, height=32768))
        refused(f'damaged_too_small_{file}.tif', 'cannot hold 32768 x 32768 pixels')

    # Damage: strips that end too early, lie outside the file, or hold other bytes than their codec writes.
    raw_tiff('damaged_short_strip.tif', grey8.tobytes()[:40], 8, 1)
    three = {278: (4, [3]), 273: (4, [8, 44, 80]), 258: (3, [8]), 262: (3, [1]), 277: (3, [1])}
    for kind, counts in (('first', [20, 36, 12]), ('last', [36, 36, 5])):
        write(f'damaged_short_{kind}_strip.tif', tiff_bytes(grey8.tobytes(), {**three, 279: (4, counts)}))
    raw_tiff('damaged_strip_outside.tif', grey8.tobytes(), 8, 1, t273=(4, [100000]))
    raw_tiff('damaged_lzw.tif', bytes(range(255, 171, -1)), 8, 1, t259=(3, [5]))
    raw_tiff('damaged_deflate.tif', b'\x78\x9c' + bytes(range(82)), 8, 1, t259=(3, [8]))
    checksum = bytearray(zlib.compress(grey8.tobytes()))
    checksum[-1] ^= 1
    raw_tiff('damaged_deflate_checksum.tif', bytes(checksum), 8, 1, t259=(3, [8]))
    raw_tiff('damaged_packbits.tif', b'\x7f' + grey8.tobytes()[:20], 8, 1, t259=(3, [32773]))
    raw_tiff('damaged_fax.tif', b'\xa5\x5a\xff\x13' * 4, 1, 0, t259=(3, [4]))
    jpeg = open('jpeg_ycbcr.tif', 'rb').read()
    with tifffile.TiffFile('jpeg_ycbcr.tif') as f:
        at, size = f.pages[0].dataoffsets[0], f.pages[0].databytecounts[0]
    write('damaged_jpeg.tif', jpeg[:at + size // 2] + b'\xff\xd9' * (size // 4) + jpeg[at + size // 2 + size // 4 * 2:])
    for kind in ('short_strip', 'short_first_strip', 'short_last_strip', 'strip_outside', 'lzw', 'deflate', 'deflate_checksum', 'packbits', 'fax', 'jpeg'):
        refused(f'damaged_{kind}.tif', 'damaged')


# ------------------------------------------------------------------------------------------------ other formats
def png_chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def png(file, rows, bits, colour, more=b'', behind=b'', width=W, height=H, end=True):
    data = b''.join(b'\0' + row for row in rows)
    header = png_chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, bits, colour, 0, 0, 0))
    write(file, b'\x89PNG\r\n\x1a\n' + header + more + png_chunk(b'IDAT', zlib.compress(data)) +
          (png_chunk(b'IEND', b'') if end else b'') + behind)


def rows16(array):
    return [row.astype('>u2').tobytes() for row in array]


def pngs():
    png('grey16.png', rows16(grey16), 16, 0)
    png('rgb16.png', rows16(rgb16), 16, 2)
    png('rgb16_trns.png', rows16(rgb16), 16, 2, more=png_chunk(b'tRNS', rgb16[0, 0].astype('>u2').tobytes()))
    png('grey16_trns.png', rows16(grey16), 16, 0, more=png_chunk(b'tRNS', grey16[0, 0].astype('>u2').tobytes()))
    png('grey16_alpha.png', rows16(np.dstack([grey16, alpha16])), 16, 4)
    png('rgba8.png', [r.tobytes() for r in np.dstack([rgb8, alpha8])], 8, 6)
    for file, name in (('grey16', 'grey16'), ('rgb16', 'rgb16'), ('rgb16_trns', 'rgb16'), ('grey16_trns', 'grey16'),
                       ('grey16_alpha', 'grey16'), ('rgba8', 'rgb8')):
        holds(f'{file}.png', name)
    interlaced(rgb8, 'rgb8_interlaced.png')
    holds('rgb8_interlaced.png', 'rgb8')
    png('grey_of_1.png', [pack(r[None], 1) for r in grey16 >> 15], 1, 0)
    holds('grey_of_1.png', 'grey_of_1')
    png('palette_of_4.png', [pack(r[None], 4) for r in index4], 4, 3, more=png_chunk(b'PLTE', palette[:16].astype(np.uint8).tobytes()))
    holds('palette_of_4.png', 'palette_of_4')
    # What libpng passes over: bytes behind the end, an unknown chunk, a text, a colour profile and a gamma that are wrong.
    bad = png_chunk(b'gAMA', b'\0\0') + png_chunk(b'iCCP', b'x') + png_chunk(b'tEXt', b'no separator') + png_chunk(b'abCd', b'?')
    broken = png_chunk(b'tEXt', b'a\0b')[:-1] + b'!'
    png('grey8_trailing_bytes.png', [r.tobytes() for r in grey8], 8, 0, behind=b'trailing' * 9)
    png('grey8_bad_chunks.png', [r.tobytes() for r in grey8], 8, 0, more=bad)
    png('grey8_bad_text_checksum.png', [r.tobytes() for r in grey8], 8, 0, more=broken)
    for kind in ('trailing_bytes', 'bad_chunks', 'bad_text_checksum'):
        holds(f'grey8_{kind}.png', 'grey8')
    png('damaged_few_rows.png', [r.tobytes() for r in grey8[:4]], 8, 0)
    png('damaged_no_end.png', [r.tobytes() for r in grey8], 8, 0, end=False)
    good = open('grey8_trailing_bytes.png', 'rb').read()
    at = good.index(b'IDAT') + 20
    write('damaged_checksum.png', good[:at] + bytes([good[at] ^ 4]) + good[at + 1:])
    data = bytearray(zlib.compress(b''.join(b'\0' + r.tobytes() for r in grey8)))
    data[-1] ^= 1
    header = png_chunk(b'IHDR', struct.pack('>IIBBBBB', W, H, 8, 0, 0, 0, 0))
    write('damaged_adler.png', b'\x89PNG\r\n\x1a\n' + header + png_chunk(b'IDAT', bytes(data)) + png_chunk(b'IEND', b''))
    for kind in ('few_rows', 'no_end', 'checksum', 'adler'):
        refused(f'damaged_{kind}.png', 'damaged')
    png('damaged_too_small.png', [b'12'], 16, 6, width=32768, height=32768)
    refused('damaged_too_small.png', 'cannot hold 32768 x 32768 pixels')
    png('too_many_pixels.png', [], 8, 2, width=32769, height=32768)
    png('too_tall.png', [], 8, 2, width=1, height=(1 << 20) + 1)
    refused('too_many_pixels.png', '32769 x 32768 pixels, more than can be decoded')
    refused('too_tall.png', '1 x 1048577 pixels, more than can be decoded')


def interlaced(array, file):
    """Adam7, which Pillow does not write."""
    out = b''
    for top, left, down, right in ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)):
        for row in array[top::down, left::right]:
            if row.size:
                out += b'\0' + row.tobytes()
    header = png_chunk(b'IHDR', struct.pack('>IIBBBBB', W, H, 8, 2, 0, 0, 1))
    write(file, b'\x89PNG\r\n\x1a\n' + header + png_chunk(b'IDAT', zlib.compress(out)) + png_chunk(b'IEND', b''))


def jpegs():
    picture = Image.fromarray(smooth8)
    def save(name, image, tolerance=2, **options):
        image.save(f'{name}.jpg', quality=95, **options)
        pixels(name, np.asarray(Image.open(f'{name}.jpg').convert('L' if image.mode == 'L' else 'RGB')))
        holds(f'{name}.jpg', name, tolerance)
    save('jpeg', picture)
    save('jpeg_progressive', picture, progressive=True)
    save('jpeg_444', picture, subsampling=0)
    save('jpeg_l', picture.convert('L'))
    save('jpeg_cmyk', Image.fromarray(np.dstack([smooth8, alpha8 // 4]), 'CMYK'), tolerance=3)
    whole = open('jpeg.jpg', 'rb').read()
    write('jpeg_trailing_bytes.jpg', whole + b'\0\1\2trailing')
    write('jpeg_fill_bytes.jpg', whole[:2] + b'\xff\xff' + whole[2:])
    write('jpeg_padded_end.jpg', whole[:-2] + b'\0\0\0' + whole[-2:])
    for kind in ('trailing_bytes', 'fill_bytes', 'padded_end'):
        holds(f'jpeg_{kind}.jpg', 'jpeg', 2)
    scan = whole.index(b'\xff\xda') + 14
    middle = (scan + len(whole)) // 2
    write('damaged_ends_early.jpg', whole[:middle] + b'\xff\xd9')
    write('damaged_no_end.jpg', whole[:-2])
    write('damaged_lost_bytes.jpg', whole[:-2] + b'\x12\x34\x56\x78\x9a' * 20 + whole[-2:])
    write('damaged_restart.jpg', whole[:middle] + b'\xff\xd3' + whole[middle:])
    for kind in ('ends_early', 'no_end', 'lost_bytes', 'restart'):
        refused(f'damaged_{kind}.jpg', 'damaged')
    frame = whole.index(b'\xff\xc0')
    write('too_many_pixels.jpg', whole[:frame + 5] + struct.pack('>HH', 65000, 65000) + whole[frame + 9:])
    refused('too_many_pixels.jpg', 'more than can be decoded')


def webps():
    Image.fromarray(rgb8).save('rgb8.webp', lossless=True)
    holds('rgb8.webp', 'rgb8')
    Image.fromarray(np.dstack([rgb8, alpha8 | 1])).save('rgba8.webp', lossless=True, exact=True)
    holds('rgba8.webp', 'rgb8')
    for name, image in (('webp', Image.fromarray(smooth8)), ('webp_alpha', Image.fromarray(np.dstack([smooth8, alpha8])))):
        image.save(f'{name}.webp', quality=90)
        pixels(name, np.asarray(Image.open(f'{name}.webp').convert('RGBA'))[..., :3])
        holds(f'{name}.webp', name, 2)
    whole = open('webp.webp', 'rb').read()
    write('webp_trailing_bytes.webp', whole + b'trailing')
    holds('webp_trailing_bytes.webp', 'webp', 2)
    write('damaged_half.webp', whole[:len(whole) // 2])
    refused('damaged_half.webp', 'damaged')
    frames = [Image.fromarray(rgb8), Image.fromarray(255 - rgb8)]
    frames[0].save('animated.webp', save_all=True, append_images=frames[1:], lossless=True)
    refused('animated.webp', 'animated')


def bmp(file, data, bits, compression=0, table=b'', height=H, header=40, masks=b'', colours=0, width=W):
    if header == 12:
        info = struct.pack('<IHHHH', 12, width, height, 1, bits)
    else:
        info = struct.pack('<IiiHHIIiiII', header, width, height, 1, bits, compression, len(data), 0, 0, colours, 0)
        info += masks.ljust(header - 40, b'\0') if header > 40 else masks
    at = 14 + len(info) + len(table)
    write(file, b'BM' + struct.pack('<IHHI', at + len(data), 0, 0, at) + info + table + data)


def bmps():
    padded = lambda rows: b''.join(r + b'\0' * (-len(r) % 4) for r in rows)
    table = lambda n: b''.join(bytes((int(b), int(g), int(r), 0)) for r, g, b in palette[:n])
    bgr = rgb8[..., ::-1]
    up = bgr[::-1]
    pixels('palette_256', palette[grey8].astype(np.uint8))
    pixels('palette_2', palette[grey16 >> 15].astype(np.uint8))
    bmp('rgb24.bmp', padded([r.tobytes() for r in up]), 24)
    bmp('rgb24_top_down.bmp', padded([r.tobytes() for r in bgr]), 24, height=-H)
    bmp('rgb24_os2.bmp', padded([r.tobytes() for r in up]), 24, header=12)
    bmp('rgb32.bmp', np.dstack([up, alpha8]).tobytes(), 32)
    masks = struct.pack('<IIII', 0xff000000, 0xff0000, 0xff00, 0xff)
    abgr = np.dstack([alpha8[::-1], up])
    bmp('rgb32_masks.bmp', abgr.tobytes(), 32, 3, header=56, masks=masks)
    bmp('rgb32_v5.bmp', abgr.tobytes(), 32, 3, header=124, masks=masks)
    for kind in ('24', '24_top_down', '24_os2', '32', '32_masks', '32_v5'):
        holds(f'rgb{kind}.bmp', 'rgb8')
    five = (rgb8 >> 3).astype(np.uint16)
    pixels('rgb_of_5', scaled(five, 5))
    words = (five[..., 0] << 10 | five[..., 1] << 5 | five[..., 2])[::-1]
    bmp('rgb16.bmp', words.astype('<u2').tobytes(), 16)
    holds('rgb16.bmp', 'rgb_of_5')
    green = (rgb8[..., 1] >> 2).astype(np.uint16)
    pixels('rgb_of_565', np.dstack([scaled(five[..., 0], 5), scaled(green, 6), scaled(five[..., 2], 5)]))
    words = (five[..., 0] << 11 | green << 5 | five[..., 2])[::-1]
    bmp('rgb16_565.bmp', words.astype('<u2').tobytes(), 16, 3, masks=struct.pack('<III', 0xf800, 0x7e0, 0x1f))
    holds('rgb16_565.bmp', 'rgb_of_565')
    bmp('palette_of_8.bmp', padded([r.tobytes() for r in grey8[::-1]]), 8, table=table(256))
    bmp('palette_of_4.bmp', padded([pack(r[None], 4) for r in index4[::-1]]), 4, table=table(16))
    bmp('palette_of_1.bmp', padded([pack(r[None], 1) for r in (grey16 >> 15)[::-1]]), 1, table=table(2))
    greys = b''.join(bytes((i, i, i, 0)) for i in range(256))
    bmp('grey8.bmp', padded([r.tobytes() for r in grey8[::-1]]), 8, table=greys)
    for file, name in (('palette_of_8', 'palette_256'), ('palette_of_4', 'palette_of_4'), ('palette_of_1', 'palette_2'), ('grey8', 'grey8')):
        holds(f'{file}.bmp', name)
    rle8 = b''.join(bytes((0, W)) + r.tobytes() + b'\0\0' for r in grey8[::-1]) + b'\0\1'
    bmp('rle8_literal.bmp', rle8, 8, 1, table=greys)
    holds('rle8_literal.bmp', 'grey8')
    runs = np.zeros((H, W), np.uint8)
    runs[H - 1, :5], runs[H - 1, 5:], runs[1, 3:7] = 9, 200, 77
    code = bytes((5, 9, W - 5, 200, 0, 0)) + bytes((0, 2, 3, H - 3)) + bytes((4, 77)) + b'\0\1'
    bmp('rle8_runs.bmp', code, 8, 1, table=greys)
    pixels('rle8_runs', runs)
    holds('rle8_runs.bmp', 'rle8_runs')
    rle4 = b''
    for r in index4[::-1]:
        rle4 += bytes((0, W)) + pack(r[None], 4) + b'\0\0'
    bmp('rle4_literal.bmp', rle4 + b'\0\1', 4, 2, table=table(16))
    holds('rle4_literal.bmp', 'palette_of_4')
    bmp('damaged_rle8_ends_early.bmp', rle8[:40], 8, 1, table=greys)
    bmp('damaged_rle8_leaves.bmp', bytes((W + 1, 5)) + b'\0\1', 8, 1, table=greys)
    bmp('damaged_half.bmp', padded([r.tobytes() for r in up])[:120], 24)
    bmp('damaged_colour.bmp', padded([r.tobytes() for r in grey8[::-1]]), 8, table=table(16), colours=16)
    for kind in ('rle8_ends_early', 'rle8_leaves', 'half', 'colour'):
        refused(f'damaged_{kind}.bmp', 'damaged')
    bmp('jpeg_inside.bmp', b'\xff\xd8\xff\xd9', 24, 4)
    refused('jpeg_inside.bmp', 'compression 4')
    bmp('too_many_pixels.bmp', b'\0' * 46, 24, width=32769, height=32768)
    refused('too_many_pixels.bmp', 'more than can be decoded')


for name, array in (('grey8', grey8), ('grey16', grey16), ('rgb8', rgb8), ('rgb16', rgb16)):
    pixels(name, array)
tiffs()
pages()
refused_tiffs()
pngs()
jpegs()
webps()
bmps()
with open('expected.txt', 'w') as f:
    f.write('\n'.join(lines) + '\n')
