/* SPDX-License-Identifier: MIT */
/*
 * The policy: text -> model -> tables. Everything here is pure: files are read by the caller's
 * reader, nothing is printed, nothing needs root. Functions return 0 or -errno; what is wrong with
 * a policy is told in a struct policy_error. Strings and arrays handed out belong to the policy
 * (or to the tables, or to the book) and live as long as it does.
 *
 *	policy_new -> policy_add for every file -> policy_check -> policy_compile -> the kernel
 */
#ifndef DEBAR_POLICY_H
#define DEBAR_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

struct policy;
struct policy_book;

/* Limits of the text. A list may be large; a policy that people review is not. */
#define POLICY_FILE_MAX (16u << 20)
#define POLICY_LIST_MAX (160u << 20)
#define POLICY_RULES_MAX 8000000u
#define POLICY_INCLUDE_DEPTH 8
#define POLICY_VALUE_MAX 512

/* What is wrong, and where; line and column count from 1, 0 where there is no position. */
struct policy_error {
	char file[256];
	unsigned int line;
	unsigned int column;
	char text[512];
};

/* "file:line:column: text" into @buf, as editors want it. Returns @buf. */
const char *policy_error_format(const struct policy_error *error, char *buf, size_t size);

/*
 * How policy_add gets at files. @read returns the whole of @path in one allocation (the policy
 * frees it), or -errno with the words in @reterr->text: -EFBIG when it is larger than @max.
 */
struct policy_reader {
	void *ctx;
	int (*read)(void *ctx, const char *path, size_t max, char **ret_text, size_t *ret_len,
		    struct policy_error *reterr);
};

/* ---- words -------------------------------------------------------------------------------- */

enum policy_matcher {
	POLICY_SHA256,
	POLICY_AUTHENTICODE,
	POLICY_CERTIFICATE,
	POLICY_PACKAGE,
	POLICY_BUILDID,
	POLICY_FSVERITY,
	POLICY_PATH,
	POLICY_DOMAIN,
	POLICY_NETWORK,
	POLICY_UID,    /* exceptions only */
	POLICY_CGROUP, /* exceptions only */
	POLICY_MATCHER_MAX
};

enum policy_act {
	POLICY_ACT_SUPPLY,
	POLICY_ACT_UPDATE,
	POLICY_ACT_INTEGRATE,
	POLICY_ACT_LICENSE,
	POLICY_ACT_RESELL,
	POLICY_ACT_PROCURE,
	POLICY_ACT_OPERATE,
	POLICY_ACT_INSTALL,
	POLICY_ACT_CONNECT,
	POLICY_ACT_USE,
	POLICY_ACT_MAX
};

/* The words of the policy text: "sha256", "deny", "supply". NULL for a value out of range. */
const char *policy_matcher_name(enum policy_matcher matcher);
const char *policy_action_name(enum debar_action action);
const char *policy_act_name(enum policy_act act);
const char *policy_key_kind_name(enum debar_key_kind kind);

/* ---- the model ---------------------------------------------------------------------------- */

/* Where a thing stands in the text. */
struct policy_place {
	const char *file;
	unsigned int line;
	unsigned int column;
};

struct policy_authority {
	const char *id;
	const char *title;
	const char *citation; /* this and below: NULL when not given */
	const char *url;
	const char *binds; /* whom it binds, in words */
	const char *note;
	unsigned int acts; /* bits of enum policy_act: what it prohibits */
};

/* One exception; `matcher` and `value` as in a rule. */
struct policy_exception {
	uint8_t ban;
	uint8_t matcher; /* enum policy_matcher */
	uint8_t flags;	 /* internal */
	uint16_t len;	 /* internal */
	uint32_t value;	 /* internal: where the value is kept */
	int64_t until;	 /* UTC nanoseconds; DEBAR_FOREVER: no end */
	const char *reason;
	const char *owner; /* or NULL */
	struct policy_place place;
};

