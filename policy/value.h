/* SPDX-License-Identifier: MIT */
/*
 * The value of a matcher, from its text: the same for a rule, an exception and a line of a list.
 */
#ifndef DEBAR_POLICY_VALUE_H
#define DEBAR_POLICY_VALUE_H

#include "policy/model.h"

#define VALUE_WORDS 320

/*
 * -EINVAL: @words says what is wrong. -ENOMEM, -E2BIG. A certificate's value here is the sha256 of
 * its DER, as in a list; criteria are parsed elsewhere.
 */
int value_parse(struct policy *policy, enum policy_matcher matcher, const char *text, size_t len,
		struct rule_value *ret_value, char words[VALUE_WORDS]);

/* Keep a certificate's criteria. */
int value_certificate(struct policy *policy, const struct policy_certificate *certificate,
		      struct rule_value *ret_value);

struct network_value value_network(const struct policy *policy, const struct rule_value *value);

/* "203.0.113.0/24", or the address alone when it is one. Returns @buf. */
const char *value_network_format(const struct network_value *network, char *buf, size_t size);

#endif
