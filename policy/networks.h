/* SPDX-License-Identifier: MIT */
/* Networks -> the kernel's longest-prefix table, where one node holds all rules that meet its addresses. */
#ifndef DEBAR_POLICY_NETWORKS_H
#define DEBAR_POLICY_NETWORKS_H

#include <stddef.h>

#include "policy/names.h"

/*
 * Add the networks of @tables to @names, their rules behind those that are there; @capacity: of
 * names->rules. -ENOMEM; -E2BIG: a network with more than DEBAR_NET_RULES_MAX rules, those of the
 * networks around it included.
 */
int networks_fill(const struct policy_tables *tables, struct names_tables *names, size_t capacity);

/* ::ffff:0:0/96 and 64:ff9b::/96 become IPv4. @family 4 or 6, @bytes as many as it has. */
struct debar_address networks_address(__u8 family, const __u8 *bytes);

#endif
