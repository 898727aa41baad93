/* SPDX-License-Identifier: MIT */
/*
 * What a file is: bytes in, keys out. Everything in this directory is pure: it reads through the
 * caller's reader only, prints nothing and keeps no state, and every byte it reads may be hostile.
 *
 * Keys are facts about content. They do not depend on a policy, and a copy has the same ones. That
 * a signature is valid is not asked: for a ban, a forged name only refuses too much.
 */
#ifndef DEBAR_LOADER_IDENTITY_H
#define DEBAR_LOADER_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/abi.h"
#include "policy/policy.h"

/* ---- where the bytes come from ------------------------------------------------------------ */

/* As pread(2), with -errno in place of -1; fewer bytes than asked for only at the end. */
struct identity_reader {
	ssize_t (*pread)(void *ctx, void *buf, size_t len, uint64_t off);
	void *ctx;
	uint64_t size;
};

/* A reader over memory, which has to outlive it. */
struct identity_memory {
	const uint8_t *data;
	size_t len;
};
struct identity_reader identity_memory_reader(struct identity_memory *memory);

/* ---- limits: what is above one sets `overflow`, and a policy can refuse it ----------------- */

#define IDENTITY_SIGNATURE_MAX (16u << 20) /* bytes of one file's signatures */
/*
 * Of these, bytes parsed, nested ones again at each depth. A certificate costs up to 0.2 ms,
 * and somebody may be waiting; with IDENTITY_VERIFY nobody is, and all of them are parsed.
 */
#define IDENTITY_PARSED_MAX (2u << 20)
#define IDENTITY_PRIVATE_MAX (64u << 20) /* bytes of a signed ELF, or of an unpacked module */
#define IDENTITY_ENTRIES_MAX 64		 /* WIN_CERTIFICATE entries of a PE */
#define IDENTITY_DEPTH_MAX 8		 /* signatures inside of signatures */
#define IDENTITY_SIGNERS_MAX 64
#define IDENTITY_CERTS_MAX 64 /* different certificates in signers' chains */

/* ---- what is found ------------------------------------------------------------------------ */

enum identity_type {
	IDENTITY_DATA,	 /* nothing below */
	IDENTITY_SCRIPT, /* begins with #! */
	IDENTITY_ELF,
	IDENTITY_MODULE, /* kernel module, also compressed */
	IDENTITY_PE,
	IDENTITY_DOS, /* MZ without a PE header */
	IDENTITY_DEB,
	IDENTITY_RPM,
	IDENTITY_MSI, /* Windows Installer; signers of other OLE2 documents are read too */
	IDENTITY_TYPE_MAX
};

/* "elf", "module", ...; NULL for a value out of range. */
const char *identity_type_name(enum identity_type type);

/* Does what was signed equal what is there? */
enum identity_check {
	IDENTITY_UNKNOWN, /* cannot be told: no key, or a digest we do not compute */
	IDENTITY_GOOD,
	IDENTITY_BAD,
};

#define IDENTITY_KEYID_MAX 32

/* A certificate of a signer's chain. Names are UTF-8 text, serials lower-case hex. */
struct identity_cert {
	uint8_t *der;
	size_t der_len;
	char *subject; /* RFC 4514 order, ", " between: for people */
	char *issuer;
	char *serial; /* an even number of digits */
	uint8_t sha256[32];
	uint8_t sha1[20];
	uint8_t spki_sha256[32];
	uint8_t keyid[IDENTITY_KEYID_MAX]; /* subject key identifier */
	size_t keyid_len;		   /* 0: the certificate has none */
	int64_t not_before;		   /* UTC seconds since 1970 */
	int64_t not_after;
	size_t subject_count;
	struct policy_attribute *subject_attributes; /* what certificate rules look at */
	size_t issuer_count;
	struct policy_attribute *issuer_attributes;
	struct debar_key issuer_serial; /* as a signature without certificate would have it */
};

