/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "policy/compile.h"
#include "policy/key.h"
#include "policy/value.h"

/* Two exceptions of one ban for one thing: the one that lasts longer. */
static int add_except(void *ctx, const struct debar_key *key)
{
	struct compile *c = ctx;
	struct policy_tables *t = c->tables;
	struct debar_key mine = *key;
	size_t room = c->except_room;
	int err;

	mine.nth = c->exception->ban;
	for (size_t i = 0; i < t->except_count; i++) {
		if (memcmp(&t->except_keys[i], &mine, sizeof(mine)) != 0)
			continue;
		if (t->excepts[i].until < c->exception->until)
			t->excepts[i].until = c->exception->until;
		return 0;
	}
	err = model_grow(&t->except_keys, &room, t->except_count, sizeof(*t->except_keys));
	room = c->except_room;
	if (!err)
		err = model_grow(&t->excepts, &room, t->except_count, sizeof(*t->excepts));
	if (err)
		return err;
	c->except_room = room;
	t->except_keys[t->except_count] = mine;
	t->excepts[t->except_count++].until = c->exception->until;
	return 0;
}

static int add_cgroup(struct compile *c, const struct rule_value *value)
{
	struct policy_tables *t = c->tables;
	int err = model_grow(&t->cgroups, &c->cgroup_room, t->cgroup_count, sizeof(*t->cgroups));

	if (err)
		return err;
	t->cgroups[t->cgroup_count++] = (struct policy_cgroup_except){
		.path = model_bytes(c->policy, value),
		.ban = c->exception->ban,
		.until = c->exception->until,
	};
	return 0;
}

static int add_name_except(struct compile *c, const struct rule_value *value)
{
	struct policy_tables *t = c->tables;
	int err = model_grow(&t->name_excepts, &c->name_except_room, t->name_except_count,
			     sizeof(*t->name_excepts));

	if (err)
		return err;
	t->name_excepts[t->name_except_count++] = (struct policy_name_except){
		.name = model_bytes(c->policy, value),
		.exact = value->flags & RULE_EXACT,
		.ban = c->exception->ban,
		.until = c->exception->until,
	};
	return 0;
}

static int add_network_except(struct compile *c, const struct rule_value *value)
{
	struct network_value network = value_network(c->policy, value);
	struct policy_tables *t = c->tables;
	struct policy_network_except *except;
	int err = model_grow(&t->network_excepts, &c->network_except_room, t->network_except_count,
			     sizeof(*t->network_excepts));

	if (err)
		return err;
	except = &t->network_excepts[t->network_except_count++];
	*except = (struct policy_network_except){
		.family = network.family,
		.prefix = network.prefix,
		.ban = c->exception->ban,
		.until = c->exception->until,
	};
	memcpy(except->address, network.address, sizeof(except->address));
	return 0;
}

int compile_excepts(struct compile *c)
{
	const struct policy *policy = c->policy;
	const struct key_sink sink = { c, add_except };
	int err = 0;

	for (size_t i = 0; !err && i < policy->exception_count; i++) {
		struct rule_value value = model_exception_value(&policy->exceptions[i]);

		c->exception = &policy->exceptions[i];
		if (value.matcher == POLICY_CGROUP)
			err = add_cgroup(c, &value);
		else if (value.matcher == POLICY_DOMAIN)
			err = add_name_except(c, &value);
		else if (value.matcher == POLICY_NETWORK)
			err = add_network_except(c, &value);
		else
			err = key_each(policy, &value, c->facts, &sink);
	}
	return err;
}
