#!/bin/bash
# SPDX-License-Identifier: MIT
# timeout: 500
# The shipped bans load, each alone and all at once, and do what they say: a program and a name of each
# vendor are refused, or told where the ban only watches, and look-alikes are let be.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

export DEBAR_BANS=policy/bans
peer=build/tests/bypass/peer
all=()
for file in policy/bans/*.yaml policy/bans/optional/*.yaml; do
	ban=$(sed -n 's/^ban: *//p' "$file")
	all+=(-p "$file")
	runs "$ban: loads alone, without what needs a controller" "$DEBAR" load --partial --force -p "$file"
	is "$("$DEBAR" status --json | jq -r '"\(.bans[].ban // .bans[].id // .bans[]) \(.generation > 0)"')" \
		"$ban true" "$ban: is in force"
done
unload

mkdir -p /opt/kaspersky/kesl/bin /opt/kasperskyish
at_exit "rm -rf /opt/kaspersky /opt/kasperskyish"
cp /usr/bin/true /opt/kaspersky/kesl/bin/kesl
cp /usr/bin/true /opt/kasperskyish/kesl
printf 1 >>/opt/kaspersky/kesl/bin/kesl
printf 2 >>/opt/kasperskyish/kesl
runs "works before" /opt/kaspersky/kesl/bin/kesl
controller "${all[@]}"
is "$("$DEBAR" status --json | jq '.bans | length')" "$((${#all[@]} / 2))" "all are in force at once"
is_denied "kaspersky: a program of its place is refused" /opt/kaspersky/kesl/bin/kesl
runs "kaspersky: not one of a place with a longer name" /opt/kasperskyish/kesl
for name in s00.upd.kaspersky.com tiktok.com deepseek.com; do
	is "$($peer dns 127.0.0.1 53 $name)" EPERM "$name is refused"
done
for name in notkaspersky.com support.kaspersky.com tiktok.com.example.org example.org; do
	unlike "$($peer dns 127.0.0.1 53 $name)" EPERM "$name is let be"
done
stop_controller
unload
runs "works after" /opt/kaspersky/kesl/bin/kesl
done_testing
