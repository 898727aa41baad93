/* SPDX-License-Identifier: MIT */
/*
 * The inside of struct policy, for the files of policy/ only. A rule is 16 bytes and its value
 * lies in one growing buffer, so that a list of a million lines costs no allocation a line. What
 * only a written rule has (its place, its note) is kept once a range of ordinals.
 */
#ifndef DEBAR_POLICY_MODEL_H
#define DEBAR_POLICY_MODEL_H

#include "policy/policy.h"

enum rule_flags {
	RULE_EXACT = 1 << 0,  /* domain: this name only */
	RULE_PREFIX = 1 << 1, /* package: what begins so; path: what is below */
};

/* A matcher and its value: what rules and exceptions have in common. */
struct rule_value {
	uint32_t offset; /* into policy->values */
	uint16_t len;
	uint8_t matcher; /* enum policy_matcher */
	uint8_t flags;	 /* enum rule_flags */
};

/* One banned value. */
struct rule {
	uint32_t ordinal;
	struct rule_value value;
	uint8_t ban;
	uint8_t exec;	 /* enum debar_action */
	uint8_t network; /* enum debar_action */
	uint8_t pad;
};
_Static_assert(sizeof(struct rule) == 16, "a million rules cost 16 bytes each");

/* One rule as written, or one list: ordinals base .. base + count - 1, a list's are its lines. */
struct range {
	uint32_t base;
	uint32_t count;
	uint32_t first; /* index of its first struct rule; entries are those up to the next range */
	uint32_t entries;
	struct policy_place place; /* of the rule in the policy's text */
	const char *note;
	const char *list; /* the list's path as seen from the policy's directory, or NULL */
	const char *file; /* the list's path as it was read */
	uint8_t ban;
	uint8_t matcher;
	uint8_t exec;
	uint8_t network;
	uint8_t digest[32]; /* sha256 of the list's text */
};

/* The value of a network rule, as kept in policy->values. */
struct network_value {
	uint8_t family; /* 4 or 6 */
	uint8_t prefix;
	uint8_t address[16];
};

struct chunk;

struct policy {
	size_t ban_count, ban_room;
	struct policy_ban *bans;
	size_t rule_count, rule_room;
	struct rule *rules;
	size_t range_count, range_room;
	struct range *ranges;
	size_t exception_count, exception_room;
	struct policy_exception *exceptions;
	size_t cert_count, cert_room;
	struct policy_certificate *certs;
	size_t value_len, value_room;
	uint8_t *values;
	uint32_t ordinals; /* next free */
	struct chunk *chunks;
};

/* Make room for one more element of @size in *@array. 0 or -ENOMEM. */
int model_grow(void *array, size_t *room, size_t count, size_t size);

/* Memory that lives as long as the policy. NULL: none left. */
void *model_alloc(struct policy *policy, size_t size);
const char *model_string(struct policy *policy, const char *text, size_t len);

/* Keep @len bytes as a value. 0 or -ENOMEM, -E2BIG. */
int model_value(struct policy *policy, const void *bytes, size_t len, uint32_t *ret_offset);

/* Room for @count more values of @len bytes in all, so that a list does not grow step by step. */
int model_reserve(struct policy *policy, size_t rules, size_t bytes);

static inline const void *model_bytes(const struct policy *policy, const struct rule_value *value)
{
	return policy->values + value->offset;
}

static inline struct rule_value model_exception_value(const struct policy_exception *exception)
{
	return (struct rule_value){
		.offset = exception->value,
		.len = exception->len,
		.matcher = exception->matcher,
		.flags = exception->flags,
	};
}

/* A certificate rule's criteria; NULL for an entry of a list, which is a sha256 of 32 bytes. */
const struct policy_certificate *model_certificate(const struct policy *policy,
						   const struct rule_value *value);

/* The value as the text writes it, into @buf of POLICY_VALUE_MAX. Returns @buf. */
const char *model_value_format(const struct policy *policy, const struct rule_value *value,
			       char *buf, size_t size);

/* Is @text a value of the subject, of the issuer or of the serial number that the rule asks for? */
bool certificate_asks(const struct policy_certificate *rule, const char *text);

/* The range that holds @ordinal, or NULL. */
const struct range *model_range(const struct policy *policy, uint32_t ordinal);

/* Fill @error in and return -EINVAL. */
__attribute__((format(printf, 5, 6))) int policy_fail(struct policy_error *error, const char *file,
						      unsigned int line, unsigned int column,
						      const char *format, ...);

#endif
