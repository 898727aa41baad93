#!/bin/bash
# SPDX-License-Identifier: MIT
# E7: the bytes are swapped after the check. tests/kernel/race.sh does it while it runs.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

make_pair
load "$(ban "$work/banned")"
for kind in tmpfs ext4 overlay; do
	scratch $kind
	file=$scratch/file
	for how in written renamed mapped 'with its times and size restored' cut; do
		cp --preserve=timestamps "$work/neighbour" "$file"
		runs "$kind, $how: innocent, it runs" "$file"
		case $how in
		written) cat "$work/banned" >"$file" ;;
		renamed) cp "$work/banned" "$file.new" && mv "$file.new" "$file" ;;
		mapped) build/tests/kernel/act overwrite "$file" "$work/banned" ;;
		with*) cp "$work/banned" "$file" && touch -r "$work/neighbour" "$file" ;;
		cut) cat "$work/banned" >"$file" && echo x >>"$file" && truncate -s -2 "$file" ;;
		esac
		is_denied "$kind, $how: refused" "$file"
	done
done
unload
runs "works after" "$work/banned"
done_testing
