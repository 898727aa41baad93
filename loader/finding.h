/* SPDX-License-Identifier: MIT */
/*
 * One thing that was asked about, a file, a name or an address: what it is, what would happen, and
 * why, in one sentence that names the key and the line of the policy.
 */
#ifndef DEBAR_LOADER_FINDING_H
#define DEBAR_LOADER_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "loader/judge.h"
#include "policy/policy.h"

struct examined;
struct packages;

enum finding_kind {
	FINDING_FILE,
	FINDING_NAME,
	FINDING_ADDRESS,
	FINDING_KIND_MAX
};

struct finding {
	enum finding_kind kind;
	const char *text;      /* as it was asked; borrowed */
	struct examined *file; /* of a file */
	char name[256]; /* of a name: in normal form; of an address: as it is usually written */
	uint8_t family; /* of an address: 4 or 6 */
	uint8_t address[16];
	struct verdict verdict;
	enum debar_because without;   /* what decided: a rule, or what is not known of a file */
	const char *ban;	      /* id of the one that decided, of the policy; NULL: none */
	bool known;		      /* `rule` is filled in */
	struct policy_rule_info rule; /* that decided */
	char because[2048];
};

/*
 * What is meant by @text? What exists is a file, and so is what has a slash; then an address; then
 * a name. Reads the file, whose owner is looked up in @packages. On failure *reterr_words says what
 * is wrong.
 */
int finding_read(struct finding *ret_finding, const struct packages *packages, const char *text,
		 const char **reterr_words);
void finding_release(struct finding *finding);

/* Fill in the verdict at @utc and the reason. */
int finding_judge(struct finding *finding, const struct policy *policy, const struct judge *judge,
		  int64_t utc);

/* True when a rule in force at that instant names it: it is denied or audited. */
bool finding_banned(const struct finding *finding);

/* As the contract has it; NULL: out of memory. */
json_t *finding_json(const struct finding *finding);

/* Several lines on stdout. */
void finding_print(const struct finding *finding, bool colour);

#endif
