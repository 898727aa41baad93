/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "policy/digest.h"
#include "policy/key.h"

static int send(const struct key_sink *sink, enum debar_key_kind kind, const void *bytes,
		size_t len)
{
	struct debar_key key = { .kind = (__u8)kind };

	memcpy(key.value, bytes, len);
	return sink->key(sink->ctx, &key);
}

static int send_hash(const struct key_sink *sink, enum debar_key_kind kind, const void *bytes,
		     size_t len)
{
	uint8_t digest[32];
	int err = digest_sha256(bytes, len, digest);

	return err ? err : send(sink, kind, digest, sizeof(digest));
}

/* A whole certificate is known as a leaf, and as a link of a chain where the rule looks there. */
static int send_certificate(const struct key_sink *sink, const uint8_t *sha256,
			    enum policy_position position)
{
	int err = send(sink, DEBAR_KEY_CERT_LEAF, sha256, 32);

	if (!err && position == POLICY_POSITION_ANY)
		err = send(sink, DEBAR_KEY_CERT_CHAIN, sha256, 32);
	return err;
}

/* Nothing is asked but the sha256: known before any such certificate was seen. */
static bool only_sha256(const struct policy_certificate *c)
{
	return c->has_sha256 && !c->has_sha1 && !c->has_spki_sha256 && !c->serial &&
	       !c->subject_count && !c->issuer_count;
}

/*
 * By these names a signature that leaves its certificate out would speak of @seen. Whoever makes a
 * certificate chooses its names, so they count where the rule says them itself, or means this very
 * certificate: or else a forged one could have the files of others refused.
 */
static bool is_other_name(const struct policy_certificate *certificate,
			  const struct policy_cert_facts *seen)
{
	if (!seen->sha256)
		return true; /* the signature itself is what was seen */
	if (seen->key.kind == DEBAR_KEY_CERT_ISSUER_SERIAL)
		return certificate->has_sha256 ||
		       (certificate->issuer_count && certificate->serial);
	return seen->key.kind == DEBAR_KEY_CERT_KEYID && certificate->has_sha256;
}

static int each_certificate(const struct policy_certificate *certificate,
			    const struct policy_facts *facts, const struct key_sink *sink)
{
	int err = 0;

	if (only_sha256(certificate))
		err = send_certificate(sink, certificate->sha256, certificate->position);
	for (size_t i = 0; !err && facts && i < facts->cert_count; i++) {
		const struct policy_cert_facts *seen = &facts->certs[i];

		if (!policy_certificate_matches(certificate, seen))
			continue;
		if (seen->sha256 && !only_sha256(certificate))
			err = send_certificate(sink, seen->sha256, certificate->position);
		if (!err && is_other_name(certificate, seen))
			err = sink->key(sink->ctx, &seen->key);
	}
	return err;
}

static bool package_meets(const char *name, size_t len, bool prefix, const char *seen)
{
	return !strncmp(seen, name, len) && (prefix || !seen[len]);
}

static int each_package(const char *name, size_t len, bool prefix, const struct policy_facts *facts,
			const struct key_sink *sink)
{
	int err = prefix ? 0 : send_hash(sink, DEBAR_KEY_PACKAGE, name, len);

	for (size_t i = 0; !err && prefix && facts && i < facts->package_count; i++)
		if (package_meets(name, len, prefix, facts->packages[i]))
			err = send_hash(sink, DEBAR_KEY_PACKAGE, facts->packages[i],
					strlen(facts->packages[i]));
	for (size_t i = 0; !err && facts && i < facts->content_count; i++)
		if (package_meets(name, len, prefix, facts->contents[i].package))
			err = send(sink, DEBAR_KEY_SHA256, facts->contents[i].sha256, 32);
	return err;
}

bool policy_names_package(const struct policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->range_count; i++) {
		const struct range *range = &policy->ranges[i];

		if (range->matcher != POLICY_PACKAGE)
			continue;
		for (uint32_t j = 0; j < range->entries; j++) {
			const struct rule_value *value = &policy->rules[range->first + j].value;

			if (package_meets(model_bytes(policy, value), value->len,
					  value->flags & RULE_PREFIX, name))
				return true;
		}
	}
	return false;
}

int key_each(const struct policy *policy, const struct rule_value *value,
	     const struct policy_facts *facts, const struct key_sink *sink)
{
	const void *bytes = model_bytes(policy, value);
	const struct policy_certificate *certificate;

	switch ((enum policy_matcher)value->matcher) {
	case POLICY_SHA256:
		return send(sink, DEBAR_KEY_SHA256, bytes, 32);
	case POLICY_AUTHENTICODE:
		return send(sink,
			    value->len == 32 ? DEBAR_KEY_AUTHENTICODE : DEBAR_KEY_AUTHENTICODE_SHA1,
			    bytes, value->len);
	case POLICY_CERTIFICATE:
		certificate = model_certificate(policy, value);
		if (!certificate)
			return send_certificate(sink, bytes, POLICY_POSITION_LEAF);
		return each_certificate(certificate, facts, sink);
	case POLICY_BUILDID:
		if (value->len > 32)
			return send_hash(sink, DEBAR_KEY_BUILDID, bytes, value->len);
		return send(sink, DEBAR_KEY_BUILDID, bytes, value->len);
	case POLICY_FSVERITY:
		return send(sink, DEBAR_KEY_FSVERITY, bytes, 32);
	case POLICY_PACKAGE:
		return each_package(bytes, value->len, value->flags & RULE_PREFIX, facts, sink);
	case POLICY_PATH:
		return send_hash(sink, DEBAR_KEY_PATH, bytes, value->len);
	case POLICY_UID:
		return send(sink, DEBAR_KEY_UID, bytes, value->len);
	case POLICY_DOMAIN:
	case POLICY_NETWORK:
	case POLICY_CGROUP:
	case POLICY_MATCHER_MAX:
		return 0;
	}
	return 0;
}