struct policy_ban {
	const char *id;
	const char *title; /* or NULL */
	struct policy_place place;
	size_t authority_count;
	struct policy_authority *authorities;
	size_t phase_count; /* 0: deny from the start */
	struct debar_phase phases[DEBAR_PHASES_MAX];
	bool unclassified_deny;
	bool oversize_deny;
	bool kill;	/* on_running: kill */
	bool loss_deny; /* on_controller_loss: deny */
	bool learn;
	bool malformed_deny;
	uint64_t serial;		    /* 0: not given */
	int64_t expires;		    /* DEBAR_FOREVER: not given */
	uint32_t rules[POLICY_MATCHER_MAX]; /* how many of each, list entries counted singly */
};

int policy_new(struct policy **ret_policy);
void policy_free(struct policy *policy);

static inline void policy_freep(struct policy **policy)
{
	policy_free(*policy);
}

/* Parse one file, and the includes and lists it names, as one more ban. */
int policy_add(struct policy *policy, const struct policy_reader *reader, const char *path,
	       struct policy_error *reterr);

size_t policy_ban_count(const struct policy *policy);
const struct policy_ban *policy_ban_get(const struct policy *policy, size_t ban);
size_t policy_exception_count(const struct policy *policy);
const struct policy_exception *policy_exception_get(const struct policy *policy, size_t i);

/* The exception's value as the policy text writes it. Returns @buf. */
const char *policy_exception_value(const struct policy *policy,
				   const struct policy_exception *exception, char *buf,
				   size_t size);

/* Bits of enum policy_matcher that some rule or exception uses. */
unsigned int policy_matchers(const struct policy *policy);

/*
 * What its rules about names and addresses, or those about files, say of themselves: bits of enum
 * debar_action, DEBAR_INHERIT for what the phase says. 0: there is no such rule.
 */
unsigned int policy_own_actions(const struct policy *policy, size_t ban, bool network);

/* What the ban does at an instant. Before its first phase: off and off. */
struct debar_phase policy_phase_at(const struct policy_ban *ban, int64_t utc);

/* The phase that begins next after @utc, or NULL. */
const struct debar_phase *policy_phase_next(const struct policy_ban *ban, int64_t utc);

/*
 * What a rule with that word of its own (DEBAR_INHERIT: none) does in a phase: its own word holds in
 * each phase that is not off.
 */
enum debar_action policy_phase_action(const struct debar_phase *phase, bool network,
				      enum debar_action own);

/*
 * From when until when such a rule does what it does at @utc, across phases: INT64_MIN, always so far;
 * DEBAR_FOREVER: no phase changes it.
 */
void policy_phase_span(const struct policy_ban *ban, bool network, enum debar_action own,
		       int64_t utc, int64_t *ret_since, int64_t *ret_until);

/* ---- checks over the whole policy --------------------------------------------------------- */

/* A file the running system cannot do without, with one of its keys. */
struct policy_system_file {
	const char *path;
	const char *package; /* its owner, or NULL: none, or nobody asked yet */
	struct debar_key key;
};

struct policy_checks {
	int64_t now; /* UTC nanoseconds */
	bool force;  /* what is an error unless forced is only a warning */
	/*
	 * An expired exception is a warning, not an error: what loaded yesterday has to load at
	 * today's boot. `policy check` leaves this off, `run`, `load` and `reload` set it.
	 */
	bool expired_passes;
	size_t system_count;
	const struct policy_system_file *system;
	void *ctx;
	/* Called when the first rule of a package is met: fills in `package` of @system. Or NULL. */
	void (*find_packages)(void *ctx);
	void (*warn)(void *ctx, const struct policy_error *warning); /* or NULL */
};

/* Errors that need the whole policy: one ban twice, duplicates, shadowed rules, ... */
int policy_check(const struct policy *policy, const struct policy_checks *checks,
		 struct policy_error *reterr);

/* -EOPNOTSUPP and words when a rule uses a matcher that is not in the mask @supported. */
int policy_unsupported(const struct policy *policy, unsigned int supported,
		       struct policy_error *reterr);

/* ---- certificates ------------------------------------------------------------------------- */

struct policy_attribute {
	const char *name;  /* short name as OpenSSL has it ("O", "serialNumber"), or a dotted OID */
	const char *value; /* UTF-8 */
};

/* One attribute of a rule: the certificate's value must be one of these. */
struct policy_attribute_rule {
	const char *name;
	size_t value_count;
	const char **values;
};

enum policy_position {
	POLICY_POSITION_LEAF,
	POLICY_POSITION_ANY
};

