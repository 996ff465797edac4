#!/usr/bin/env python3
"""Makes tests/LinearCald.Data.Tests/Audio/Assets with the reference encoder (the `flac` program, 1.4 or later).

The samples are integer formulas, the same as in FlacAssets.cs, so the tests know them without a decoder.
Run it from the root of the repository.
"""
import pathlib
import subprocess

LENGTH = 1500
FOLDER = pathlib.Path("tests/LinearCald.Data.Tests/Audio/Assets")


def noise(bits, seed):
    state = seed * 2654435761 & 0xFFFFFFFF
    samples = []
    for _ in range(LENGTH):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        signed = state - (1 << 32) if state >> 31 else state
        samples.append(signed >> (32 - bits))
    return samples


def tone(bits, seed):
    limit, last, before, samples, excitation = (1 << bits - 1) - 1, 0, 0, [], noise(16, seed)
    for i in range(LENGTH):
        e = limit // 8 if (i + 37 * seed) % 300 == 0 else excitation[i] * limit >> 25
        y = max(-limit, min(limit, (1945 * last - 1003 * before >> 10) + e))
        before, last = last, y
        samples.append(y)
    return samples


def middle(bits, side_bits):
    m, s = tone(bits - 1, 5), tone(side_bits, 6)
    left = [a + (b + 1 >> 1) for a, b in zip(m, s)]
    return [left, [a - b for a, b in zip(left, s)]]


def left_side():
    left = tone(15, 3)
    return [left, [a + b for a, b in zip(left, noise(4, 4))]]


def encode(name, channels, bits, rate, *options, pipe=False):
    width = (bits + 7) // 8
    shift = 8 * width - bits  # raw samples are aligned to the left in their bytes
    raw = b"".join(
        (c[i] << shift).to_bytes(width, "little", signed=True) for i in range(LENGTH) for c in channels)
    target = FOLDER / f"{name}.flac"
    command = ["flac", "--silent", "--force", "--no-padding", "--no-seektable", "--force-raw-format", "--endian=little",
               "--sign=signed", f"--channels={len(channels)}", f"--bps={bits}", f"--sample-rate={rate}", *options]
    if pipe:
        target.write_bytes(subprocess.run([*command, "--stdout", "-"], input=raw, check=True, capture_output=True).stdout)
    else:
        subprocess.run([*command, "-o", str(target), "-"], input=raw, check=True)
    print(name, target.stat().st_size)


FOLDER.mkdir(parents=True, exist_ok=True)
encode("lpc16", [tone(16, 1)], 16, 16000, "-8", "-b", "576")
encode("fixed16", [tone(16, 1)], 16, 16000, "-0", "-b", "500")
encode("constant16", [[-1234] * LENGTH], 16, 16000)
encode("verbatim16", [noise(16, 7)], 16, 16000)
encode("wasted16", [[16 * x for x in tone(12, 1)]], 16, 16000)
encode("midside16", middle(16, 15), 16, 44100, "-8")
encode("leftside16", left_side(), 16, 44100, "-8")
encode("lpc24", middle(24, 20), 24, 48000, "-8", "-p", "-e")
encode("eight", [tone(8, 1)], 8, 8000)
encode("wide32", middle(32, 31), 32, 16000, "-8")
encode("six16", [tone(16, c + 1) for c in range(6)], 16, 48000)
encode("piped16", [tone(16, 1)], 16, 16000, pipe=True)
