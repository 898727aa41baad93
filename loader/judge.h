/* SPDX-License-Identifier: MIT */
/*
 * What a policy says of a thing at an instant, in the order the kernel has: the same tables, the
 * strictest action, then the first rule; exceptions of a ban speak for that ban only. Exceptions by
 * uid and cgroup hold if the caller, who knows who acts, puts those among the keys.
 */
#ifndef DEBAR_LOADER_JUDGE_H
#define DEBAR_LOADER_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

struct judge;
struct policy_tables;

struct verdict {
	enum debar_action action; /* OFF: allowed */
	bool matched;		  /* some rule names it: the fields below say which */
	bool excepted; /* and an exception lets it pass; or else OFF is what the phase says */
	uint32_t rule; /* ordinal */
	uint8_t ban;
	struct debar_key key; /* what matched; of names and addresses nothing */
};

/* @tables are borrowed. */
int judge_new(struct judge **ret_judge, const struct policy_tables *tables);
void judge_free(struct judge *judge);

/* A file with these keys, acted on at @utc. */
struct verdict judge_file(const struct judge *judge, const struct debar_key *keys, size_t count,
			  int64_t utc);

/*
 * A file whose keys are not known, for the reason that is given: what is banned could be what was
 * not seen, so every ban in force that has rules about files speaks, or chose otherwise. @keys: of
 * the actor, for exceptions.
 */
struct verdict judge_without(const struct judge *judge, enum debar_because because,
			     const struct debar_key *keys, size_t count, int64_t utc);

/* A name in normal form (policy_domain_normalise), or an address of @family 4 or 6. */
struct verdict judge_name(const struct judge *judge, const char *name, int64_t utc);
struct verdict judge_address(const struct judge *judge, uint8_t family, const uint8_t address[16],
			     int64_t utc);

#endif
