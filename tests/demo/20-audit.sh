# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The same policy, watching only; then what was told of both.
cd /tmp || exit
title "Watch first: --audit refuses nothing and tells the same"
show debar load -p ban.yaml --audit
expect ok
show ./banned-tool --version '|' head -n 1
expect ok "it runs"
title "What happened, for a person"
show debar events
expect ok
title "and for a program: Elastic Common Schema, one object a line"
show "debar events --json | jq -c '{at: .\"@timestamp\", event: .event.outcome, file: .file.path, rule: .rule.id, by: .process.name}'"
expect ok
title "And off again"
show debar unload
expect ok
show ./banned-tool --version '|' head -n 1
expect ok "it runs"
cd /debar || exit
