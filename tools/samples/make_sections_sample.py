"""Makes the sample of package descriptions that travels with LinearCald.Data, from the set text/sections.

usage: make_sections_sample.py FOLDER_OF_SECTIONS OUTPUT_FOLDER [CLASSES] [TRAIN_ROWS] [VALIDATION_ROWS]

Keeps the most frequent classes of train.tsv. Training rows come from train.tsv, validation rows from valid.tsv and test.tsv (the set is
split by source package, so no package is on both sides). Rows are drawn by the SHA-256 of their text, as many of each class as there are,
up to an equal share; texts are cut at the last blank before 250 characters. The result depends on nothing else.
"""
import collections
import gzip
import hashlib
import os
import sys

CUT = 250


def read(folder, *names):
    return [line.rstrip("\n").split("\t") for name in names for line in open(os.path.join(folder, name), encoding="utf-8")]


def draw(rows, classes, count):
    """At most count rows, by hash; every class gets an equal share where it has so many, and the first classes one more to reach count."""
    rest = {c: sorted((r for r in rows if r[1] == c), key=lambda r: hashlib.sha256(r[0].encode()).digest()) for c in classes}
    share = max(n for n in range(count + 1) if sum(min(n, len(r)) for r in rest.values()) <= count)
    kept = [row for c in classes for row in rest[c][:share]]
    kept += [row for c in classes for row in rest[c][share : share + 1]][: count - len(kept)]
    return sorted(kept, key=lambda r: hashlib.sha256(b"order" + r[0].encode()).digest())


def cut(text):
    return text if len(text) <= CUT else text[: text.rfind(" ", 0, CUT + 1)]


def write(path, rows):
    data = "".join(f"{cut(text)}\t{label}\n" for text, label in rows).encode()
    with open(path, "wb") as file, gzip.GzipFile(fileobj=file, mode="wb", compresslevel=9, filename="", mtime=0) as packed:
        packed.write(data)
    print(f"{path}: {len(rows)} rows, {os.path.getsize(path)} bytes, {dict(collections.Counter(r[1] for r in rows).most_common())}")


def main(source, output, classes=12, train_rows=3200, validation_rows=800):
    train = read(source, "train.tsv")
    count = collections.Counter(label for _, label in train)
    kept = sorted(sorted(count, key=lambda c: (-count[c], c))[: int(classes)])
    write(os.path.join(output, "sections-train.tsv.gz"), draw(train, kept, int(train_rows)))
    write(os.path.join(output, "sections-valid.tsv.gz"), draw(read(source, "valid.tsv", "test.tsv"), kept, int(validation_rows)))


main(*sys.argv[1:])
