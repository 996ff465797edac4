"""Writes the decomposition table that LinearCald.Data embeds, and the golden strings its tests compare with.

    python3 make_normalization_table.py table  > src/LinearCald.Data/Tokenizers/Unicode/normalization.txt
    python3 make_normalization_table.py golden > tests/LinearCald.Data.Tests/Tokenizers/normalization.golden.tsv

Both come from Python's `unicodedata`, whose source is the Unicode character database.
Needed because .NET's string.Normalize does nothing under InvariantGlobalization.
"""
import random
import sys
import unicodedata as u

HANGUL = range(0xAC00, 0xAC00 + 11172)  # decomposed by arithmetic


def scalars():
    return (c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF)


def table():
    print(f"# Unicode {u.unidata_version}: canonical combining classes and decomposition mappings (one step).")
    print("# c FIRST LAST CLASS | = CODE A [B] canonical | ! the same, never recomposed | ~ CODE A B … compatibility")
    run = None
    for c in list(scalars()) + [None]:
        k = u.combining(chr(c)) if c is not None else 0
        if run and (k != run[2] or c != run[1] + 1):
            print(f"c {run[0]:X} {run[1]:X} {run[2]}")
            run = None
        if k:
            run = [c if run is None else run[0], c, k]
    for c in scalars():
        d = u.decomposition(chr(c))
        if not d or c in HANGUL:
            continue
        parts = d.split()
        if parts[0].startswith("<"):
            print("~", f"{c:X}", *(f"{int(p, 16):X}" for p in parts[1:]))
        else:
            recomposes = len(parts) == 2 and u.normalize("NFC", "".join(chr(int(p, 16)) for p in parts)) == chr(c)
            print("=" if recomposes else "!", f"{c:X}", *(f"{int(p, 16):X}" for p in parts))


def golden():
    """Lines: text, NFC, NFD, NFKC, NFKD, lower case of each character; each a list of hexadecimal code points."""
    rng = random.Random(7)
    mapped = [c for c in scalars() if u.decomposition(chr(c))]
    marks = [c for c in scalars() if u.combining(chr(c))]
    bases = list(range(0x41, 0x7B)) + list(range(0xC0, 0x250)) + list(range(0x1100, 0x1113)) + list(range(0x1161, 0x1176)) + list(range(0x11A7, 0x11C3))
    texts = [chr(c) for c in rng.sample(mapped, 250)]
    for _ in range(450):
        texts.append("".join(chr(rng.choice(rng.choice([bases, bases, marks, marks, mapped, list(HANGUL)]))) for _ in range(rng.randint(1, 8))))
    for t in texts:
        print("\t".join(" ".join(f"{ord(c):X}" for c in s) for s in [t] + [u.normalize(f, t) for f in ("NFC", "NFD", "NFKC", "NFKD")] + ["".join(c.lower() for c in t)]))


{"table": table, "golden": golden}[sys.argv[1]]()
