#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The manual page, the completion and `debar help` tell of the same verbs and options; every policy
# that the documents show is one that debar accepts, and every file that the README names is there.
set -u
cd "$(dirname "$0")/../.." || exit
# shellcheck source=tests/tap.sh
. tests/tap.sh
page=loader/debar.8
completion=loader/debar.bash-completion

# The synopsis of the page: "run -p --audit ...", one line a verb.
synopsis() {
	awk '$1 == ".Sh" { on = $2 == "SYNOPSIS"; next }
		!on { next }
		$1 == ".Nm" { if (line) print line; line = ""; next }
		$1 == ".Cm" { line = $2 }
		$1 == ".Op" && $2 == "Fl" { line = line " -" $3 }
		END { print line }' "$page"
}

page_verbs=$(synopsis | cut -d' ' -f1 | sort)
[ "$(wc -l <<<"$page_verbs")" -ge 10 ]
passed $? "the synopsis of debar(8) has verbs: ${page_verbs//$'\n'/ }"

completed() { # WORD...: what the completion offers for the last word
	bash -c '. "$0"; COMP_WORDS=(debar "$@"); COMP_CWORD=$#
		compopt() { :; }
		_debar debar "${@: -1}" "${COMP_WORDS[COMP_CWORD - 1]}"
		printf "%s\n" "${COMPREPLY[@]}"' "$completion" "$@" | sort
}

is "$(completed '')" "$page_verbs" "the completion has the verbs of debar(8)"
is "$(completed policy '')" "$(printf '%s\n' check diff explain show sign verify)" \
	"the completion has the verbs of debar policy"
for verb in check show diff explain sign verify; do
	grep -q "^\.It Cm policy $verb" "$page"
	passed $? "debar(8) explains policy $verb"
done
for verb in $page_verbs; do
	grep -qE "^\.It Cm $verb\$" "$page"
	passed $? "debar(8) explains $verb"
	[[ $verb != policy && $verb != help ]] || continue
	is "$(completed "$verb" -)" "$(synopsis | grep "^$verb" | tr ' ' '\n' | sed 1d | sort)" \
		"$verb: completion and synopsis have the same options"
done
for option in $(synopsis | tr ' ' '\n' | grep '^-' | sort -u); do
	grep -qE "^\.It Fl ${option#-}( |\$)" "$page"
	passed $? "debar(8) explains $option"
done

if [ ! -x "$DEBAR" ]; then
	skip "debar help tells the same" "debar is not built"
else
	help=$("$DEBAR" help 2>&1)
	help_verbs=$(sed -nE 's/^  ([a-z]+) .*/\1/p' <<<"$help" | sort)
	for verb in $page_verbs; do
		if [ "$verb" != help ] && ! grep -qx "$verb" <<<"$help_verbs"; then
			skip "debar help tells of $verb, as debar(8) does" "this build has no verb $verb"
		fi
	done
	is "$(grep -vxF "$page_verbs" <<<"$help_verbs")" '' "debar(8) has the verbs of debar help"
	for verb in $help_verbs; do
		strange=''
		for option in $(grep -E "^  $verb " <<<"$help" | grep -oE -- '(^|[[ ])--?[a-z]+' | tr -d '[ '); do
			synopsis | grep "^$verb" | grep -qwF -- "$option" || strange+=" $option"
		done
		[ -z "$strange" ]
		passed $? "$verb: debar(8) has every option that debar help prints$strange"
	done
	strange=''
	for verb in $help_verbs; do
		[[ $("$DEBAR" "$verb" --help 2>&1) == "usage: debar $verb"* ]] || strange+=" $verb"
	done
	is "${strange# }" '' "every verb takes --help"
	# An option that exists is not what the complaint is about when a worse one follows.
	while read -r verb options; do
		[[ $verb != policy && $verb != help ]] || continue
		grep -qx "$verb" <<<"$help_verbs" || continue
		strange=''
		for option in $options; do
			case $option in
			-p) value=$PWD/policy/bans/tiktok.yaml ;;
			--mode) value=auto ;;
			--cgroup) value=/sys/fs/cgroup ;;
			--dns-port) value=5300 ;;
			--for) value=10m ;;
			--at) value=2025-01-01T00:00:00Z ;;
			--scan) value=/nonexistent ;;
			*) value='' ;;
			esac
			words=$("$DEBAR" "$verb" "$option" ${value:+"$value"} --no-such-option 2>&1 </dev/null)
			if [[ $words == *no-such-option* ]]; then
				continue
			elif [[ " --guard --scan " == *" $option "* ]]; then
				skip "$verb takes $option" "this build has no $option"
			else
				strange+=" $option"
			fi
		done
		[ -z "$strange" ]
		passed $? "$verb: takes every option that debar(8) names$strange"
	done < <(synopsis)
fi

# ---- examples ------------------------------------------------------------------------------

if [ ! -x "$DEBAR" ] || ! "$DEBAR" policy check -p tests/data/good/smallest.yaml >/dev/null 2>&1; then
	skip "examples are good policies" "this build has no verb policy check"
else
	for file in tests/data/good/*.yaml; do
		words=$("$DEBAR" policy check -p "$file" 2>&1)
		passed $? "${file##*/} is a good policy"
		[ -z "$words" ] || echo "# ${words//$'\n'/$'\n'# }"
	done
	example=$(mktemp --suffix=.yaml)
	sed -n '/^\.Bd -literal/,/^\.Ed/{/^\./d;p}' policy/debar-policy.5 >"$example"
	[ -s "$example" ] && words=$("$DEBAR" policy check -p "$example" 2>&1)
	passed $? "the example in debar-policy(5) is a good policy"
	[ -z "$words" ] || echo "# ${words//$'\n'/$'\n'# }"
	sed -n '/^.\{3\}yaml$/,/^.\{3\}$/{/^.\{3\}\(yaml\)\?$/d;p}' README.md >"$example"
	[ -s "$example" ] && words=$("$DEBAR" policy check -p "$example" 2>&1)
	passed $? "the example in README.md is a good policy"
	[ -z "$words" ] || echo "# ${words//$'\n'/$'\n'# }"
	rm -f "$example"
fi

missing=''
while read -r file; do
	[ -e "$file" ] || missing+=" $file"
done < <(sed -nE '/^## Where things live/,/^## /s/^    ([a-z]+\/[^ ]*) .*/\1/p' README.md)
is "$missing" '' "every file that README.md names is there"

if command -v mandoc >/dev/null; then
	words=$(mandoc -T lint -W warning "$page" policy/debar-policy.5 2>&1 | grep -v makewhatis)
	is "$words" '' "the manual pages are well formed"
else
	skip "the manual pages are well formed" "mandoc is not installed"
fi
done_testing
