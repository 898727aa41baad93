#!/bin/bash
# SPDX-License-Identifier: MIT
# What is banned becomes no code, by whichever way, only it, and only while a policy is loaded.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

act=build/tests/kernel/act
linker=$(realpath /lib64/ld-linux-x86-64.so.2)
module=$(modprobe -S "$(uname -r)" --show-depends dummy | sed -n 's/^insmod //p' | tr -d ' ')
library=$(ldd "$act" | awk '/libc.so/ { print $3 }')

# A program and a library that are nobody else's, and their neighbours: one byte apart.
cp /usr/bin/true "$work/banned" && printf b >>"$work/banned"
cp /usr/bin/true "$work/neighbour" && printf x >>"$work/neighbour"
cp "$library" "$work/banned.so" && printf x >>"$work/banned.so"
cp "$library" "$work/neighbour.so" && printf y >>"$work/neighbour.so"
printf '#!/bin/sh\nexit 0\n' >"$work/script"
printf '#!/bin/sh\nexit 0 # another\n' >"$work/other"
cp /usr/bin/sh "$work/sh" && printf x >>"$work/sh"
printf '#!%s\nexit 0\n' "$work/sh" >"$work/interpreted"
case $module in
*.xz) xz -dc <"$module" >"$work/neighbour.ko" ;;
*) cp "$module" "$work/neighbour.ko" ;;
esac
cp "$work/neighbour.ko" "$work/banned.ko" && printf '\0' >>"$work/banned.ko"
chmod 755 "$work"/{banned,neighbour,script,other,sh,interpreted}

# what: command; its neighbour's
declare -A acts=(
	[exec]="$work/banned; $work/neighbour"
	[script]="$work/script; $work/other"
	[interpreter of a script]="$work/interpreted; $work/other"
	[ld.so]="$linker $work/banned; $linker $work/neighbour"
	[library]="LD_LIBRARY_PATH=$work/libs /usr/bin/true; /usr/bin/true"
	[mmap]="$act mmap $work/banned; $act mmap $work/neighbour"
	[shared mmap]="$act mmap-shared $work/banned; $act mmap-shared $work/neighbour"
	[mmap of a library]="$act mmap $work/banned.so; $act mmap $work/neighbour.so"
	[mprotect]="$act mprotect $work/banned; $act mprotect $work/neighbour"
	[memfd]="$act memfd $work/banned; $act memfd $work/neighbour"
	[module]="$act finit $work/banned.ko && rmmod dummy; $act finit $work/neighbour.ko && rmmod dummy"
)
mkdir "$work/libs" && cp "$work/banned.so" "$work/libs/libc.so.6"
policy=$(ban "$work"/banned{,.so,.ko} "$work"/{script,sh})

for what in "${!acts[@]}"; do
	runs "$what: works before" bash -c "${acts[$what]%%;*}"
done
load "$policy"
for what in "${!acts[@]}"; do
	case $what in
	library | ld.so) # which says no more than that
		try bash -c "${acts[$what]%%;*}"
		like "$status $errors" '^127 .*failed to map segment' "$what: refused while loaded"
		;;
	*) is_denied "$what: refused while loaded" bash -c "${acts[$what]%%;*}" ;;
	esac
	runs "$what: its neighbour is not" bash -c "${acts[$what]##*; }"
done
try bash -c "LD_PRELOAD=$work/banned.so /usr/bin/true"
like "$errors" 'cannot be preloaded' "LD_PRELOAD: the library is refused, the program told"
is "$("$DEBAR" events --json | jq -r 'select(.event.outcome == "failure").event.action' | sort -u | tr '\n' ' ')" \
	'exec mmap module mprotect ' "each act is told by its name"
unload
for what in "${!acts[@]}"; do
	runs "$what: works after" bash -c "${acts[$what]%%;*}"
done
skip "firmware" "no driver of a guest's asks for any"
done_testing
