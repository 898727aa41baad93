/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/digest.h"
#include "policy/text.h"
#include "policy/value.h"

#define BUILDID_MIN 8
#define BUILDID_MAX 64

/* What is being parsed, so that the parsers below need few arguments. */
struct parsing {
	struct policy *policy;
	const char *text;
	size_t len;
	struct rule_value *value;
	char *words;
};

__attribute__((format(printf, 2, 3))) static int wrong(struct parsing *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(p->words, VALUE_WORDS, format, args);
	va_end(args);
	return -EINVAL;
}

static int keep(struct parsing *p, const void *bytes, size_t len)
{
	int err = model_value(p->policy, bytes, len, &p->value->offset);

	if (err)
		return err;
	p->value->len = (uint16_t)len;
	return 0;
}

static int parse_hex(struct parsing *p, size_t digits, const char *what)
{
	uint8_t bytes[BUILDID_MAX];
	char shown[64];

	if (!digest_decode(p->text, digits, bytes))
		return wrong(p, "\"%s\" is not hexadecimal",
			     text_shorten(p->text, p->len, shown, sizeof(shown)));
	for (size_t i = 0; i < digits / 2; i++)
		if (bytes[i])
			return keep(p, bytes, digits / 2);
	return wrong(p, "%s of nothing but zeroes", what);
}

static int parse_sha256(struct parsing *p)
{
	if (p->len == 40)
		return wrong(p, "40 hex digits are a sha1; a sha256 has 64");
	if (p->len != 64)
		return wrong(p, "a sha256 has 64 hex digits, this has %zu characters", p->len);
	return parse_hex(p, 64, "a sha256");
}

static int parse_authenticode(struct parsing *p)
{
	if (p->len != 64 && p->len != 40)
		return wrong(p,
			     "an Authenticode digest has 64 hex digits (sha256) or 40 (sha1), this "
			     "has %zu characters",
			     p->len);
	return parse_hex(p, p->len, "a digest");
}

static int parse_buildid(struct parsing *p)
{
	if (p->len % 2 || p->len < 2 * BUILDID_MIN || p->len > 2 * BUILDID_MAX)
		return wrong(p,
			     "a build-id has an even number of hex digits, %d to %d; this has %zu "
			     "characters",
			     2 * BUILDID_MIN, 2 * BUILDID_MAX, p->len);
	return parse_hex(p, p->len, "a build-id");
}

static int parse_fsverity(struct parsing *p)
{
	if (p->len >= 7 && memcmp(p->text, "sha512:", 7) == 0)
		return wrong(p, "only fs-verity digests of sha256 are supported");
	if (p->len < 7 || memcmp(p->text, "sha256:", 7) != 0)
		return wrong(p, "write an fs-verity digest as sha256: and 64 hex digits");
	p->text += 7;
	p->len -= 7;
	return parse_sha256(p);
}

static bool package_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '+' || c == '-' || c == '_';
}

static int parse_package(struct parsing *p)
{
	size_t len = p->len;

	if (len && p->text[len - 1] == '*') {
		p->value->flags |= RULE_PREFIX;
		len--;
	}
	if (!len)
		return wrong(p, p->len ? "\"*\" alone is every package" : "the name is empty");
	if (len > 255)
		return wrong(p, "a package name is at most 255 bytes long");
	for (size_t i = 0; i < len; i++) {
		if (p->text[i] == '*')
			return wrong(p, "* stands only at the end of a package name");
		if (!package_character(p->text[i]))
			return wrong(p, "a package name has letters, digits and . + - _ only");
	}
	return keep(p, p->text, len);
}

/* Absolute, and the only spelling of what it names. */
static const char *path_words(const char *text, size_t len)
{
	if (!len || text[0] != '/')
		return "must begin with /";
	if (len >= POLICY_VALUE_MAX)
		return "is longer than 511 bytes";
	for (size_t i = 0; i < len;) {
		size_t end = i + 1;

		while (end < len && text[end] != '/')
			end++;
		if (end == i + 1 && end < len)
			return "has a doubled /";
		if ((end == i + 2 && text[i + 1] == '.') ||
		    (end == i + 3 && text[i + 1] == '.' && text[i + 2] == '.'))
			return "has . or .. in it; write the path it stands for";
		i = end;
	}
	return NULL;
}

