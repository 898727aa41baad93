/* SPDX-License-Identifier: MIT */
/* certificate: what a rule asks of a signer's certificate. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/objects.h>

#include "policy/digest.h"
#include "policy/parse.h"
#include "policy/value.h"

#define ATTRIBUTES_MAX 32
#define VALUES_MAX 256
#define SERIAL_MAX 64

/* Short names as OpenSSL has them; a dotted OID is allowed for the rest. */
static const char *const attribute_names[] = {
	"CN",
	"C",
	"L",
	"ST",
	"O",
	"OU",
	"serialNumber",
	"street",
	"postalCode",
	"title",
	"SN",
	"GN",
	"DC",
	"UID",
	"emailAddress",
	"name",
	"businessCategory",
	"organizationIdentifier",
	"jurisdictionL",
	"jurisdictionST",
	"jurisdictionC",
};
static const struct words attributes = { sizeof(attribute_names) / sizeof(attribute_names[0]),
					 attribute_names };

/* The value, or values, of one attribute. */
struct values {
	size_t count;
	const char *texts[VALUES_MAX];
};

static int parse_value(struct parse *p, const char *name, void *object)
{
	struct values *values = object;

	if (values->count == VALUES_MAX)
		return yaml_fail(p->yaml, "\"%s\" has more than %d values", name, VALUES_MAX);
	return parse_prose(p, name, 256, &values->texts[values->count++]);
}

static int parse_values(struct parse *p, const char *name, struct policy_attribute_rule *ret_rule)
{
	struct values values = {};
	int err = yaml_is(p->yaml, YAML_SEQUENCE_START_EVENT) ?
			  parse_sequence(p, name, parse_value, &values) :
			  parse_value(p, name, &values);

	if (err)
		return err;
	ret_rule->values = model_alloc(p->policy, values.count * sizeof(values.texts[0]));
	if (!ret_rule->values)
		return -ENOMEM;
	memcpy(ret_rule->values, values.texts, values.count * sizeof(values.texts[0]));
	ret_rule->value_count = values.count;
	return 0;
}

/* A dotted OID becomes the short name that the facts of a certificate use. */
static const char *oid_name(struct parse *p, const char *text)
{
	int nid;

	if (text[strspn(text, "0123456789.")] || !strchr(text, '.'))
		return NULL;
	nid = OBJ_txt2nid(text);
	return nid == NID_undef ? model_string(p->policy, text, strlen(text)) : OBJ_nid2sn(nid);
}

static int attribute_name(struct parse *p, const char *part, const char **ret_name)
{
	const char *text, *nearest;
	int word, err;

	if (!yaml_is(p->yaml, YAML_SCALAR_EVENT))
		return yaml_fail(p->yaml, "a key of %s must be a word", part);
	err = parse_string(p, part, 64, &text);
	if (err)
		return err;
	word = words_find(&attributes, text);
	*ret_name = word >= 0 ? attribute_names[word] : oid_name(p, text);
	if (*ret_name)
		return 0;
	nearest = words_nearest(&attributes, text);
	if (nearest)
		return yaml_fail(p->yaml, "unknown attribute \"%s\" in %s; did you mean \"%s\"?",
				 text, part, nearest);
	return yaml_fail(p->yaml,
			 "unknown attribute \"%s\" in %s; use a short name such as CN, O, OU, C, "
			 "serialNumber, or a dotted OID",
			 text, part);
}

static int parse_name(struct parse *p, const char *part, size_t *ret_count,
		      struct policy_attribute_rule **ret_rules)
{
	struct policy_place at = parse_place(p);
	struct policy_attribute_rule rules[ATTRIBUTES_MAX];
	size_t count = 0;
	int err;

	if (!yaml_is(p->yaml, YAML_MAPPING_START_EVENT))
		return yaml_fail(p->yaml, "\"%s\" must be a mapping such as { O: Example Corp }",
				 part);
	for (;; count++) {
		err = yaml_next(p->yaml);
		if (err)
			return err;
		if (yaml_is(p->yaml, YAML_MAPPING_END_EVENT))
			break;
		if (count == ATTRIBUTES_MAX)
			return yaml_fail(p->yaml, "%s has more than %d attributes", part,
					 ATTRIBUTES_MAX);
		err = attribute_name(p, part, &rules[count].name);
		if (err)
			return err;
		for (size_t i = 0; i < count; i++)
			if (strcmp(rules[i].name, rules[count].name) == 0)
				return yaml_fail(p->yaml, "\"%s\" is given twice; give it a list",
						 rules[i].name);
		err = yaml_next(p->yaml);
		if (!err)
			err = parse_values(p, rules[count].name, &rules[count]);
		if (err)
			return err;
	}
	if (!count)
		return policy_fail(p->error, at.file, at.line, at.column,
				   "\"%s\" asks nothing; name an attribute", part);
	*ret_rules = model_alloc(p->policy, count * sizeof(rules[0]));
	if (!*ret_rules)
		return -ENOMEM;
	memcpy(*ret_rules, rules, count * sizeof(rules[0]));
	*ret_count = count;
	return 0;
}