/* What a certificate rule asks; all that is given must match one certificate. */
struct policy_certificate {
	size_t subject_count;
	struct policy_attribute_rule *subject;
	size_t issuer_count;
	struct policy_attribute_rule *issuer;
	const char *serial; /* lower-case hex without leading zeroes, or NULL */
	bool has_sha256, has_sha1, has_spki_sha256;
	uint8_t sha256[32];
	uint8_t sha1[20];
	uint8_t spki_sha256[32];
	enum policy_position position;
};

/* What is known of a certificate, or of a signature that carries none (only issuer and serial). */
struct policy_cert_facts {
	size_t subject_count;
	const struct policy_attribute *subject;
	size_t issuer_count;
	const struct policy_attribute *issuer;
	const char *serial;	    /* hex, any case, or NULL */
	const uint8_t *sha256;	    /* 32 bytes or NULL */
	const uint8_t *sha1;	    /* 20 bytes or NULL */
	const uint8_t *spki_sha256; /* 32 bytes or NULL */
	/*
	 * CERT_LEAF for a whole certificate; ISSUER_SERIAL or KEYID for a signature without one, or for
	 * the name by which such a signature would speak of the certificate with this sha256.
	 */
	struct debar_key key;
};

bool policy_certificate_matches(const struct policy_certificate *rule,
				const struct policy_cert_facts *facts);

/* True when some certificate rule matches; *ret_rule is the ordinal of the first that does. */
bool policy_cert_banned(const struct policy *policy, const struct policy_cert_facts *facts,
			uint32_t *ret_rule);

/* ---- tables ------------------------------------------------------------------------------- */

/* Bytes that are a package's, and nobody else's: a ban of the package is one of them wherever they are. */
struct policy_content {
	const char *package;
	uint8_t sha256[32];
};

/* Does some rule name this package? */
bool policy_names_package(const struct policy *policy, const char *name);

/* What the controller has learnt: rules that need it are compiled against it. */
struct policy_facts {
	size_t cert_count;
	const struct policy_cert_facts *certs;
	size_t package_count;
	const char *const *packages; /* names of packages seen, for rules with a trailing * */
	size_t content_count;
	const struct policy_content *contents;
};

struct policy_name {
	const char *name; /* lower case, ASCII, no trailing dot */
	bool exact;	  /* this name only, not what is below it */
	struct debar_match match;
};

struct policy_network {
	__u8 family; /* 4 or 6 */
	__u8 prefix; /* bits */
	__u8 address[16];
	struct debar_match match;
};

/* Exceptions of names and networks: `match.rule` and the actions are not used. */
struct policy_name_except {
	const char *name;
	bool exact;
	__u8 ban;
	int64_t until;
};

struct policy_network_except {
	__u8 family;
	__u8 prefix;
	__u8 address[16];
	__u8 ban;
	int64_t until;
};

struct policy_cgroup_except {
	const char *path;
	__u8 ban;
	int64_t until;
};

/*
 * What the kernel gets, in the layout of a batch update. Of head, generation and loaded are left
 * for the loader. keys[i] belongs to matches[i]; several matches of one key stand in policy order
 * under nth 0, 1, ... with `more` set on all but the last. Strings belong to the policy.
 */
struct policy_tables {
	struct debar_head head;
	size_t ban_count;
	struct debar_ban *bans;
	size_t key_count;
	struct debar_key *keys;
	struct debar_match *matches;
	size_t except_count;
	struct debar_key *except_keys;
	struct debar_except *excepts;
	size_t cgroup_count;
	struct policy_cgroup_except *cgroups;
	size_t name_count;
	struct policy_name *names;
	size_t network_count;
	struct policy_network *networks;
	size_t name_except_count;
	struct policy_name_except *name_excepts;
	size_t network_except_count;
	struct policy_network_except *network_excepts;
};

/* @facts may be NULL: nothing learnt yet. */
int policy_compile(const struct policy *policy, const struct policy_facts *facts,
		   struct policy_tables **ret_tables, struct policy_error *reterr);
void policy_tables_free(struct policy_tables *tables);

static inline void policy_tables_freep(struct policy_tables **tables)
{
	policy_tables_free(*tables);
}

