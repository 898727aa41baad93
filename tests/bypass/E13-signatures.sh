#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 180
# kernels: 6.1 7.3
# E13, and E10 and E12 for what is signed: signatures hidden behind others, padded, put on top of each other,
# taken off or changed for another's; signed interpreters and modules.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

act=build/tests/kernel/act
pe=tests/data/identity/pe

# le32 FILE OFFSET: the number there. put32 FILE OFFSET NUMBER.
le32() {
	od -An -tu4 -j "$2" -N 4 "$1" | tr -d ' '
}
put32() {
	printf '%08x' "$3" | sed 's/\(..\)\(..\)\(..\)\(..\)/\\x\4\\x\3\\x\2\\x\1/' | xargs -0 printf %b |
		dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# table FILE PART...: its certificate table becomes these: the one it has, or a file of other bytes.
table() {
	local file=$1 entry start size part
	shift
	entry=$(($(le32 "$file" 60) + 168))
	start=$(le32 "$file" $entry) size=$(le32 "$file" $((entry + 4)))
	tail -c +$((start + 1)) "$file" | head -c "$size" >"$work/table"
	head -c "$start" "$file" >"$work/head"
	for part; do
		case $part in
		table) cat "$work/table" ;;
		*) cat "$part" ;;
		esac
	done >"$work/tables"
	cat "$work/head" "$work/tables" >"$file"
	put32 "$file" $((entry + 4)) "$(stat -c %s "$work/tables")"
}

# ---- Windows programs -------------------------------------------------------------------------

cp "$(type -P true)" "$work/interpreter"
binfmt ":windows:E::pe::$work/interpreter:"
printf '\20\0\0\0\0\2\2\0nothing.' >"$work/junk" # an entry of 16 bytes that is no signature
head -c 4096 /dev/zero >"$work/zeroes"
for what in single first second stripped another appended padded behind-junk; do
	cp $pe/p64.a.exe "$work/$what.banned.pe"
	cp $pe/p32.b.exe "$work/$what.neighbour.pe"
	ways[a Windows program, $what]="$work/$what.banned.pe"
done
cp $pe/p64.ab.exe "$work/first.banned.pe"
cp $pe/p64.ba.exe "$work/second.banned.pe"
cp $pe/p64.exe "$work/stripped.banned.pe"
cp $pe/p64.unread.exe "$work/another.banned.pe"
cat "$work/zeroes" >>"$work/appended.banned.pe"
table "$work/padded.banned.pe" table "$work/zeroes"
table "$work/behind-junk.banned.pe" "$work/junk" table

# ---- ELF files and modules --------------------------------------------------------------------

for what in banned neighbour; do
	sign "$(type -P bash)" "$work/sh-$what" $what
	printf '#!%s\nexit 0\n' "$work/sh-$what" >"$work/by-$what"
	cp "$(type -P true)" "$work/elf-$what"
	sign "$work/elf-$what" "$work/inner-$what" $what
	sign "$work/inner-$what" "$work/under-$what" else
	sign "$work/elf-$what" "$work/two-$what" else $what
	sign_with=-nocerts sign "$work/elf-$what" "$work/bare-$what" $what
done
ways[a signed program]=$work/inner-banned
ways[a signature under another]=$work/under-banned
ways[the second of two signers]=$work/two-banned
ways[a signature without its certificate]=$work/bare-banned
ways[a script by a signed interpreter]=$work/by-banned
module "$work/banned.ko"
unsign "$work/banned.ko" "$work/neighbour.ko"
xz --check=crc32 -k "$work"/{banned,neighbour}.ko
ways[a signed module]="$act finit $work/banned.ko && rmmod dummy"
if $act finit "$work/neighbour.ko.xz" 4 2>/dev/null && rmmod dummy; then
	ways[a signed module, compressed]="$act finit $work/banned.ko.xz 4 && rmmod dummy"
else
	skip "a signed module, compressed" "this kernel takes none"
fi
chmod 755 "$work"/*

# ---- all of them ------------------------------------------------------------------------------

all_run "works before"
cat >"$work/policy.yaml" <<END
ban: test
rules:
  - certificate: { subject: { serialNumber: "1027739000000" } }
  - certificate: { subject: { CN: banned } }
  - certificate: { issuer: { CN: banned }, serial: $(fact "$work/bare-banned" '.signers[0].serial') }
  - certificate: { serial: $(fact "$work/banned.ko" '.signers[0].serial') }
  - authenticode: $(fact $pe/p64.exe .authenticode)
END
controller -p "$work/policy.yaml"
all_refused
all_run "its neighbour runs" 's/banned/neighbour/g'
stop_controller

# What is said of it, once the last event is told.
signer() {
	jq -r --arg path "$1" 'select(.file.path == $path) | .file.code_signature.subject_name // "nobody"' \
		/run/debar/events.json | sort -u
}
is "$(signer "$work/single.banned.pe")" "AO Example Lab" "an event names who signed it"
is "$(signer "$work/under-banned")" banned "also under another signature"
is "$(signer "$work/stripped.banned.pe")" nobody "and nobody where nobody did"
unload
all_run "works after"

# By its Authenticode digest alone, nothing of who signed it.
cat >"$work/policy.yaml" <<END
ban: test
rules:
  - authenticode: $(fact $pe/p64.exe .authenticode)
END
controller -p "$work/policy.yaml"
for what in single first second stripped another padded behind-junk; do
	is_denied "its Authenticode digest, $what: refused" "$work/$what.banned.pe"
done
runs "bytes behind the table make it another one" "$work/appended.banned.pe"
runs "a signed program of another digest runs" "$work/single.neighbour.pe"
stop_controller
unload
done_testing
