#!/bin/bash
# SPDX-License-Identifier: MIT
# E14: one byte appended or changed.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/../kernel/lib.sh"

make_pair
cp "$work/banned" "$work/appended" && printf x >>"$work/appended"
load "$(ban "$work/banned")"
is_denied "as it is, it is refused" "$work/banned"
limit "one byte more, and a rule by sha256 does not know it" "$work/appended"
unload
done_testing
