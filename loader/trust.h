/* SPDX-License-Identifier: MIT */
/*
 * Signed policies. What is signed is a manifest, the sha256 and the name of every file a policy is
 * read from (itself, its includes, its lists), in the form that sha256sum -c reads; the signature
 * is detached CMS in POLICY.sig. Once an anchor lies in TRUST_DIR, a policy that is unsigned,
 * signed by others, expired, or older than one accepted before is not enforced.
 */
#ifndef DEBAR_TRUST_H
#define DEBAR_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

#define TRUST_DIR "/etc/debar/trust.d"	       /* or $DEBAR_TRUST */
#define TRUST_SERIALS "/var/lib/debar/serials" /* or $DEBAR_SERIALS */

/* The files of one policy, as their bytes were when they were parsed. */
struct trust_manifest {
	size_t count, room;
	struct trust_file {
		char *path;
		uint8_t sha256[32];
	} * files;
};

void trust_manifest_release(struct trust_manifest *manifest);
int trust_manifest_add(struct trust_manifest *manifest, const char *path, const char *bytes,
		       size_t len);

/* The text that is signed; malloc'd. */
int trust_manifest_text(const struct trust_manifest *manifest, char **ret_text);

/* Is there an anchor? Negative, with words in @reterr, when the directory cannot be read. */
int trust_required(struct policy_error *reterr);

/* Is @manifest signed, in its first file's .sig, by whom an anchor vouches for? */
int trust_verify(const struct trust_manifest *manifest, struct policy_error *reterr);

/* Write the first file's .sig, or @output when it is not NULL. */
int trust_sign(const struct trust_manifest *manifest, const char *key, const char *certificate,
	       const char *output, struct policy_error *reterr);

/* Neither expired nor older than what was accepted before? */
int trust_fresh(const struct policy *policy, int64_t now, struct policy_error *reterr);

/* Remember the serials of @policy, which is now in force, where an anchor is configured. */
int trust_remember(const struct policy *policy);

#endif
