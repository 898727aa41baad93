/* SPDX-License-Identifier: MIT */
/* Installers at rest: deb, rpm and msi. */
#include "loader/identity/openpgp.h"
#include "tests/unit/identity_sample.h"
#include "tests/unit/tap.h"

static const uint8_t fingerprint[20] = {
	0x26, 0x0f, 0x57, 0xd1, 0x67, 0x06, 0xeb, 0x56, 0x59, 0x49,
	0xbd, 0x23, 0x0f, 0xfb, 0x62, 0x99, 0xa8, 0x70, 0x3a, 0xc5
};

static struct identity *file_read(const char *path, unsigned int flags)
{
	struct sample sample = sample_load(path);
	struct identity *identity = sample_read(sample.data, sample.len, flags, NULL);

	free(sample.data);
	return identity;
}

static void test_names(void)
{
	static const struct {
		const char *file;
		enum identity_type type;
		const char *version;
		const char *kind;
		bool key;
	} cases[] = {
		{ SAMPLE "deb/plain.deb", IDENTITY_DEB, "1:2.3-4", "deb", false },
		{ SAMPLE "deb/acme_gzip.deb", IDENTITY_DEB, "1:2.3-4", "deb", false },
		{ SAMPLE "deb/acme_xz.deb", IDENTITY_DEB, "1:2.3-4", "deb", false },
		{ SAMPLE "deb/acme_zstd.deb", IDENTITY_DEB, "1:2.3-4", "deb", false },
		{ SAMPLE "deb/acme_sig.deb", IDENTITY_DEB, "1:2.3-4", "deb", true },
		{ SAMPLE "rpm/plain.rpm", IDENTITY_RPM, "2.3-4", "rpm", false },
		{ SAMPLE "rpm/signed.rpm", IDENTITY_RPM, "2.3-4", "rpm", true },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct identity *identity = file_read(cases[i].file, 0);

		tap_ok(identity->type == cases[i].type && !identity->problem, "%s has its type",
		       cases[i].file);
		tap_str(identity->package, "acme-agent", "its name");
		tap_str(identity->package_version, cases[i].version, "its version");
		tap_str(identity->package_type, cases[i].kind, "its kind");
		tap_ok(cases[i].key ? identity->signing_key_len == sizeof(fingerprint) &&
					      !memcmp(identity->signing_key, fingerprint,
						      sizeof(fingerprint)) :
				      !identity->signing_key_len,
		       "and %s", cases[i].key ? "the key that gpg signed it with" : "no key");
		tap_ok(identity->keys.count == cases[i].key, "a name is no key of the content");
		tap_ok(identity->signer_count == cases[i].key, "and is signed by nobody else");
		if (cases[i].key)
			tap_str(identity->signers->serial, "0ffb6299a8703ac5", "its key has an id");
		identity_free(identity);
	}
}

static void test_msi(void)
{
	struct identity *identity = file_read(SAMPLE "msi/t.msi", 0);

	tap_ok(identity->type == IDENTITY_MSI && !identity->signer_count && !identity->problem,
	       "an unsigned installer");
	identity_free(identity);
	identity = file_read(SAMPLE "msi/ta.msi", IDENTITY_VERIFY);
	tap_ok(identity->type == IDENTITY_MSI && identity->signer_count == 1 &&
		       identity->signers->cert && identity->keys.count == 2,
	       "a signed one has its signer");
	tap_ok(identity->signers->signature_ok == IDENTITY_GOOD &&
		       identity->signers->digest_ok == IDENTITY_UNKNOWN,
	       "its own digest is not computed, and not claimed");
	identity_free(identity);
	identity = file_read(SAMPLE "msi/tal.msi", 0);
	tap_ok(identity->signer_count == 2 && identity->signers[1].depth == 1 &&
		       identity->signers[1].chain_count == 2,
	       "a nested signature of an installer is read");
	identity_free(identity);
}

