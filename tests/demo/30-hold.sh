# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A rule that no digest can keep up with: the controller reads a program while it is held.
cd /tmp || exit
title "Another edition, with other bytes"
cp /usr/bin/nl ./edition-2 && echo 2 >>./edition-2
cat >build.yaml <<EOF
ban: demo
title: Whatever was linked as that tool
rules:
  - buildid: $(debar check --json -p ban.yaml ./edition-2 | jq -r .buildid)
EOF
show cat build.yaml
say "Somebody has to read the file to know its build-id, so a controller runs:"
say "debar run -p build.yaml"
debar run -p build.yaml >run.log 2>&1 </dev/null &
controller=$!
for _ in $(seq 200); do
	debar status >/dev/null 2>&1 && break
	sleep 0.1
done
show ./edition-2 --version
expect refused "never seen before: held, read, refused"
show cp /usr/bin/tac ./other '&&' ./other --version '|' head -n 1
expect ok "held, read, and let go"
show grep denied run.log
expect ok "told as it happened"
kill -TERM $controller && wait $controller
show debar unload
expect ok
cd /debar || exit
