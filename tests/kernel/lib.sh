# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# For tests in the guest: everything of tests/tap.sh, and loading debar. See scripts/run-tests for
# what the comments at a test's head choose (kernels, timeout, own boot). $work is on tmpfs, and
# /mnt/ext4 is an ext4 file system.

# shellcheck source=tests/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"

[ -e /job.env ] || skip_all "only in a guest: scripts/run-tests kernel"
at_exit "$DEBAR unload"
rm -f /run/debar/events.json /run/debar/events.json.1 # of the tests before in this guest

# ban FILE...: a policy that bans these contents; its path.
ban() {
	local policy file
	policy=$(mktemp "$work/policy.XXXXXX")
	{
		printf 'ban: test\nrules:\n'
		for file; do
			printf '  - sha256: %s\n' "$(sha256sum <"$file" | cut -c1-64)"
		done
	} >"$policy"
	mv "$policy" "$policy.yaml"
	echo "$policy.yaml"
}

# load POLICY [OPTION]...: enforce it, with no controller left running.
load() {
	local policy=$1
	shift
	runs "debar load" "$DEBAR" load -p "$policy" "$@"
}

unload() {
	runs "debar unload" "$DEBAR" unload
}

# controller [ARG]...: debar run with these arguments, in the background, until stop_controller or
# the test's end. Its events are in $work/events and its messages in $work/messages.
controller() {
	local tries=0
	"$DEBAR" run "$@" >"$work/events" 2>"$work/messages" &
	controller=$!
	at_exit "kill -9 $controller"
	until grep -q running "$work/events"; do
		if ! kill -0 $controller 2>/dev/null || [ $((++tries)) -gt 200 ]; then
			not_ok "debar run starts" "$(cat "$work/messages")"
			return 1
		fi
		sleep 0.1
	done
	ok "debar run starts"
}

stop_controller() {
	kill -TERM "$controller"
	wait "$controller"
	is $? 0 "debar run ends cleanly"
}

# make_pair: $work/banned and $work/neighbour, programs that are nobody else's, one byte apart.
make_pair() {
	cp /usr/bin/true "$work/banned" && printf b >>"$work/banned"
	cp /usr/bin/true "$work/neighbour" && printf n >>"$work/neighbour"
	chmod 755 "$work" # so that other users reach it
}

# Ways round, by name: lines of shell about a file called banned.
declare -A ways=()

# all_run WHEN [SED]: every way works; SED makes of it what the neighbour does.
all_run() {
	local way
	for way in "${!ways[@]}"; do
		runs "$way: $1" bash -c "$(sed "${2-}" <<<"${ways[$way]}")"
	done
}

all_refused() {
	local way
	for way in "${!ways[@]}"; do
		is_denied "$way: refused while loaded" bash -c "${ways[$way]}"
	done
}

# prove POLICY: every way works before, is refused while loaded, not for the neighbour, works after.
prove() {
	all_run "works before"
	load "$1"
	all_refused
	all_run "its neighbour runs" 's/banned/neighbour/g'
	unload
	all_run "works after"
}

# limit WHAT COMMAND [ARG]...: debar does not stop this, and the README says so. Should it one day,
# then that is news, and this test fails.
limit() {
	local what=$1
	shift
	runs "STATED LIMIT: $what" "$@"
}

# refused_while_loaded WHAT POLICY COMMAND NEIGHBOUR: the proof that a refusal is debar's and hits
# nothing else. Both commands are lines of shell.
refused_while_loaded() {
	runs "$1: works before" bash -c "$3"
	load "$2"
	is_denied "$1: refused while loaded" bash -c "$3"
	runs "$1: its neighbour runs" bash -c "$4"
	unload
	runs "$1: works after" bash -c "$3"
}

# scratch KIND: an empty directory on tmpfs, ext4 or overlay; its path in $scratch.
scratch() {
	scratch=$work/$1
	case $1 in
	tmpfs) mkdir -p "$scratch" ;;
	ext4)
		scratch=$(mktemp -d /mnt/ext4/XXXXXX)
		at_exit "rm -rf $scratch"
		;;
	overlay)
		mkdir -p "$scratch" "$work"/layers/{lower,upper,work}
		modprobe overlay
		mount -t overlay overlay "$scratch" \
			-o "lowerdir=$work/layers/lower,upperdir=$work/layers/upper,workdir=$work/layers/work"
		at_exit "umount -l $scratch"
		;;
	esac
}