static void test_truncated(void)
{
	static const char *const files[] = { SAMPLE "deb/acme_sig.deb", SAMPLE "deb/acme_zstd.deb",
					     SAMPLE "rpm/signed.rpm", SAMPLE "msi/tal.msi",
					     SAMPLE "msi/ta.msi" };
	size_t i, len;

	for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct sample sample = sample_load(files[i]);
		size_t wrong = 0;

		for (len = 0; len < sample.len; len++) {
			uint8_t *cut = malloc(len ? len : 1);
			struct identity *identity;
			int err;

			memcpy(cut, sample.data, len);
			identity = sample_read(cut, len, 0, &err);
			wrong += err != 0;
			identity_free(identity);
			free(cut);
		}
		tap_ok(!wrong, "%s, cut at each of %zu bytes, is read", files[i], sample.len);
		free(sample.data);
	}
}

/* Every 32 bit word in turn with the numbers that parsers trip over. */
static void test_numbers(void)
{
	static const uint32_t numbers[] = { 0, 1, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff };
	static const char *const files[] = { SAMPLE "rpm/signed.rpm", SAMPLE "msi/ta.msi" };
	size_t i, j, at;

	for (i = 0; i < 2; i++) {
		struct sample sample = sample_load(files[i]);
		size_t wrong = 0;

		for (at = 0; at + 4 <= sample.len; at += 4) {
			uint8_t kept[4];

			memcpy(kept, sample.data + at, 4);
			for (j = 0; j < sizeof(numbers) / sizeof(*numbers); j++) {
				struct identity *identity;
				int err;

				memcpy(sample.data + at, &numbers[j], 4);
				identity = sample_read(sample.data, sample.len, 0, &err);
				wrong += err != 0;
				identity_free(identity);
			}
			memcpy(sample.data + at, kept, 4);
		}
		tap_ok(!wrong, "%s with wrong numbers in it is read", files[i]);
		free(sample.data);
	}
}

static void test_bad_deb(void)
{
	static const char *const bad[] = {
		"!<arch>\ndebian-binary   0           0     0     100644  99999     `\n2.0\n",
		"!<arch>\ndebian-binary   0           0     0     100644  -4        `\n2.0\n",
		"!<arch>\ndebian-binary   0           0     0     100644  4         ..2.0\n",
		"!<arch>\ndebian-binary   0           0     0     100644  4         `\n2.0\n"
		"control.tar.xz  0           0     0     100644  4         `\nabcd",
		"!<arch>\ndebian-binary   0           0     0     100644  4         `\n2.0\n"
		"control.tar     0           0     0     100644  4         `\nabcd",
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct identity *identity = sample_read(bad[i], strlen(bad[i]), 0, NULL);

		tap_ok(identity && identity->type == IDENTITY_DEB && !identity->package &&
			       identity->problem,
		       "a broken Debian package %zu has a problem and no name", i);
		identity_free(identity);
	}
}

static void test_openpgp(void)
{
	uint8_t key[OPENPGP_KEY_MAX];
	static const uint8_t v3[] = { 0x88, 0x0f, 3, 5, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8 };
	static const uint8_t v4[] = { 0xc2, 18, 4, 0, 1, 8, 0, 0, 0, 10,
				      9,    16, 1, 2, 3, 4, 5, 6, 7, 8 };
	static const uint8_t other[] = { 0x88 ^ 0x10, 1, 3 };
	size_t len;

	tap_int((long long)openpgp_signer(v3, sizeof(v3), key), 8, "an old signature has a key id");
	tap_ok(key[0] == 1 && key[7] == 8, "which is the right one");
	tap_int((long long)openpgp_signer(v4, sizeof(v4), key), 8,
		"a key id among unhashed subpackets is found");
	tap_int((long long)openpgp_signer(other, sizeof(other), key), 0, "a key is no signature");
	for (len = 0; len < sizeof(v4) && !openpgp_signer(v4, len, key); len++)
		;
	tap_ok(len == sizeof(v4), "what is cut has no signer");
}

int main(void)
{
	test_names();
	test_msi();
	test_truncated();
	test_numbers();
	test_bad_deb();
	test_openpgp();
	return tap_done();
}
