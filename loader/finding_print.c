/* SPDX-License-Identifier: MIT */
/* A finding for programs, in the keys of the contract, and for people. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "loader/examine.h"
#include "loader/finding.h"
#include "loader/identity/identity.h"
#include "loader/report.h"
#include "policy/cleanup.h"
#include "policy/digest.h"

#define HEX_MAX (2 * 64 + 1)

static const char *verdict_word(const struct finding *finding)
{
	if (!finding_banned(finding))
		return "allow";
	return policy_action_name(finding->verdict.action);
}

/* Certificates are valid in years that nanoseconds do not reach. */
static const char *seconds_format(int64_t utc, char *buf, size_t size)
{
	time_t seconds = (time_t)utc;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || !strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &tm))
		buf[0] = '\0';
	return buf;
}

/* ---- for programs ------------------------------------------------------------------------- */

static json_t *text_or_null(const char *text)
{
	return text ? report_string(text, strlen(text)) : json_null();
}

static json_t *hex_or_null(const uint8_t *bytes, size_t len)
{
	char hex[HEX_MAX];

	if (!bytes || !len || 2 * len + 1 > sizeof(hex))
		return json_null();
	return json_string(digest_encode(bytes, len, hex));
}

static json_t *check_json(enum identity_check check)
{
	return check == IDENTITY_UNKNOWN ? json_null() : json_boolean(check == IDENTITY_GOOD);
}

static json_t *signer_json(const struct identity_signer *signer)
{
	const struct identity_cert *cert = signer->cert;
	char from[40], until[40];

	if (!cert)
		return json_pack("{s:n, s:o, s:o, s:n, s:n, s:n, s:n, s:n, s:o}", "subject",
				 "issuer", text_or_null(signer->issuer[0] ? signer->issuer : NULL),
				 "serial", text_or_null(signer->serial[0] ? signer->serial : NULL),
				 "sha256", "sha1", "spki_sha256", "not_before", "not_after",
				 "digest_ok", check_json(signer->digest_ok));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:s, s:o}", "subject",
			 text_or_null(cert->subject), "issuer", text_or_null(cert->issuer),
			 "serial", text_or_null(cert->serial), "sha256",
			 hex_or_null(cert->sha256, 32), "sha1", hex_or_null(cert->sha1, 20),
			 "spki_sha256", hex_or_null(cert->spki_sha256, 32), "not_before",
			 seconds_format(cert->not_before, from, sizeof(from)), "not_after",
			 seconds_format(cert->not_after, until, sizeof(until)), "digest_ok",
			 check_json(signer->digest_ok));
}

static json_t *file_json(const struct finding *finding)
{
	const struct identity *id = finding->file->identity;
	json_t *signers = json_array();

	for (size_t i = 0; i < id->signer_count; i++)
		json_array_append_new(signers, signer_json(&id->signers[i]));
	return json_pack("{s:o, s:I, s:s, s:o, s:o, s:o, s:o, s:o}", "path",
			 text_or_null(finding->text), "size", (json_int_t)id->size, "type",
			 identity_type_name(id->type), "sha256",
			 hex_or_null(id->has_sha256 ? id->sha256 : NULL, 32), "authenticode",
			 hex_or_null(id->has_authenticode ? id->authenticode : NULL, 32), "buildid",
			 hex_or_null(id->buildid, id->buildid_len), "package",
			 text_or_null(examine_package(finding->file)), "signers", signers);
}

json_t *finding_json(const struct finding *finding)
{
	json_t *json = finding->kind == FINDING_FILE ?
			       file_json(finding) :
			       json_pack("{s:s}",
					 finding->kind == FINDING_NAME ? "name" : "address",
					 finding->name);
	char id[POLICY_VALUE_MAX];
	bool named = finding->known && finding->verdict.matched;

	if (!json)
		return NULL;
	json_object_set_new(json, "verdict", json_string(verdict_word(finding)));
	json_object_set_new(json, "ban", text_or_null(finding->ban));
	json_object_set_new(json, "rule",
			    named ? text_or_null(report_rule_id(&finding->rule, id, sizeof(id))) :
				    json_null());
	json_object_set_new(json, "because", text_or_null(finding->because));
	return json;
}

