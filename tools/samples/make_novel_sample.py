"""Makes the sample of running text that travels with LinearCald.Data, from the corpus text/lm.

usage: make_novel_sample.py FOLDER_OF_LM OUTPUT_FOLDER [TRAIN_CHARACTERS]

The corpus has chapters of novels among its documents (one paragraph a line, a blank line between documents), without titles. A chapter is
given to the novel whose names it has most, if they are frequent enough to leave no doubt. The training part gets the chapters of Emma in
train.txt, then chapters of Mansfield Park there while there is room, in the order of the file; the validation part gets the chapters of
both in valid.txt. The result depends on nothing else.
"""
import gzip
import lzma
import os
import re
import sys

NOVELS = {
    "Sense and Sensibility": ["Elinor", "Marianne", "Dashwood", "Willoughby", "Edward", "Brandon"],
    "Pride and Prejudice": ["Bennet", "Darcy", "Bingley", "Wickham", "Longbourn", "Collins"],
    "Mansfield Park": ["Fanny", "Crawford", "Bertram", "Norris", "Edmund", "Rushworth"],
    "Emma": ["Emma", "Knightley", "Weston", "Harriet", "Elton", "Churchill", "Woodhouse"],
    "Northanger Abbey": ["Catherine", "Tilney", "Thorpe", "Isabella", "Northanger", "Morland"],
    "Persuasion": ["Wentworth", "Anne", "Elliot", "Musgrove", "Russell", "Croft"],
}


def documents(folder, part):
    with lzma.open(os.path.join(folder, part + ".txt.xz"), "rt", encoding="utf-8") as file:
        return file.read().strip("\n").split("\n\n")


def novel_of(text):
    counts = {novel: [len(re.findall(rf"\b{name}\b", text)) for name in names] for novel, names in NOVELS.items()}
    novel = max(counts, key=lambda n: sum(counts[n]))
    names = sum(counts[novel])
    sure = names >= 10 and sum(count > 0 for count in counts[novel]) >= 2 and names * 1000 > len(text)
    return novel if sure else None


def chapters(folder, part, novel):
    return [text for text in documents(folder, part) if novel_of(text) == novel]


def write(path, texts):
    data = ("\n\n".join(texts) + "\n").encode()
    with open(path, "wb") as file, gzip.GzipFile(fileobj=file, mode="wb", compresslevel=9, filename="", mtime=0) as packed:
        packed.write(data)
    print(f"{path}: {len(texts)} chapters, {len(data)} bytes, packed {os.path.getsize(path)}")


def main(source, output, characters=920_000):
    train = chapters(source, "train", "Emma")
    for text in chapters(source, "train", "Mansfield Park"):
        if sum(map(len, train)) + len(text) <= int(characters):
            train.append(text)
    validation = chapters(source, "valid", "Emma") + chapters(source, "valid", "Mansfield Park")
    write(os.path.join(output, "novels-train.txt.gz"), train)
    write(os.path.join(output, "novels-valid.txt.gz"), validation)


main(*sys.argv[1:])