struct identity_signer {
	const struct identity_cert *cert; /* NULL: the signature does not carry it */
	size_t chain_count;		  /* the certificate and those above it that were found */
	const struct identity_cert **chain;
	/* What the signature itself says; issuer and serial are "" where it has a key id only. */
	char *issuer;
	char *serial;
	size_t issuer_count;
	struct policy_attribute *issuer_attributes;
	struct debar_key issuer_serial; /* kind NONE where it has a key id only */
	uint8_t keyid[IDENTITY_KEYID_MAX];
	size_t keyid_len;		 /* 0: identified by issuer and serial */
	const char *digest_algorithm;	 /* "sha256"; lives as long as the program */
	const char *signature_algorithm; /* "rsaEncryption"; likewise */
	enum identity_check digest_ok;
	enum identity_check signature_ok; /* UNKNOWN unless IDENTITY_VERIFY was asked for */
	unsigned int depth;		  /* 0: outermost; else nested in another signature */
};

struct identity {
	enum identity_type type;
	uint64_t size;
	bool has_sha256;
	bool has_authenticode; /* all of the PE digests below, signed or not */
	bool has_fsverity;     /* and its digest is a sha256 */
	uint8_t sha256[32];
	uint8_t fsverity[32];
	uint8_t authenticode[32];
	uint8_t authenticode_sha1[20];
	size_t buildid_len; /* 0: none */
	uint8_t *buildid;
	char *package; /* name an installer gives itself, or an ELF's .note.package */
	char *package_version;
	char *package_type;	/* "deb", "rpm": the note's own word, or the installer's */
	size_t signing_key_len; /* OpenPGP key id of an installer's signature, 0: none */
	uint8_t signing_key[32];
	size_t signer_count;
	struct identity_signer *signers;
	size_t cert_count;
	struct identity_cert **certs; /* every certificate of every chain, once */
	/*
	 * Everything but the sha256, which is a key by itself. keys.overflow: there is more than
	 * fits or than was looked at.
	 */
	struct debar_file_keys keys;
	size_t parsed;	     /* bytes of signatures so far, against IDENTITY_PARSED_MAX */
	const char *problem; /* first thing that was wrong with a signature, in words, or NULL */
};

enum identity_flags {
	IDENTITY_SHA256 = 1 << 0, /* also the digest of all bytes, in the same read */
	IDENTITY_VERIFY = 1 << 1, /* also try signatures with their own certificate's key: slower */
};

/*
 * Read one file. -EAGAIN: it changed while it was read; other errors are the reader's, or -ENOMEM.
 * A malformed file is not an error: it has the keys that could be found, and a `problem`.
 */
int identity_read(struct identity **ret_identity, const struct identity_reader *reader,
		  unsigned int flags);
void identity_free(struct identity *identity);

/* One more key, kept once. */
void identity_add_key(struct identity *identity, const struct debar_key *key);

/* What only the kernel can tell of a file, as it told it. Signers and keys are added. */
struct identity_verity {
	unsigned int algorithm; /* FS_VERITY_HASH_ALG_* */
	const uint8_t *digest;
	size_t digest_len;
	const uint8_t *signature; /* the built-in one, or NULL */
	size_t signature_len;
};
int identity_add_verity(struct identity *identity, const struct identity_verity *verity,
			unsigned int flags);

/* The value of the extended attribute security.ima: the key identifier of its signature. */
int identity_add_ima(struct identity *identity, const uint8_t *value, size_t len);

/*
 * The facts a certificate rule is tried on. A certificate is up to three keys: itself, and what a
 * signature that leaves it out would name it by. @ret_facts points into @cert. Returns the number.
 */
size_t identity_cert_facts(const struct identity_cert *cert, struct policy_cert_facts ret_facts[3]);

/* The same for a signer whose certificate is not in the file: 1, or 0 with nothing but a key id. */
size_t identity_signer_facts(const struct identity_signer *signer,
			     struct policy_cert_facts ret_facts[1]);

#endif