/* ---- for people --------------------------------------------------------------------------- */

static void put(const char *label, const char *text)
{
	cleanup(json_decrefp) json_t *utf8 = text ? report_string(text, strlen(text)) : NULL;
	cleanup(cleanup_free) char *safe = utf8 ? report_printable(json_string_value(utf8)) : NULL;

	if (safe)
		printf("  %-13s %s\n", label, safe);
}

static void put_hex(const char *label, const uint8_t *bytes, size_t len)
{
	char hex[HEX_MAX];

	if (bytes && len && 2 * len + 1 <= sizeof(hex))
		printf("  %-13s %s\n", label, digest_encode(bytes, len, hex));
}

static void put_size(uint64_t size)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	double scaled = (double)size;
	size_t unit = 0;

	while (scaled >= 1024 && unit < sizeof(units) / sizeof(units[0]) - 1) {
		scaled /= 1024;
		unit++;
	}
	printf("  %-13s %.*f %s\n", "size", unit ? 1 : 0, scaled, units[unit]);
}

static void put_signer(const struct identity_signer *signer)
{
	static const char *const checks[] = {
		[IDENTITY_UNKNOWN] = "digest not checked",
		[IDENTITY_GOOD] = "digest matches the content",
		[IDENTITY_BAD] = "DIGEST DOES NOT MATCH THE CONTENT",
	};
	const struct identity_cert *cert = signer->cert;
	char from[40], until[40], line[128];

	put(signer->depth ? "signer inside" : "signer", cert ? cert->subject : "(no certificate)");
	put("  issuer", cert ? cert->issuer : signer->issuer);
	put("  serial", cert ? cert->serial : signer->serial);
	if (cert) {
		put_hex("  sha256", cert->sha256, 32);
		snprintf(line, sizeof(line), "%.10s to %.10s",
			 seconds_format(cert->not_before, from, sizeof(from)),
			 seconds_format(cert->not_after, until, sizeof(until)));
		put("  valid", line);
	} else {
		put_hex("  key id", signer->keyid, signer->keyid_len);
	}
	put("  signature", checks[signer->digest_ok]);
}

static void put_file(const struct finding *finding)
{
	const struct identity *id = finding->file->identity;

	put("type", identity_type_name(id->type));
	put_size(id->size);
	if (id->has_sha256)
		put_hex("sha256", id->sha256, 32);
	else
		put("sha256", "not read: more than 64 GiB");
	if (id->has_authenticode)
		put_hex("authenticode", id->authenticode, 32);
	put_hex("build-id", id->buildid, id->buildid_len);
	put("package", examine_package(finding->file));
	for (size_t i = 0; i < id->signer_count; i++)
		put_signer(&id->signers[i]);
	put("problem", id->problem);
}

void finding_print(const struct finding *finding, bool colour)
{
	static const char *const words[] = { [DEBAR_OFF] = "allowed",
					     [DEBAR_AUDIT] = "banned, only reported",
					     [DEBAR_DENY] = "denied" };
	static const char *const tints[] = {
		[DEBAR_OFF] = "\033[32m", [DEBAR_AUDIT] = "\033[33m", [DEBAR_DENY] = "\033[31m"
	};
	enum debar_action action = finding_banned(finding) ? finding->verdict.action : DEBAR_OFF;
	cleanup(json_decrefp) json_t *utf8 = report_string(finding->text, strlen(finding->text));
	cleanup(cleanup_free) char *safe = report_printable(json_string_value(utf8));

	printf("%s: %s%s%s\n", safe, colour ? tints[action] : "", words[action],
	       colour ? "\033[0m" : "");
	put("because", finding->because);
	if (finding->kind == FINDING_FILE)
		put_file(finding);
}