static int parse_path(struct parsing *p)
{
	const char *words = path_words(p->text, p->len);

	if (words)
		return wrong(p, "the path %s", words);
	if (p->len == 1)
		return wrong(p, "/ is every file there is");
	if (p->text[p->len - 1] == '*')
		return wrong(p, "a path has no wildcard; end it with / for everything below");
	if (p->text[p->len - 1] == '/')
		p->value->flags |= RULE_PREFIX;
	return keep(p, p->text, p->len);
}

static int parse_cgroup(struct parsing *p)
{
	const char *words = path_words(p->text, p->len);
	char cgroup[POLICY_VALUE_MAX];

	if (words)
		return wrong(p, "the cgroup %s", words);
	if (p->len == 1)
		return wrong(p, "/ is every cgroup: that would except everything");
	if (p->len > 15 && memcmp(p->text, "/sys/fs/cgroup/", 15) == 0)
		return wrong(p, "write the cgroup as it stands below /sys/fs/cgroup, which is "
				"left out");
	memcpy(cgroup, p->text, p->len);
	cgroup[p->len - (p->text[p->len - 1] == '/')] = '\0';
	/* With its NUL: the tables point here. */
	cgroup[p->len] = '\0';
	return keep(p, cgroup, strlen(cgroup) + 1);
}

static int parse_domain(struct parsing *p)
{
	char name[256];
	const char *words;

	if (p->len && p->text[0] == '=') {
		p->value->flags |= RULE_EXACT;
		p->text++;
		p->len--;
	}
	if (policy_domain_normalise(p->text, p->len, name, &words))
		return wrong(p, "%s", words);
	/* With its NUL: the tables point here. */
	return keep(p, name, strlen(name) + 1);
}

static int parse_prefix(struct parsing *p, const char *slash, int bits, uint8_t *ret_prefix)
{
	size_t len = p->len - (size_t)(slash + 1 - p->text);
	int prefix = 0;

	if (!len || len > 3 || (len > 1 && slash[1] == '0'))
		return wrong(p, "the number after / is the length of a prefix, 0 to %d", bits);
	for (size_t i = 1; i <= len; i++) {
		if (slash[i] < '0' || slash[i] > '9')
			return wrong(p, "the number after / is the length of a prefix, 0 to %d",
				     bits);
		prefix = prefix * 10 + slash[i] - '0';
	}
	if (prefix > bits)
		return wrong(p, "a prefix of this family has at most %d bits", bits);
	*ret_prefix = (uint8_t)prefix;
	return 0;
}

/* Clear what lies behind the prefix; true when there was something. */
static bool clear_host_bits(struct network_value *network)
{
	bool had = false;

	for (unsigned int bit = network->prefix; bit < (network->family == 4 ? 32u : 128u); bit++) {
		uint8_t mask = (uint8_t)(0x80 >> (bit % 8));

		had |= (network->address[bit / 8] & mask) != 0;
		network->address[bit / 8] &= (uint8_t)~mask;
	}
	return had;
}

static bool is_mapped(const struct network_value *network)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return network->family == 6 && network->prefix >= 96 &&
	       memcmp(network->address, mapped, sizeof(mapped)) == 0;
}

