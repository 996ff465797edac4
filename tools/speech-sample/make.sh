#!/usr/bin/env bash
# Makes the sample of spoken digits that travels with LinearCald.Data (src/LinearCald.Data/Speech/Samples/digits.zip).
#
#   make.sh OUTPUT.zip
#
# Every clip is a string of two to four digits ("three seven oh"), no two alike, so that no sentence of one part is in another; the voices of
# voices.tsv take turns, so that every part has every voice equally often. Speeds run from 150 to 219 words a minute; one clip in three has
# faint white noise under it. A clip is trimmed, resampled to 8 kHz and scaled to a peak of 1/32 (ten bits are enough for speech of telephone bandwidth, and pack smaller).
# In the archive: transcripts.tsv (file, split, lang, speaker, seconds, text, norm) and flac/.
#
# Needs espeak-ng 1.51, sox 14.4.2, flac 1.4.2 and zip. The same programs give the same bytes: the speech engine uses no random source, sox
# runs with -R (fixed seed) and -D (no dither), entries of the archive are sorted and dated 1980-01-01.
set -euo pipefail
export LC_ALL=C TZ=UTC
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
output=$(realpath "${1:?usage: make.sh OUTPUT.zip}")
rate=8000
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/set" "$work/set/flac"
words=(zero one two three four five six seven eight nine oh)
mapfile -t voices < "$here/voices.tsv"

# Knuth's linear congruential generator; the upper bits are the random ones.
state=1
draw() { # draw BOUND → drawn
  state=$(((state * 6364136223846793005 + 1442695040888963407) & 0x7fffffffffffffff))
  drawn=$(((state >> 33) % $1))
}

# One clip of five is a pair of digits, three are triples, one has four.
declare -A used
sentence() { # → text
  while :; do
    draw 5
    local count=$((drawn == 0 ? 2 : drawn == 4 ? 4 : 3)) i
    text=
    for ((i = 0; i < count; i++)); do
      draw ${#words[@]}
      text+="${text:+ }${words[drawn]}"
    done
    [ -n "${used[$text]:-}" ] || break
  done
  used[$text]=1
}

sox -R -n -r "$rate" -c 1 -b 16 "$work/noise.wav" synth 60 whitenoise
printf 'file\tsplit\tlang\tspeaker\tseconds\ttext\tnorm\n' > "$work/set/transcripts.tsv"
clip=0
part() { # part SPLIT COUNT
  local i name id voice speed noise
  for ((i = 0; i < $2; i++, clip++)); do
    sentence
    IFS=$'\t' read -r id voice <<< "${voices[i % ${#voices[@]}]}"
    draw 70; speed=$((150 + drawn))
    name=$(printf '%s-%03d-%s' "$1" "$i" "$id")
    espeak-ng -v "$voice" -s "$speed" -w "$work/spoken.wav" -- "$text"
    sox -R -D "$work/spoken.wav" -b 16 -c 1 "$work/clip.wav" \
      silence 1 0.01 0.2% reverse silence 1 0.01 0.2% reverse rate "$rate" gain -n -30 pad 0.04 0.04
    draw 3
    if [ "$drawn" -eq 0 ]; then
      draw 50; noise=$drawn
      sox -R -D "$work/noise.wav" "$work/under.wav" trim "$noise" "$(soxi -s "$work/clip.wav")s"
      sox -R -D -m -v 1 "$work/clip.wav" -v 0.0004 "$work/under.wav" "$work/noisy.wav"
      mv "$work/noisy.wav" "$work/clip.wav"
    fi
    flac --silent --best --no-padding --no-seektable -o "$work/set/flac/$name.flac" "$work/clip.wav"
    printf 'flac/%s.flac\t%s\ten\t%s\t%.3f\t%s\t%s\n' "$name" "$1" "$id" "$(soxi -D "$work/clip.wav")" "$text" "$text" >> "$work/set/transcripts.tsv"
  done
}

part train 260
part valid 50
part test 80
find "$work/set" -exec touch -d 1980-01-01 {} +
rm -f "$output"
(cd "$work/set" && { echo transcripts.tsv; find flac -name '*.flac' | sort; } | zip -q -X -0 "$output" -@)
ls -l "$output"