/* Only the keys and matches that certificate rules get from @facts: what a new certificate adds. */
int policy_compile_certificates(const struct policy *policy, const struct policy_facts *facts,
				struct policy_tables **ret_tables);

/* ---- which rule was that? ----------------------------------------------------------------- */

struct policy_rule_info {
	uint32_t ordinal;
	const char *ban;
	struct policy_place place; /* for an entry of a list: in the list */
	enum policy_matcher matcher;
	enum debar_action exec; /* the rule's own, or INHERIT */
	enum debar_action network;
	const char *note; /* or NULL */
	bool list;	  /* an entry of a list */
	char value
		[POLICY_VALUE_MAX]; /* as the text writes it; "" where the book does not keep it */
};

/* One more than the largest ordinal; comments and empty lines of lists have one too. */
uint32_t policy_ordinals(const struct policy *policy);

/* -ENOENT when no rule has that ordinal. */
int policy_rule(const struct policy *policy, uint32_t ordinal, struct policy_rule_info *ret_rule);

/*
 * A digest of an archive, by the file name in the rule's note: for `check` and for who installs. The
 * kernel executes no archive, so such a rule never matches at exec.
 */
bool policy_rule_archive(const struct policy_rule_info *rule);

/*
 * The rules that ban what @text names: a digest, name, address, path, package or build-id; a name
 * also meets the rules of the names above it, and a value that a certificate rule asks for meets
 * that rule. Ordinals in policy order, at most @max; *ret_count is how many there are.
 */
int policy_find(const struct policy *policy, const char *text, uint32_t *ret_ordinals, size_t max,
		size_t *ret_count);

/* The exception of @ban that covers what @text names and has not ended at @utc, or NULL. */
const struct policy_exception *policy_find_exception(const struct policy *policy, const char *ban,
						     const char *text, int64_t utc);

/*
 * The rule book: what `debar events` and `status` need to name rules when no controller runs,
 * and what a reload compares itself with. Small: a list is one entry, and its values are not in it.
 */
int policy_book_write(const struct policy *policy, char **ret_bytes, size_t *ret_len);
int policy_book_read(const char *bytes, size_t len, struct policy_book **ret_book);
void policy_book_free(struct policy_book *book);

static inline void policy_book_freep(struct policy_book **book)
{
	policy_book_free(*book);
}

int policy_book_rule(const struct policy_book *book, uint32_t ordinal,
		     struct policy_rule_info *ret_rule);
size_t policy_book_ban_count(const struct policy_book *book);
const struct policy_ban *policy_book_ban(const struct policy_book *book, size_t ban);

/*
 * Swap safety: -EPERM and words when @policy, put in the place of @before, loses a ban or more
 * than half of a ban's rules of a kind. Loosening to audit or off is not a loss.
 */
int policy_shrunk(const struct policy_book *before, const struct policy *policy,
		  struct policy_error *reterr);

/* ---- text --------------------------------------------------------------------------------- */

/* The policy in canonical form: every ban, includes flattened, lists by name and digest. */
int policy_print(const struct policy *policy, char **ret_text, size_t *ret_len);

/*
 * One ban whole, to be kept: its canonical text as "ban.yaml", and every list as a file of its own
 * that the text names. @write is called for each; its error ends it.
 */
struct policy_writer {
	void *ctx;
	int (*write)(void *ctx, const char *name, const char *text, size_t len);
};
int policy_save(const struct policy *policy, size_t ban, const struct policy_writer *writer);

/* sha256 of the canonical text. */
int policy_digest(const struct policy *policy, uint8_t ret_digest[32]);

/* What changes from @before to @after, one sentence a line; empty text: nothing. */
int policy_diff(const struct policy *before, const struct policy *after, char **ret_text);

/* RFC 3339 with a zone -> UTC nanoseconds; @ret_words says what is wrong with it. */
int policy_instant_parse(const char *text, int64_t *ret_utc, const char **ret_words);

/* UTC nanoseconds as "2024-09-29T04:00:00Z" into @buf of at least 32 bytes. Returns @buf. */
const char *policy_instant_format(int64_t utc, char *buf, size_t size);

/* A name as rules store it: lower case, IDNA 2008. @ret_words says what is wrong with it. */
int policy_domain_normalise(const char *text, size_t len, char ret_name[256],
			    const char **ret_words);

#endif