static int parse_subject(struct parse *p, const char *name, void *object)
{
	struct policy_certificate *certificate = object;

	return parse_name(p, name, &certificate->subject_count, &certificate->subject);
}

static int parse_issuer(struct parse *p, const char *name, void *object)
{
	struct policy_certificate *certificate = object;

	return parse_name(p, name, &certificate->issuer_count, &certificate->issuer);
}

static int parse_serial(struct parse *p, const char *name, void *object)
{
	struct policy_certificate *certificate = object;
	const char *text;
	char lower[SERIAL_MAX + 1];
	size_t len;
	int err = parse_string(p, name, SERIAL_MAX, &text);

	if (err)
		return err;
	if (strchr(text, ':') || strncmp(text, "0x", 2) == 0)
		return yaml_fail(p->yaml, "write a serial as hex digits alone, without : or 0x");
	if (text[strspn(text, "0123456789abcdefABCDEF")])
		return yaml_fail(p->yaml, "serial: \"%s\" is not hexadecimal", text);
	while (text[0] == '0' && text[1])
		text++;
	len = strlen(text);
	for (size_t i = 0; i <= len; i++)
		lower[i] = text[i] >= 'A' && text[i] <= 'F' ? (char)(text[i] + 'a' - 'A') : text[i];
	certificate->serial = model_string(p->policy, lower, len);
	return certificate->serial ? 0 : -ENOMEM;
}

static int parse_digest(struct parse *p, const char *name, size_t len, uint8_t *ret_digest,
			bool *ret_has)
{
	int err = parse_scalar(p, name);

	if (err)
		return err;
	if (yaml_len(p->yaml) != 2 * len)
		return yaml_fail(p->yaml, "\"%s\" has %zu hex digits, this has %zu characters",
				 name, 2 * len, yaml_len(p->yaml));
	if (!digest_decode(yaml_text(p->yaml), 2 * len, ret_digest))
		return yaml_fail(p->yaml, "%s: \"%s\" is not hexadecimal", name,
				 yaml_text(p->yaml));
	*ret_has = true;
	return 0;
}

static int parse_sha256(struct parse *p, const char *name, void *object)
{
	struct policy_certificate *c = object;

	return parse_digest(p, name, sizeof(c->sha256), c->sha256, &c->has_sha256);
}

static int parse_sha1(struct parse *p, const char *name, void *object)
{
	struct policy_certificate *c = object;

	return parse_digest(p, name, sizeof(c->sha1), c->sha1, &c->has_sha1);
}

static int parse_spki(struct parse *p, const char *name, void *object)
{
	struct policy_certificate *c = object;

	return parse_digest(p, name, sizeof(c->spki_sha256), c->spki_sha256, &c->has_spki_sha256);
}

static int parse_position(struct parse *p, const char *name, void *object)
{
	struct policy_certificate *certificate = object;
	int word = 0, err = parse_word(p, name, &words_positions, &word);

	if (!err)
		certificate->position = (enum policy_position)word;
	return err;
}

static const struct parse_key keys[] = {
	{ "subject", parse_subject },	{ "issuer", parse_issuer }, { "serial", parse_serial },
	{ "sha256", parse_sha256 },	{ "sha1", parse_sha1 },	    { "spki_sha256", parse_spki },
	{ "position", parse_position },
};

int parse_certificate(struct parse *p, const char *name, struct rule_value *ret_value)
{
	struct policy_certificate c = {};
	struct parse_seen seen;
	int err = parse_mapping(p, name, keys, sizeof(keys) / sizeof(keys[0]), &c, &seen);

	if (err)
		return err;
	if (!c.subject_count && !c.issuer_count && !c.serial && !c.has_sha256 && !c.has_sha1 &&
	    !c.has_spki_sha256)
		return policy_fail(
			p->error, seen.at.file, seen.at.line, seen.at.column,
			"the certificate rule asks nothing; give it a subject, an issuer, "
			"a serial or a digest");
	return value_certificate(p->policy, &c, ret_value);
}
