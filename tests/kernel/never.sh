#!/bin/bash
# SPDX-License-Identifier: MIT
# kernels: 6.1
# timeout: 180
# What the machine cannot do without is not refused by what is derived from it, nor for not being
# known; across an upgrade, and not by whoever takes its place.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

set=/var/lib/debar/never-deny
policy=$work/policy.yaml
shell=$(readlink -f /bin/bash)
other=$(readlink -f "$(type -P nl)")
build_id() {
	printf 'ban: none\nrules:\n  - sha256: %064d\n' 1 >"$work/none.yaml"
	"$DEBAR" check --json -p "$work/none.yaml" "$1" | jq -r .buildid
}
put() {
	{
		printf 'ban: test\n%srules:\n' "${1:+$1$'\n'}"
		shift
		printf '  - %s\n' "$@"
	} >"$policy.new"
	mv "$policy.new" "$policy"
}
sha() { sha256sum <"$1" | cut -c1-64; }
told() {
	"$DEBAR" events --json | jq -rs --arg f "$1" \
		'[.[] | select(.file.path == $f and .event.action == "exec")][-1] |
		"\(.event.outcome) \(.debar.mode) \(.debar.matched.kind // .debar.because)"'
}

# A package database, with the shell in it.
cp -a /var/lib/dpkg "$work/dpkg" 2>/dev/null
cp -a "$shell" "$work/bash.old"
at_exit "cp -af $work/bash.old $shell; rm -rf /var/lib/dpkg $set; cp -a $work/dpkg /var/lib/"
info=/var/lib/dpkg/info
mkdir -p $info
rm -f $set
vouch() { # FILE PACKAGE: what FILE holds now is this package's
	printf '/.\n%s\n' "$shell" >"$info/$2.list"
	printf '%s  %s\n' "$(md5sum <"$1" | cut -c1-32)" "${shell#/}" >"$info/$2.md5sums"
	printf 'Package: %s\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n' "$2" >/var/lib/dpkg/status
	touch $info
}
vouch "$shell" bash

# ---- derived keys --------------------------------------------------------------------------------
put '' "buildid: $(build_id "$shell")" "buildid: $(build_id "$other")"
runs "before: the other one runs" "$other" /dev/null
controller -p "$policy"
is_denied "a ban by build-id refuses" bash -c "$other /dev/null"
runs "but not a shell" "$shell" -c true
is "$(told "$shell")" "success enforce buildid" "which is told, as audited"
is "$(told "$other")" "failure enforce buildid" "as the refusal is"
cp "$shell" "$work/copy"
runs "nor a copy of it: it is the same content" "$work/copy" -c true
is "$(stat -c '%a %U' $set)" "600 root" "the set is root's"
like "$(cat $set)" "^$(sha "$shell") [^ ]+ bash /bin/bash\$" "and says what it is, and of which package"
for name in init debar /bin/sh libc.so /lib64/ld-linux-x86-64.so.2; do
	like "$(cat $set)" " $name\$" "it has $name"
done

# ---- replaced ------------------------------------------------------------------------------------
cp -a "$other" "$shell.new" && mv "$shell.new" "$shell"
runs "reloaded" "$DEBAR" reload
like "$(cat "$work/messages")" "$shell is another file than it was, and no package vouches" "in the shell's place: it is noticed"
is_denied "and refused" env "$shell" /dev/null
runs "the shell itself is not, wherever it is" "$work/copy" -c true
is "$(grep -c " /bin/bash\$" $set)" 1 "the set has not become wider"
vouch "$shell" impostor
runs "reloaded" "$DEBAR" reload
is_denied "another package cannot vouch for it" env "$shell" /dev/null
vouch "$work/copy" bash
runs "reloaded" "$DEBAR" reload
is_denied "nor can its own that does not have it" env "$shell" /dev/null

# ---- upgraded ------------------------------------------------------------------------------------
cp "$work/copy" "$work/upgraded" && printf 'next version' >>"$work/upgraded"
rm -f $info/impostor.*
vouch "$work/upgraded" bash
cp -a "$work/upgraded" "$shell.new" && mv "$shell.new" "$shell"
before=$(grep -c 'another file than it was' "$work/messages")
runs "reloaded" "$DEBAR" reload
is "$(grep -c 'another file than it was' "$work/messages")" "$before" "upgraded by its package: nothing to say"
runs "the new shell is not refused" "$shell" -c true
runs "nor is the old one, which may run still" "$work/copy" -c true
is "$(grep -c ' /bin/bash$' $set)" 2 "the set has both"
cp "$work/copy" "$work/own" && printf 'built here' >>"$work/own"
cp -a "$work/own" "$shell.new" && mv "$shell.new" "$shell"
runs "reloaded" "$DEBAR" reload
is_denied "one that nobody vouches for is refused" env "$shell" -c true
runs "unless the administrator does" "$DEBAR" reload --force
runs "then it is not" "$shell" -c true
is "$(grep -c ' /bin/bash$' $set)" 3 "and is in the set"
stop_controller
cp -a "$work/bash.old" "$shell.new" && mv "$shell.new" "$shell"

# ---- not known, and meant ------------------------------------------------------------------------
group=/sys/fs/cgroup/debar-scope
mkdir -p $group
at_exit "rmdir $group"
inside() { bash -c "echo \$\$ >$group/cgroup.procs; exec \"\$@\"" - "$@"; }
put 'unclassified: deny' "buildid: 00112233445566778899"
unload
controller -p "$policy" --cgroup $group
kill -9 "$controller"
wait "$controller" 2>/dev/null
cp "$other" "$work/fresh" && printf 'nobody has looked' >>"$work/fresh"
is_denied "unclassified: deny refuses what nobody has looked at" inside "$work/fresh" /dev/null
runs "but not a shell" inside "$shell" -c true
build/tests/kernel/state silent 61
runs "when the controller has been gone for long, it lets it pass" inside "$work/fresh" /dev/null
exits 1 "which debar status takes for not enforcing" "$DEBAR" status
like "$output" 'controller has been gone for more than 60 s: what is not classified passes' "and says why"
unload
put '' "sha256: $(sha "$shell")"
exits 2 "a ban of the shell itself is an error" "$DEBAR" load -p "$policy"
load "$policy" --force --cgroup $group
is_denied "and where it is meant, it is refused" inside "$shell" -c true
echo 'not such a set' >$set
try "$DEBAR" load -p "$policy" --force --cgroup $group
like "$errors" "$set cannot be used .it is damaged.: nothing is kept from being refused" "a damaged set stands in nobody's way, and is told"
unload
rm -f $set

# ---- in gate mode --------------------------------------------------------------------------------
put '' "buildid: $(build_id "$shell")" "buildid: $(build_id "$other")"
controller --mode gate -p "$policy"
is_denied "gate mode refuses by build-id, too" env "$other" /dev/null
runs "but not a shell" "$shell" -c true
stop_controller
unload
done_testing
