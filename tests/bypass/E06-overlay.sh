#!/bin/bash
# SPDX-License-Identifier: MIT
# E6: overlayfs: of a lower layer, copied up, and written to beneath, longer, shorter, by mmap.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

make_pair
scratch overlay
lower=$work/layers/lower upper=$work/layers/upper
cp "$work"/{banned,neighbour} "$lower/"
ways=(
	[of a lower layer]="$scratch/banned"
	[copied up]="cp $scratch/banned $scratch/copy; $scratch/copy"
)
prove "$(ban "$work/banned")"

# Written beneath, after the innocent one ran and is remembered.
load "$(ban "$work/banned")"
length=$(stat -c %s "$work/banned")
# refused_beneath WHAT: either by digest, or because the overlay is behind the layer.
refused_beneath() {
	try "$scratch/$size"
	like "$status $errors" '^126 .*(Operation not permitted|Text file busy)' "$1"
}
for size in same longer shorter; do
	case $size in
	same) cp "$work/neighbour" "$upper/$size" ;;
	longer) head -c $((length - 1000)) "$work/neighbour" >"$upper/$size" ;;
	shorter) (cat "$work/neighbour"; head -c 5000 /dev/zero) >"$upper/$size" ;;
	esac
	chmod 755 "$upper/$size"
	[ $size = longer ] || runs "$size: innocent, it runs" "$scratch/$size"
	[ $size != longer ] || try "$scratch/$size"
	cat "$work/banned" >"$upper/$size"
	refused_beneath "$size: rewritten beneath with the banned one: refused"
done
size=open
cp "$work/neighbour" "$upper/$size"
runs "a writer beneath: before, it runs" "$scratch/$size"
exec 9<>"$upper/$size"
refused_beneath "a writer beneath who is still there: refused as busy"
exec 9>&-
runs "a writer beneath: after, it runs" "$scratch/$size"
perl -e 'open(F, "+<", $ARGV[0]); seek(F, -1, 2); print F "b"' "$upper/$size"
refused_beneath "one byte written beneath makes it the banned one: refused"

# Two overlays over one lower layer; and an overlay over an overlay.
mkdir "$work"/{two,nested} "$work"/layers/{u2,w2,u3,w3}
mount -t overlay o "$work/two" -o "lowerdir=$lower,upperdir=$work/layers/u2,workdir=$work/layers/w2"
at_exit "umount -l $work/two"
cp "$work/neighbour" "$lower/shared"
runs "two overlays: it runs in the first" "$scratch/shared"
runs "two overlays: and in the second" "$work/two/shared"
perl -e 'open(F, "+<", $ARGV[0]); seek(F, -1, 2); print F "b"' "$lower/shared"
is_denied "two overlays: rewritten in the lower layer, refused in the first" "$scratch/shared"
is_denied "two overlays: and in the second" "$work/two/shared"
mount -t overlay o "$work/nested" -o "lowerdir=$scratch,upperdir=$work/layers/u3,workdir=$work/layers/w3"
at_exit "umount -l $work/nested"
is_denied "an overlay over an overlay" "$work/nested/banned"
runs "an overlay over an overlay: the neighbour" "$work/nested/neighbour"
done_testing
