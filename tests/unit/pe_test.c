/* SPDX-License-Identifier: MIT */
/* PE images: their digests, and signatures put where a reader of one entry would not look. */
#include <time.h>

#include "tests/unit/identity_sample.h"
#include "tests/unit/tap.h"

#define VERIFY IDENTITY_VERIFY

/* Of the samples: where the header is, and in it the certificate table's directory entry. */
#define HEADER 64
#define CHECKSUM (HEADER + 88)
#define ENTRY_PE32_PLUS (HEADER + 168)

static void put32(uint8_t *at, uint32_t n)
{
	at[0] = (uint8_t)n;
	at[1] = (uint8_t)(n >> 8);
	at[2] = (uint8_t)(n >> 16);
	at[3] = (uint8_t)(n >> 24);
}

static uint32_t get32(const uint8_t *at)
{
	return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

static void test_signed(void)
{
	struct sample plain = sample_load(SAMPLE "pe/p64.exe");
	struct sample with = sample_load(SAMPLE "pe/p64.a.exe");
	struct identity *a = sample_read(plain.data, plain.len, VERIFY, NULL);
	struct identity *b = sample_read(with.data, with.len, VERIFY | IDENTITY_SHA256, NULL);
	const struct identity_signer *signer = b->signers;

	tap_ok(a->type == IDENTITY_PE && a->has_authenticode && !a->signer_count && !a->problem,
	       "an unsigned image has digests and no signer");
	tap_ok(b->signer_count == 1 && signer->cert && !b->problem, "a signed one has its signer");
	tap_ok(!memcmp(a->authenticode, b->authenticode, 32) &&
		       !memcmp(a->authenticode_sha1, b->authenticode_sha1, 20),
	       "signing changes no Authenticode digest");
	tap_ok(signer->digest_ok == IDENTITY_GOOD && signer->signature_ok == IDENTITY_GOOD,
	       "what was signed is what is there");
	tap_str(signer->cert->subject,
		"CN=AO Example Lab, serialNumber=1027739000000, O=AO Example Lab, C=RU",
		"the subject is readable");
	tap_str(signer->digest_algorithm, "sha256", "the digest's algorithm has its name");
	tap_ok(signer->cert->subject_count == 4 &&
		       !strcmp(signer->cert->subject_attributes[2].name, "serialNumber") &&
		       !strcmp(signer->cert->subject_attributes[2].value, "1027739000000"),
	       "attributes have OpenSSL's short names");
	tap_ok(strlen(signer->serial) % 2 == 0 && !strcmp(signer->serial, signer->cert->serial),
	       "the signature and the certificate say one serial");
	tap_ok(sample_has_key(b, DEBAR_KEY_CERT_LEAF, signer->cert->sha256, 32) &&
		       sample_has_key(b, DEBAR_KEY_CERT_CHAIN, signer->cert->sha256, 32) &&
		       sample_has_key(b, DEBAR_KEY_AUTHENTICODE, b->authenticode, 32) &&
		       sample_has_key(b, DEBAR_KEY_AUTHENTICODE_SHA1, b->authenticode_sha1, 20) &&
		       b->keys.count == 4 && !b->keys.overflow,
	       "its keys: two digests, the certificate as leaf and as part of the chain");
	tap_ok(b->has_sha256 && !a->has_sha256, "the sha256 is there when asked for");
	identity_free(a);
	a = sample_read(with.data, with.len, 0, NULL);
	tap_ok(a->signer_count == 1 && a->signers->digest_ok == IDENTITY_UNKNOWN &&
		       a->keys.count == 4,
	       "without verification the keys are the same and the checks are unknown");
	identity_free(a);
	identity_free(b);
	free(plain.data);
	free(with.data);
}

static void test_odd_size(void)
{
	struct sample plain = sample_load(SAMPLE "pe/odd.exe");
	struct identity *a = sample_read(plain.data, plain.len, 0, NULL), *b;
	size_t padded = (plain.len + 7) & ~(size_t)7;
	uint8_t *more = calloc(1, padded);

	memcpy(more, plain.data, plain.len);
	b = sample_read(more, padded, 0, NULL);
	tap_ok(plain.len % 8 && !memcmp(a->authenticode, b->authenticode, 32),
	       "the padding that signing adds changes no Authenticode digest");
	identity_free(a);
	identity_free(b);
	free(more);
	free(plain.data);
}

static void test_changed(void)
{
	struct sample with = sample_load(SAMPLE "pe/p64.a.exe");
	struct identity *before = sample_read(with.data, with.len, VERIFY, NULL), *after;

	with.data[CHECKSUM] ^= 0xff;
	after = sample_read(with.data, with.len, VERIFY, NULL);
	tap_ok(after->signers->digest_ok == IDENTITY_GOOD &&
		       !memcmp(before->authenticode, after->authenticode, 32),
	       "the checksum is outside of the digest");
	identity_free(after);
	with.data[700] ^= 1;
	after = sample_read(with.data, with.len, VERIFY, NULL);
	tap_ok(after->signer_count == 1 && after->signers->digest_ok == IDENTITY_BAD &&
		       after->signers->signature_ok == IDENTITY_GOOD,
	       "a changed image keeps its signer's name, and its digest is bad");
	tap_ok(memcmp(before->authenticode, after->authenticode, 32),
	       "a changed image has another Authenticode digest");
	identity_free(after);
	with.data[700] ^= 1;
	with.data[with.len - 12] ^= 1;
	after = sample_read(with.data, with.len, VERIFY, NULL);
	tap_ok(after->signer_count == 1 && after->signers->signature_ok != IDENTITY_GOOD,
	       "a forged signature names its signer and is not good");
	identity_free(after);
	identity_free(before);
	free(with.data);
}

static bool names(const struct identity *identity, const char *organisation)
{
	size_t i, j;

	for (i = 0; i < identity->signer_count; i++)
		for (j = 0;
		     identity->signers[i].cert && j < identity->signers[i].cert->subject_count; j++)
			if (!strcmp(identity->signers[i].cert->subject_attributes[j].value,
				    organisation))
				return true;
	return false;
}

static void test_nested(void)
{
	static const char *const files[] = { SAMPLE "pe/p64.ab.exe", SAMPLE "pe/p64.ba.exe" };
	size_t i;

	for (i = 0; i < 2; i++) {
		struct sample with = sample_load(files[i]);
		struct identity *identity = sample_read(with.data, with.len, VERIFY, NULL);

		tap_ok(identity->signer_count == 2 && names(identity, "AO Example Lab") &&
			       names(identity, "Other Signer"),
		       "%s: both signers are found, whichever is outermost", files[i]);
		tap_ok(!identity->signers[0].depth && identity->signers[1].depth == 1,
		       "%s: the second is nested in the first", files[i]);
		tap_ok(identity->signers[0].digest_ok == IDENTITY_GOOD &&
			       identity->signers[1].digest_ok == IDENTITY_GOOD,
		       "%s: both digests are good, sha1, sha256 or sha384", files[i]);
		identity_free(identity);
		free(with.data);
	}
}

/* One WIN_CERTIFICATE behind the other, in place of the one there is. */
static void test_entries(void)
{
	struct sample first = sample_load(SAMPLE "pe/p64.a.exe");
	struct sample second = sample_load(SAMPLE "pe/p32.b.exe");
	uint32_t at = get32(first.data + ENTRY_PE32_PLUS),
		 len = get32(first.data + ENTRY_PE32_PLUS + 4);
	uint32_t at2 = get32(second.data + HEADER + 152), len2 = get32(second.data + HEADER + 156);
	uint8_t *both = calloc(1, first.len + 70 * (size_t)len2), *end = both + at + len;
	struct identity *identity;
	int i;

	memcpy(both, first.data, first.len);
	memcpy(end, second.data + at2, len2);
	put32(both + ENTRY_PE32_PLUS + 4, len + len2);
	identity = sample_read(both, at + len + len2, VERIFY, NULL);
	tap_ok(identity->signer_count == 2 && names(identity, "Other Signer"),
	       "a second entry of the certificate table is read");
	identity_free(identity);
	memset(both + at + 6, 1, 1);
	identity = sample_read(both, at + len + len2, VERIFY, NULL);
	tap_ok(identity->signer_count == 2, "an entry of another type is read all the same");
	identity_free(identity);
	for (i = 0; i < 69; i++)
		memcpy(end + (size_t)i * len2, second.data + at2, len2);
	put32(both + ENTRY_PE32_PLUS + 4, len + 69 * len2);
	identity = sample_read(both, at + len + 69 * len2, 0, NULL);
	tap_ok(identity->keys.overflow && identity->problem && identity->signer_count == 64,
	       "more than 64 entries are an overflow");
	identity_free(identity);
	put32(end, 7);
	identity = sample_read(both, at + len + 69 * len2, 0, NULL);
	tap_ok(identity->signer_count == 1, "an entry too short to be one ends the table");
	identity_free(identity);
	put32(end, 0xfffffff8);
	identity = sample_read(both, at + len + 69 * len2, 0, NULL);
	tap_ok(identity->signer_count == 2 && identity->problem,
	       "an entry of 4 GB is read as far as its table goes");
	identity_free(identity);
	free(both);
	free(first.data);
	free(second.data);
}

struct table_case {
	const char *what;
	uint32_t start;
	uint32_t len;
	bool keeps; /* the signer is still found */
	bool problem;
};

static void test_table(void)
{
	struct sample with = sample_load(SAMPLE "pe/p64.a.exe");
	uint32_t at = get32(with.data + ENTRY_PE32_PLUS),
		 len = get32(with.data + ENTRY_PE32_PLUS + 4);
	const struct table_case cases[] = {
		{ "as it was", at, len, true, false },
		{ "no table", 0, 0, false, false },
		{ "no length", at, 0, false, true },
		{ "no place", 0, len, false, true },
		{ "behind the file", (uint32_t)with.len, len, false, true },
		{ "far behind the file", 0xfffffff0, len, false, true },
		{ "ends behind the file", at, len + 8, true, true },
		{ "4 GB long", at, 0xffffffff, true, true },
		{ "place and length overflow", 0xffffffff, 0xffffffff, false, true },
		{ "over the header", HEADER, len, false, true },
		{ "over the directory", ENTRY_PE32_PLUS, len, false, true },
		{ "begins in the image", at - 8, len + 8, false, true },
		{ "one byte", at, 1, false, false },
		{ "cut", at, len / 2, false, true },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct identity *identity;
		int err;

		put32(with.data + ENTRY_PE32_PLUS, cases[i].start);
		put32(with.data + ENTRY_PE32_PLUS + 4, cases[i].len);
		identity = sample_read(with.data, with.len, VERIFY, &err);
		tap_ok(!err && identity->has_authenticode &&
			       identity->signer_count == cases[i].keeps &&
			       !identity->problem == !cases[i].problem,
		       "certificate table: %s", cases[i].what);
		identity_free(identity);
	}
	free(with.data);
}

static void test_headers(void)
{
	struct sample plain = sample_load(SAMPLE "pe/p64.exe");
	struct identity *identity;
	uint8_t *far;

	identity = sample_read("MZ", 2, VERIFY, NULL);
	tap_ok(identity->type == IDENTITY_DOS && !identity->has_authenticode, "two bytes are DOS");
	identity_free(identity);
	put32(plain.data + 60, 0xfffffff0);
	identity = sample_read(plain.data, plain.len, VERIFY, NULL);
	tap_ok(identity->type == IDENTITY_DOS, "a header behind the file is none");
	identity_free(identity);
	put32(plain.data + 60, HEADER);
	plain.data[HEADER + 24] = 7;
	identity = sample_read(plain.data, plain.len, VERIFY, NULL);
	tap_ok(identity->type == IDENTITY_DOS, "an optional header of a third kind is none");
	identity_free(identity);
	plain.data[HEADER + 24] = 0x0b;
	put32(plain.data + HEADER + 132, 4);
	identity = sample_read(plain.data, plain.len, VERIFY, NULL);
	tap_ok(identity->type == IDENTITY_PE && identity->has_authenticode,
	       "an image without a directory of certificates has its digests");
	identity_free(identity);
	/* The header three reads into the file, and across the border of two reads. */
	far = calloc(1, 800000);
	memcpy(far, plain.data, 64);
	put32(far + 60, 524288 - 100);
	memcpy(far + 524288 - 100, plain.data + HEADER, plain.len - HEADER);
	identity = sample_read(far, 800000, VERIFY, NULL);
	tap_ok(identity->type == IDENTITY_PE, "a header far behind is found");
	identity_free(identity);
	free(far);
	free(plain.data);
}

/* Every prefix of a file is a file: it has an answer, and the answer does not take long. */
static void test_truncated(void)
{
	static const char *const files[] = { SAMPLE "pe/p64.ab.exe", SAMPLE "pe/p32.b.exe",
					     SAMPLE "pe/odd.exe" };
	size_t i, len;

	for (i = 0; i < 3; i++) {
		struct sample with = sample_load(files[i]);
		size_t wrong = 0, complete = 0;

		for (len = 0; len <= with.len; len++) {
			/* Memory of exactly this size: a byte too far is found by the sanitizer. */
			uint8_t *cut = malloc(len ? len : 1);
			struct identity *identity;
			int err;

			memcpy(cut, with.data, len);
			identity = sample_read(cut, len, VERIFY | IDENTITY_SHA256, &err);
			wrong += err || (len < with.len && identity->type != IDENTITY_PE &&
					 identity->type != IDENTITY_DOS &&
					 identity->type != IDENTITY_DATA);
			complete += identity && identity->signer_count == (i == 0 ? 2 : 1);
			identity_free(identity);
			free(cut);
		}
		tap_ok(!wrong, "%s, cut at each of %zu bytes, is read", files[i], with.len);
		tap_ok(i == 2 ? !complete : complete >= 1 && complete < 16,
		       "%s loses its signers when more than padding is cut", files[i]);
		free(with.data);
	}
}

struct changing {
	const uint8_t *data;
	size_t len;
	unsigned int reads;
	unsigned int change_at; /* from this read on, the bytes are others */
	size_t shrink_to;	/* or there are only so many */
};

static ssize_t changing_pread(void *ctx, void *buf, size_t len, uint64_t off)
{
	struct changing *c = ctx;
	size_t end = c->len;

	c->reads++;
	if (c->shrink_to && c->reads >= c->change_at)
		end = c->shrink_to;
	if (off >= end)
		return 0;
	if (len > end - off)
		len = end - off;
	memcpy(buf, c->data + off, len);
	if (!c->shrink_to && c->reads >= c->change_at && len)
		((uint8_t *)buf)[len / 2] ^= 1;
	return (ssize_t)len;
}

static ssize_t broken_pread(void *ctx, void *buf, size_t len, uint64_t off)
{
	(void)ctx, (void)buf, (void)len, (void)off;
	return -EIO;
}

static void test_changing(void)
{
	struct sample with = sample_load(SAMPLE "pe/p64.a.exe");
	struct changing c = { .data = with.data, .len = with.len, .change_at = 2 };
	struct identity_reader reader = { .pread = changing_pread, .ctx = &c, .size = with.len };
	struct identity *identity = NULL;

	tap_int(identity_read(&identity, &reader, VERIFY), -EAGAIN,
		"an image that changes while it is read is refused");
	c = (struct changing){ with.data, with.len, 0, 2, 100 };
	tap_int(identity_read(&identity, &reader, VERIFY), -EAGAIN,
		"an image that becomes shorter while it is read is refused");
	reader.pread = broken_pread;
	tap_int(identity_read(&identity, &reader, VERIFY), -EIO, "the reader's error is handed on");
	free(with.data);
}

int main(void)
{
	test_signed();
	test_odd_size();
	test_changed();
	test_nested();
	test_entries();
	test_table();
	test_headers();
	test_truncated();
	test_changing();
	return tap_done();
}
