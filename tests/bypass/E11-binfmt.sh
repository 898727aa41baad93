#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 180
# kernels: 6.1 7.3
# E11: programs that binfmt_misc finds an interpreter for (wine, qemu-user): banned themselves, or started by
# what is banned, however the interpreter is named.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

pe=tests/data/identity/pe
for what in banned neighbour; do
	cp "$(type -P true)" "$work/by-digest-$what"
	echo $what >>"$work/by-digest-$what"
	sign "$(type -P true)" "$work/by-signer-$what" $what
done
cp "$(type -P true)" "$work/interpreter"

# A program for another processor: what is in its header is all that differs.
for what in banned neighbour; do
	cp "$(type -P true)" "$work/foreign-$what"
	printf '\xb7' | dd of="$work/foreign-$what" bs=1 seek=18 conv=notrunc status=none
	echo $what >>"$work/foreign-$what"
done

# Without a flag the interpreter is opened at each exec; F opened it long before, O and C hand over the
# program as a descriptor, P keeps its first argument.
for flag in '' F O C P; do
	binfmt ":pe$flag:E::pe$flag::$work/interpreter:$flag"
	cp $pe/p64.a.exe "$work/banned.pe$flag"
	cp $pe/p32.b.exe "$work/neighbour.pe$flag"
	ways[a Windows program, ${flag:-no flag}]="$work/banned.pe$flag"
	[[ $flag == [OCP] ]] || for how in digest signer; do
		for what in banned neighbour; do
			binfmt ":$how-$what$flag:E::$how-$what$flag::$work/by-$how-$what:$flag"
			echo data >"$work/data.$how-$what$flag"
		done
		ways[an interpreter banned by its $how, ${flag:-no flag}]="$work/data.$how-banned$flag"
	done
done
binfmt ":foreign:M:18:\\xb7::$work/interpreter:OC"
ways[a program for another processor]="$work/foreign-banned"
printf '#!/bin/sh\nexec %s/banned.pe\n' "$work" >"$work/sh-banned"
printf '#!/bin/sh\nexec %s/neighbour.pe\n' "$work" >"$work/sh-neighbour"
ways[a script that starts it]="$work/sh-banned"
ln -s banned.pe "$work/link-banned.pe"
ln -s neighbour.pe "$work/link-neighbour.pe"
ways[a link to it]="$work/link-banned.pe"
chmod 755 "$work"/*

all_run "works before"
cat >"$work/policy.yaml" <<END
ban: test
rules:
  - certificate: { subject: { O: AO Example Lab, C: RU } }
  - certificate: { subject: { CN: banned } }
  - sha256: $(sha256sum <"$work/by-digest-banned" | cut -c1-64)
  - sha256: $(sha256sum <"$work/foreign-banned" | cut -c1-64)
END
controller -p "$work/policy.yaml"
all_refused
all_run "its neighbour runs" 's/banned/neighbour/g'
kill -9 "$controller"
wait "$controller" 2>/dev/null
is_denied "without a controller, what was classified: refused" "$work/banned.pe"
cp "$work/banned.pe" "$work/copy.pe"
is_denied "and a copy of it" "$work/copy.pe"
unload
all_run "works after"
done_testing
