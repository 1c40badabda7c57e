#!/bin/sh
# Usage: count_words.sh DIRECTORY
#
# Counts the texts in DIRECTORY. Writes into the current directory, which HySDS makes for each job:
#   word_count.tsv     a line a text and one for all: name, lines, words, bytes
#   common_words.tsv   the ten most frequent words of all texts: word, how often
set -eu
export LC_ALL=C

done_texts=0
all_texts=$(find "$1" -name '*.txt' | wc -l)
printf 'text\tlines\twords\tbytes\n' >word_count.tsv
for text in "$1"/*.txt; do
    name=$(basename "$text")
    # wc aligns its numbers with spaces; the unquoted list is split into three words.
    set -- "$1" $(wc <"$text")
    printf '%s\t%s\t%s\t%s\n' "$name" "$2" "$3" "$4" >>word_count.tsv
    echo "$name: $3 words"
    done_texts=$((done_texts + 1))
    # A fraction and a message: `hysds status` shows the last line while the job runs.
    echo "0.$((done_texts * 9 / all_texts)) counted $name" >>"${HYSDS_PROGRESS:-/dev/null}"
done
set -- "$1" $(cat "$1"/*.txt | wc)
printf 'all\t%s\t%s\t%s\n' "$2" "$3" "$4" >>word_count.tsv
echo "all texts: $3 words"

printf 'word\tcount\n' >common_words.tsv
cat "$1"/*.txt | tr -cs 'A-Za-z' '\n' | tr 'A-Z' 'a-z' | sort | uniq -c | sort -k1,1nr -k2 |
    awk '$2 != "" && n < 10 { printf "%s\t%s\n", $2, $1; n++ }' >>common_words.tsv
