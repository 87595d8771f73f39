#!/bin/sh
# Runs a `go test` command of failfirst and leaves what it reported in files outside the tree.
#
#   sh go-test.sh STEM FOLDER [FILE...] -- COMMAND...
#
# STEM.index  which test file of FOLDER declares which test, and where tests write to their log;
#             FOLDER is `./...` for all folders below this one
# STEM.mod    the go.mod that was in force
# STEM.json   what COMMAND printed
#
# Two words of COMMAND are made here, since only here the files of the variant can be seen:
# `-run=@declared@` becomes the tests that the FILEs declare, and `-timeout=@dump@` ends the tests
# shortly before the lab would, so that they say where they hang.
set -uf

stem=$1
folder=$2
shift 2

pattern='^[[:space:]]*func[[:space:]]+(Test|Example|Fuzz)|[.]Logf?[(]'
if [ "$folder" = ./... ]; then
    find . \( -name .git -o -name node_modules -o -name vendor -o -name testdata \) -prune \
        -o -type f -name '*_test.go' -exec env LC_ALL=C grep -HnE "$pattern" {} + >"$stem.index" 2>/dev/null
else
    set +f
    LC_ALL=C grep -HnE "$pattern" "$folder"/*_test.go >"$stem.index" 2>/dev/null
    set -f
fi
cp go.mod "$stem.mod" 2>/dev/null

declared=
while [ "$1" != -- ]; do
    declaration='s/^[[:space:]]*func[[:space:]]+((Test|Example|Fuzz)[^][()[:space:]]*)[[:space:]]*[(].*/\1/p'
    names=$(LC_ALL=C sed -nE "$declaration" "$1" 2>/dev/null)
    for name in $names; do
        declared="${declared:+$declared|}$name"
    done
    shift
done
shift

left=$#
while [ "$left" -gt 0 ]; do
    word=$1
    left=$((left - 1))
    shift
    case $word in
    -run=@declared@)
        word='-run=^$'
        [ -z "$declared" ] || word="-run=^($declared)\$"
        ;;
    -timeout=@dump@)
        [ -n "${FAILFIRST_DUMP_AFTER:-}" ] || continue
        word="-timeout=${FAILFIRST_DUMP_AFTER}s"
        ;;
    esac
    set -- "$@" "$word"
done
unset FAILFIRST_DUMP_AFTER

# A test that prints without end must not fill the disk.
code=$({ { "$@" 3>&-; echo $? >&3; } | head -c 268435456 >"$stem.json"; } 3>&1)

# For people: the end of what the tests printed.
tail -c 20000 "$stem.json" | LC_ALL=C sed -n \
    -e 's/","OutputType":"[a-z-]*"}$/"}/' \
    -e 's/^{.*"Output":"\(.*\)"}$/\1/' \
    -e '/^{/d' \
    -e 's/\\n$//' -e 's/\\t/    /g' -e 's/\\u003c/</g' -e 's/\\u003e/>/g' -e 's/\\u0026/\&/g' \
    -e 's/\\"/"/g' -e p
exit "${code:-1}"
