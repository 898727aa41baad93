/* SPDX-License-Identifier: MIT */
/*
 * Networks -> the tables of bpf/abi.h. Equal networks share a node; a node has the rules of the networks
 * around it, too, because the kernel's table gives the longest prefix alone.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cleanup.h"
#include "policy/networks.h"
#include "policy/policy.h"

struct debar_address networks_address(__u8 family, const __u8 *bytes)
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const __u8 nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
	struct debar_address address = { .family = family };

	if (family == 6 && (!memcmp(bytes, mapped, 12) || !memcmp(bytes, nat64, 12))) {
		address.family = 4;
		memcpy(address.bytes, bytes + 12, 4);
	} else {
		memcpy(address.bytes, bytes, family == 4 ? 4 : 16);
	}
	return address;
}

struct net_item {
	struct debar_network_key key;
	struct debar_net_rule rule;
};

static int net_compare(const void *a, const void *b)
{
	const struct net_item *x = a, *y = b;
	int order = memcmp(&x->key.address, &y->key.address, sizeof(x->key.address));

	if (order)
		return order;
	if (x->key.prefix != y->key.prefix)
		return x->key.prefix < y->key.prefix ? -1 : 1;
	return (x->rule.rule > y->rule.rule) - (x->rule.rule < y->rule.rule);
}

/* A network within what is IPv4 in disguise becomes IPv4; one around it stays IPv6. */
static struct debar_network_key network_key(__u8 family, __u8 prefix, const __u8 *bytes)
{
	struct debar_network_key key = { .address = networks_address(family, bytes) };

	if (family == 6 && key.address.family == 4 && prefix < 96) {
		key.address.family = 6;
		memcpy(key.address.bytes, bytes, 16);
	}
	if (family == 6 && key.address.family == 4)
		prefix -= 96;
	key.prefix = 32 + prefix;
	return key;
}

static size_t nets_collect(const struct policy_tables *tables, struct net_item *items)
{
	size_t n = 0;

	for (size_t i = 0; i < tables->network_count; i++) {
		const struct policy_network *net = &tables->networks[i];

		items[n++] = (struct net_item){ network_key(net->family, net->prefix, net->address),
						{ .rule = net->match.rule,
						  .ban = net->match.ban,
						  .network = net->match.network } };
	}
	for (size_t i = 0; i < tables->network_except_count; i++) {
		const struct policy_network_except *net = &tables->network_excepts[i];

		items[n++] = (struct net_item){
			network_key(net->family, net->prefix, net->address),
			{ .until = net->until, .ban = net->ban, .flags = DEBAR_NET_EXCEPT }
		};
	}
	qsort(items, n, sizeof(*items), net_compare);
	return n;
}

static bool net_holds(const struct debar_network_key *around, const struct debar_network_key *key)
{
	const __u8 *a = (const __u8 *)&around->address, *b = (const __u8 *)&key->address;
	__u32 whole = around->prefix / 8, rest = around->prefix % 8;

	if (around->prefix > key->prefix || memcmp(a, b, whole))
		return false;
	return !rest || !((a[whole] ^ b[whole]) >> (8 - rest));
}

static int rule_push(struct names_tables *names, size_t *capacity, struct debar_net_rule rule)
{
	if (names->rule_count == *capacity) {
		size_t grown = *capacity * 2 + 64;
		struct debar_net_rule *rules = realloc(names->rules, grown * sizeof(*rules));

		if (!rules)
			return -ENOMEM;
		names->rules = rules;
		*capacity = grown;
	}
	names->rules[names->rule_count++] = rule;
	return 0;
}

/* A node's rules: those of the networks around it, which stand before it, then its own. */
static int node_add(struct names_tables *names, size_t *capacity, const struct net_item *items,
		    size_t count, const __u32 *around, size_t depth)
{
	struct debar_network *node = &names->networks[names->network_count];
	int error;

	*node = (struct debar_network){ .first = names->rule_count };
	names->network_keys[names->network_count++] = items->key;
	if (depth) {
		const struct debar_network outer = names->networks[around[depth - 1]];

		for (__u32 i = 0; i < outer.count; i++) {
			error = rule_push(names, capacity, names->rules[outer.first + i]);
			if (error)
				return error;
		}
	}
	for (size_t i = 0; i < count; i++) {
		error = rule_push(names, capacity, items[i].rule);
		if (error)
			return error;
	}
	node->count = names->rule_count - node->first;
	return node->count > DEBAR_NET_RULES_MAX ? -E2BIG : 0;
}

int networks_fill(const struct policy_tables *tables, struct names_tables *names, size_t capacity)
{
	size_t n = tables->network_count + tables->network_except_count, depth = 0;
	cleanup(cleanup_free) struct net_item *items = calloc(n ? n : 1, sizeof(*items));
	__u32 around[161]; /* of each length one at most */

	names->network_keys = calloc(n ? n : 1, sizeof(*names->network_keys));
	names->networks = calloc(n ? n : 1, sizeof(*names->networks));
	if (!items || !names->network_keys || !names->networks)
		return -ENOMEM;
	n = nets_collect(tables, items);
	for (size_t i = 0, end; i < n; i = end) {
		int error;

		for (end = i + 1;
		     end < n && !memcmp(&items[i].key, &items[end].key, sizeof(items[i].key));)
			end++;
		while (depth && !net_holds(&names->network_keys[around[depth - 1]], &items[i].key))
			depth--;
		error = node_add(names, &capacity, &items[i], end - i, around, depth);
		if (error)
			return error;
		around[depth++] = names->network_count - 1;
	}
	names->head.networks = names->network_count;
	return 0;
}