static int parse_network(struct parsing *p)
{
	struct network_value network = {};
	const char *slash = memchr(p->text, '/', p->len);
	size_t len = slash ? (size_t)(slash - p->text) : p->len;
	char address[64], shown[80];
	int err;

	if (!len || len >= sizeof(address))
		return wrong(p, "not an address or network");
	memcpy(address, p->text, len);
	address[len] = '\0';
	if (inet_pton(AF_INET, address, network.address) == 1)
		network.family = 4;
	else if (inet_pton(AF_INET6, address, network.address) == 1)
		network.family = 6;
	else if (memchr(address, '%', len))
		return wrong(p, "an address of a policy has no zone: remove %% and what follows");
	else
		return wrong(p, "\"%s\" is not an address (a name belongs to domain:)",
			     text_shorten(address, len, shown, sizeof(shown)));
	network.prefix = network.family == 4 ? 32 : 128;
	if (slash) {
		err = parse_prefix(p, slash, network.prefix, &network.prefix);
		if (err)
			return err;
	}
	if (clear_host_bits(&network))
		return wrong(p, "bits are set behind the prefix; did you mean %s?",
			     value_network_format(&network, shown, sizeof(shown)));
	if (is_mapped(&network)) {
		memmove(network.address, network.address + 12, 4);
		memset(network.address + 4, 0, 12);
		network.family = 4;
		network.prefix -= 96;
	}
	return keep(p, &network, sizeof(network));
}

static int parse_uid(struct parsing *p)
{
	uint64_t uid = 0;
	uint32_t value;

	for (size_t i = 0; i < p->len; i++) {
		if (p->text[i] < '0' || p->text[i] > '9')
			return wrong(p, "a uid is a number; names differ between machines");
		uid = uid * 10 + (uint64_t)(p->text[i] - '0');
		if (uid >= UINT32_MAX)
			return wrong(p, "a uid is at most 4294967294");
	}
	if (!p->len || (p->len > 1 && p->text[0] == '0'))
		return wrong(p, "a uid is a number without leading zeroes");
	value = (uint32_t)uid;
	return keep(p, &value, sizeof(value));
}

int value_parse(struct policy *policy, enum policy_matcher matcher, const char *text, size_t len,
		struct rule_value *ret_value, char words[VALUE_WORDS])
{
	static int (*const parsers[])(struct parsing *) = {
		[POLICY_SHA256] = parse_sha256,	     [POLICY_AUTHENTICODE] = parse_authenticode,
		[POLICY_CERTIFICATE] = parse_sha256, [POLICY_PACKAGE] = parse_package,
		[POLICY_BUILDID] = parse_buildid,    [POLICY_FSVERITY] = parse_fsverity,
		[POLICY_PATH] = parse_path,	     [POLICY_DOMAIN] = parse_domain,
		[POLICY_NETWORK] = parse_network,    [POLICY_UID] = parse_uid,
		[POLICY_CGROUP] = parse_cgroup,
	};
	_Static_assert(sizeof(parsers) / sizeof(parsers[0]) == POLICY_MATCHER_MAX, "no parser");
	struct rule_value value = { .matcher = (uint8_t)matcher };
	struct parsing parsing = {
		.policy = policy, .text = text, .len = len, .value = &value, .words = words
	};
	int err = parsers[matcher](&parsing);

	if (err)
		return err;
	*ret_value = value;
	return 0;
}

int value_certificate(struct policy *policy, const struct policy_certificate *certificate,
		      struct rule_value *ret_value)
{
	struct rule_value value = { .matcher = POLICY_CERTIFICATE, .len = sizeof(uint32_t) };
	uint32_t index = (uint32_t)policy->cert_count;
	int err = model_grow(&policy->certs, &policy->cert_room, policy->cert_count,
			     sizeof(*policy->certs));

	if (!err)
		err = model_value(policy, &index, sizeof(index), &value.offset);
	if (err)
		return err;
	policy->certs[policy->cert_count++] = *certificate;
	*ret_value = value;
	return 0;
}

struct network_value value_network(const struct policy *policy, const struct rule_value *value)
{
	struct network_value network;

	memcpy(&network, model_bytes(policy, value), sizeof(network));
	return network;
}

const char *value_network_format(const struct network_value *network, char *buf, size_t size)
{
	char address[INET6_ADDRSTRLEN];
	int full = network->family == 4 ? 32 : 128;

	if (!inet_ntop(network->family == 4 ? AF_INET : AF_INET6, network->address, address,
		       sizeof(address)))
		address[0] = '\0';
	if (network->prefix == full)
		(void)snprintf(buf, size, "%s", address);
	else
		(void)snprintf(buf, size, "%s/%d", address, network->prefix);
	return buf;
}
