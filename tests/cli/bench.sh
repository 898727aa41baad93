#!/bin/bash
# SPDX-License-Identifier: MIT
# scripts/bench itself: what is a row, what was promised of it, and whether a table says so.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

command -v jq >/dev/null || skip_all "no jq"
mkdir "$work/build"
export BENCH_BUILD=$work/build

row() { # NAME VARIANT UNIT VALUE
	echo "echo '{\"name\": \"$1\", \"variant\": \"$2\", \"kernel\": \"k\", \"unit\": \"$3\", \"value\": $4}'"
}
cat >"$work/made.sh" <<-'HEAD'
	# SPDX-License-Identifier: MIT
	# subject: made up
	# limit: static debar-* +0.4%
	# goal: static debar-* +0.2%
	# limit: static debar-many +1000 over debar-one
	# limit: memory * 130 bytes
	# limit: time read?it 1.5 seconds
HEAD
{
	row static nothing instructions 1000000
	row static debar-one instructions 1003000
	row static debar-many instructions 1004001
	row static debar-fast instructions 1001000
	row memory small bytes 130
	row memory large bytes 131
	row memory large MB 900
	row time 'read it' seconds 1.4
	row time 'read it' 'cpu seconds' 9
	echo 'echo a word on the side'
} >>"$work/made.sh"

exits 0 "a file that runs here" scripts/bench "$work/made.sh"
table=$(tr -s ' ' <<<"$output")
like "$table" '^MADE UP$' "its subject stands above"
like "$table" '^ static nothing 1,000,000 instructions' "the first row, in figures one can read"
like "$table" '^ static debar-one 1,003,000 instructions \+0.3 % <= \+0.4 %, goal <= \+0.2 % yes, goal missed' "a limit met, a goal missed"
like "$table" '^ static debar-many 1,004,001 instructions \+0.4 % <= \+0.4 %, <= \+1,000 over debar-one, goal <= \+0.2 % NO, NO, goal missed' \
	"one too many is too many, of both limits"
like "$table" '^ static debar-fast .* yes, goal met' "a goal met"
like "$table" '^ memory small 130 bytes <= 130 yes' "an amount at its limit"
like "$table" '^ memory large 131 bytes <= 130 NO' "and above it"
like "$table" '^ memory large 900 MB ?$' "not of another unit"
like "$table" '^ time read it 1.4 seconds <= 1.5 yes' "a name with a space"
like "$table" '^ time read it 9 cpu seconds ?$' "whose limit is of its unit alone"
like "$table" '^4 promises met, 3 missed$' "the sum"
like "$errors" '^made: a word on the side$' "what is no row is told apart"
is "$(jq -c '[length, (map(keys) | unique | length), .[0]]' "$work/build/bench.json")" \
	'[9,1,{"name":"static","variant":"nothing","kernel":"k","unit":"instructions","value":1000000}]' \
	"bench.json holds the rows, as they were said"

echo 'exit 3' >>"$work/made.sh"
exits 1 "a file that fails, fails it" scripts/bench "$work/made.sh"
like "$errors" 'made.sh failed' "and is named"
like "$output" 'promises met' "and what it said is shown"
sed -i 's/^exit 3/sleep 60/; 2i # timeout: 1' "$work/made.sh"
exits 1 "a file that takes too long" scripts/bench "$work/made.sh"
exits 2 "a name that is none" scripts/bench nonesuch
like "$errors" 'there is no nonesuch' "is named"
exits 2 "an unknown option" scripts/bench --fast
done_testing
