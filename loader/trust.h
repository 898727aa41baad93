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

#include "bpf/abi.h"
#include "policy/policy.h"

#define TRUST_DIR "/etc/debar/trust.d"	       /* or $DEBAR_TRUST */
#define TRUST_SERIALS "/var/lib/debar/serials" /* or $DEBAR_SERIALS */

#define TRUST_ANCHORS_MAX 64

/*
 * From now on nobody vouches but these certificates (sha256 of each), and somebody must: what the
 * guard was armed with. trust_anchors() lists what is configured; how many, or negative.
 */
void trust_only(const struct debar_digest *anchors, size_t count);
bool trust_is_only(void);
int trust_anchors(struct debar_digest ret_anchors[TRUST_ANCHORS_MAX], struct policy_error *reterr);

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
