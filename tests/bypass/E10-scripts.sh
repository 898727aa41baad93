#!/bin/bash
# SPDX-License-Identifier: MIT
# E10: scripts: a banned interpreter, a banned script; and what an interpreter merely reads.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

act=$(realpath build/tests/kernel/act)
cp /usr/bin/bash "$work/sh-banned" && printf b >>"$work/sh-banned"
cp /usr/bin/bash "$work/sh-neighbour" && printf n >>"$work/sh-neighbour"
printf '#!%s\nexit 0\n' "$work/sh-banned" >"$work/by-banned"
printf '#!%s\nexit 0\n' "$work/sh-neighbour" >"$work/by-neighbour"
printf '#!/usr/bin/bash\nexit 0 # b\n' >"$work/banned"
printf '#!/usr/bin/bash\nexit 0 # n\n' >"$work/neighbour"
printf '#!/usr/bin/env %s\nexit 0\n' "$work/sh-banned" >"$work/env-banned"
printf '#!/usr/bin/env %s\nexit 0\n' "$work/sh-neighbour" >"$work/env-neighbour"
chmod 755 "$work"/*
ways=(
	[banned interpreter]="$work/by-banned"
	[banned interpreter, through env]="$work/env-banned"
	[banned script]="$work/banned"
	[banned script, by descriptor]="$act procfd $work/banned"
)
if $act check "$work/neighbour" 2>/dev/null; then
	ways[banned script, asked about by AT_EXECVE_CHECK]="$act check $work/banned"
else
	skip "AT_EXECVE_CHECK" "this kernel has none"
fi
prove "$(ban "$work/banned" "$work/sh-banned")"
load "$(ban "$work/banned" "$work/sh-banned")"
limit "sh SCRIPT reads the script, nobody executes it" bash "$work/banned"
done_testing
