#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 300
# kernels: 6.1
# A package's files are refused where they lie, and their bytes elsewhere: but nothing that the machine has
# from another package, too, and nothing that lies beside them. A path says nothing about what lies there.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

act=build/tests/kernel/act
info=/var/lib/dpkg/info
libc=$(realpath "$(ldd "$(type -P nl)" | awk '/libc.so/ { print $3 }')")
library=$(realpath "$(ldd "$(type -P ip)" | awk '/libmnl/ { print $3 }')")
at_exit "rm -rf $info /opt/acme /opt/banned /opt/later"
mkdir -p $info /opt/acme /opt/banned /opt/later "$work/out"

own() { # own PACKAGE FILE...
	local package=$1
	shift
	printf '/.\n%s\n' "$@" >$info/"$package".list.new
	printf '%s\n' "$@" >>$info/"$package".list.new
	mv $info/"$package".list.new $info/"$package".list
}

cp "$(type -P nl)" /opt/acme/agent
echo acme >>/opt/acme/agent
cp "$libc" /opt/acme/libc.so.6
cp "$library" /opt/acme/library.so
cp "$(type -P tac)" /opt/acme/neighbour
printf '#!/bin/sh\nexit 0\n# acme\n' >/opt/acme/script
: >/opt/acme/empty
chmod 755 /opt/acme/*
own acme /opt/acme/agent /opt/acme/libc.so.6 /opt/acme/library.so /opt/acme/script /opt/acme/empty /opt/acme/gone
own libc6 "$libc"
own libmnl0 "$library"
own coreutils "$(type -P tac)"
cp /opt/acme/agent "$work/out/agent"
cp /opt/acme/script "$work/out/script"
cp "$libc" "$work/out/libc"
cp "$library" "$work/out/library"
: >"$work/out/empty"
chmod 755 "$work/out/empty"
cp "$(type -P bash)" /opt/banned/shell
cp "$libc" /opt/banned/libc
cp "$library" /opt/banned/library
cp "$(type -P tac)" /opt/banned/program
cp "$(type -P seq)" /opt/later/program
echo later >>/opt/later/program
declare -A ways=(
	[a program]="/opt/acme/agent /dev/null"
	[its copy]="$work/out/agent /dev/null"
	[its copy in memory]="$act memfd /opt/acme/agent"
	[a script]=/opt/acme/script
	[its copy as well]="$work/out/script"
	[a library]="$act mmap /opt/acme/library.so"
	[a program in a banned path]="/opt/banned/program /dev/null"
	[a library in a banned path]="$act mmap /opt/banned/library"
)
# The bytes of these the machine cannot do without: told, wherever they lie, and not refused.
declare -A needed=(
	[/opt/acme/libc.so.6]="$act mmap /opt/acme/libc.so.6"
	[/opt/banned/shell]="/opt/banned/shell -c :"
	[/opt/banned/libc]="$act mmap /opt/banned/libc"
)
declare -A others=(
	[a program of nobody beside it]="/opt/acme/neighbour /dev/null"
	[the library]="$act mmap $library"
	[a copy of the library]="$act mmap $work/out/library"
	[the C library]="$act mmap $libc"
	[a copy of the C library]="$act mmap $work/out/libc"
	[the program]="tac /dev/null"
	[the shell]="bash -c :"
	[an empty file]="bash $work/out/empty"
	[another package]="/opt/later/program 1"
)

all_run "works before"
printf 'ban: test\nrules:\n  - package: acme*\n  - path: /opt/banned/\n' >"$work/policy.yaml"
controller -p "$work/policy.yaml"
all_refused
for what in "${!others[@]}"; do
	runs "$what: is not refused" bash -c "${others[$what]}"
done
for file in "${!needed[@]}"; do
	runs "$file: is not refused" bash -c "${needed[$file]}"
	is "$(jq -r --arg file "$file" 'select(.file.path == $file) | .event.outcome' /run/debar/events.json | sort -u)" \
		success "$file: is told"
done
for file in /opt/acme/agent "$work/out/agent"; do
	exits 1 "debar check denies $(basename "$(dirname "$file")")/agent as well" "$DEBAR" check -p "$work/policy.yaml" "$file"
done
for file in library libc; do
	exits 0 "and not the copy of the $file" "$DEBAR" check -p "$work/policy.yaml" "$work/out/$file"
done
mv /opt/acme/agent "$work/out/moved"
is_denied "moved away: refused" "$work/out/moved" /dev/null
own acme-later /opt/later/program
tries=0
while "/opt/later/program" 1 >/dev/null 2>&1 && [ $((++tries)) -lt 100 ]; do
	sleep 0.1
done
is_denied "a package installed since: refused" /opt/later/program 1
mv "$work/out/moved" /opt/acme/agent
stop_controller
unload
all_run "works after"
done_testing
