/* SPDX-License-Identifier: MIT */
/* ELF files and kernel modules: what is read of them, and how little. */
#include <elf.h>
#include <endian.h>

#include "tests/unit/identity_sample.h"
#include "tests/unit/tap.h"

#define VERIFY IDENTITY_VERIFY

/* A reader that counts. */
struct counted {
	const uint8_t *data;
	size_t len;
	size_t bytes;
	unsigned int reads;
};

static ssize_t counted_pread(void *ctx, void *buf, size_t len, uint64_t off)
{
	struct counted *c = ctx;

	c->reads++;
	if (off >= c->len)
		return 0;
	if (len > c->len - off)
		len = c->len - off;
	memcpy(buf, c->data + off, len);
	c->bytes += len;
	return (ssize_t)len;
}

static struct identity *counted_read(struct counted *c, unsigned int flags)
{
	struct identity_reader reader = { .pread = counted_pread, .ctx = c, .size = c->len };
	struct identity *identity = NULL;

	return identity_read(&identity, &reader, flags) ? NULL : identity;
}

static void test_unsigned(void)
{
	static const uint8_t want[] = {
		0x61, 0x8f, 0xb3, 0x51, 0xc0, 0xd5, 0x7e, 0x09, 0x30, 0x63,
		0x45, 0xea, 0x37, 0x96, 0xf4, 0x0e, 0x1d, 0xa6, 0x73, 0xcc
	};
	struct sample elf = sample_load(SAMPLE "elf/t.so");
	struct counted c = { .data = elf.data, .len = elf.len };
	struct identity *identity = counted_read(&c, 0);

	tap_ok(identity->type == IDENTITY_ELF && !identity->signer_count && !identity->problem,
	       "an unsigned ELF file has no signer");
	tap_ok(identity->buildid_len == sizeof(want) &&
		       !memcmp(identity->buildid, want, sizeof(want)),
	       "its build-id is what readelf says");
	tap_ok(identity->keys.count == 1 &&
		       sample_has_key(identity, DEBAR_KEY_BUILDID, want, sizeof(want)),
	       "the build-id is its one key");
	tap_str(identity->package, "hello", "its note names its package");
	tap_str(identity->package_version, "2.10", "and the version");
	tap_str(identity->package_type, "deb", "and the kind of package");
	tap_ok(c.reads <= 2 && c.bytes <= 4096 + 40,
	       "that cost %u reads of %zu bytes of %zu: header and tail", c.reads, c.bytes,
	       elf.len);
	identity_free(identity);
	free(elf.data);
}

static void test_signed(void)
{
	struct sample elf = sample_load(SAMPLE "elf/ts.so");
	struct counted c = { .data = elf.data, .len = elf.len };
	struct identity *identity = counted_read(&c, VERIFY);

	tap_ok(identity->type == IDENTITY_ELF && identity->signer_count == 1 &&
		       identity->signers->chain_count == 2,
	       "a signed ELF file has its signer and the chain");
	tap_ok(identity->signers->digest_ok == IDENTITY_BAD &&
		       identity->signers->signature_ok == IDENTITY_GOOD,
	       "a signature of something else is one of its signer, and bad");
	tap_ok(identity->buildid_len == 20, "and the build-id is read");
	tap_ok(c.bytes <= elf.len + 4096 + 40, "that cost one read of the whole file");
	identity_free(identity);
	free(elf.data);
}

static void test_modules(void)
{
	static const char *const files[] = { SAMPLE "module/mod.ko", SAMPLE "module/mod.ko.xz",
					     SAMPLE "module/mod.ko.zst",
					     SAMPLE "module/mod.ko.gz" };
	struct debar_key key = {};
	size_t i;

	for (i = 0; i < 4; i++) {
		struct sample ko = sample_load(files[i]);
		struct identity *identity = sample_read(ko.data, ko.len, VERIFY, NULL);

		tap_ok(identity->type == IDENTITY_MODULE && identity->signer_count == 1 &&
			       !identity->signers->cert && identity->keys.count == 1,
		       "%s: a signer without a certificate", files[i]);
		if (!i)
			key = identity->keys.keys[0];
		tap_ok(key.kind == DEBAR_KEY_CERT_ISSUER_SERIAL &&
			       !memcmp(&key, &identity->keys.keys[0], sizeof(key)),
		       "%s: the same key, compressed or not", files[i]);
		identity_free(identity);
		free(ko.data);
	}
}

/* @times the whole signature block of @from behind @data, as the last one on top. */
static uint8_t *append(const struct sample *data, const struct sample *from, unsigned int times,
		       size_t *ret_len)
{
	size_t sig = 40 + ((size_t)from->data[from->len - 32] << 24 |
			   (size_t)from->data[from->len - 31] << 16 |
			   (size_t)from->data[from->len - 30] << 8 | from->data[from->len - 29]);
	uint8_t *all = malloc(data->len + times * sig);
	unsigned int i;

	memcpy(all, data->data, data->len);
	for (i = 0; i < times; i++)
		memcpy(all + data->len + i * sig, from->data + from->len - sig, sig);
	*ret_len = data->len + times * sig;
	return all;
}

static void test_stacked(void)
{
	struct sample two = sample_load(SAMPLE "module/mod2.ko");
	struct sample one = sample_load(SAMPLE "module/mod.ko");
	struct identity *identity = sample_read(two.data, two.len, VERIFY, NULL);
	size_t len;
	uint8_t *all;

	tap_ok(identity->signer_count == 2 && identity->signers[0].keyid_len == 20 &&
		       identity->signers[0].cert && !identity->signers[1].cert,
	       "a signature beneath another is read, and one named by key identifier");
	identity_free(identity);
	all = append(&two, &one, 12, &len);
	identity = sample_read(all, len, 0, NULL);
	tap_ok(identity->keys.overflow && identity->signer_count == 8,
	       "more than 8 signatures appended are an overflow");
	identity_free(identity);
	free(all);
	/* the length of the signature, and its kind */
	one.data[one.len - 32] = 0xff;
	identity = sample_read(one.data, one.len, 0, NULL);
	tap_ok(!identity->signer_count && identity->problem, "a signature larger than its file");
	identity_free(identity);
	one.data[one.len - 32] = 0;
	one.data[one.len - 38] = 1;
	identity = sample_read(one.data, one.len, 0, NULL);
	tap_ok(!identity->signer_count && identity->problem, "a signature of another kind");
	identity_free(identity);
	free(one.data);
	free(two.data);
}

static void test_truncated(void)
{
	static const char *const files[] = { SAMPLE "module/mod2.ko", SAMPLE "module/mod.ko.xz",
					     SAMPLE "module/mod.ko.zst", SAMPLE "module/mod.ko.gz",
					     SAMPLE "elf/t.o" };
	size_t i, len;

	for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct sample ko = sample_load(files[i]);
		size_t wrong = 0;

		for (len = 0; len < ko.len; len++) {
			uint8_t *cut = malloc(len ? len : 1);
			struct identity *identity;
			int err;

			memcpy(cut, ko.data, len);
			identity = sample_read(cut, len, VERIFY, &err);
			wrong += err || (i < 4 && identity->signer_count > 1);
			identity_free(identity);
			free(cut);
		}
		tap_ok(!wrong, "%s, cut at each of %zu bytes, is read", files[i], ko.len);
		free(ko.data);
	}
}

/* A 64 bit ELF file, little or big endian, with one segment of notes. */
static size_t elf_make(uint8_t *buf, bool big, uint64_t notes, uint64_t size, uint64_t count)
{
	Elf64_Ehdr ehdr = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64,
					 big ? ELFDATA2MSB : ELFDATA2LSB, EV_CURRENT } };
	Elf64_Phdr phdr = {};

#define SET16(field, n) field = big ? htobe16(n) : htole16(n)
#define SET32(field, n) field = big ? htobe32(n) : htole32(n)
#define SET64(field, n) field = big ? htobe64(n) : htole64(n)
	SET16(ehdr.e_type, ET_DYN);
	SET32(ehdr.e_version, EV_CURRENT);
	SET64(ehdr.e_phoff, sizeof(ehdr));
	SET16(ehdr.e_ehsize, sizeof(ehdr));
	SET16(ehdr.e_phentsize, sizeof(phdr));
	SET16(ehdr.e_phnum, (uint16_t)count);
	SET32(phdr.p_type, PT_NOTE);
	SET64(phdr.p_offset, notes);
	SET64(phdr.p_filesz, size);
	SET64(phdr.p_align, 4);
	memcpy(buf, &ehdr, sizeof(ehdr));
	memcpy(buf + sizeof(ehdr), &phdr, sizeof(phdr));
	return sizeof(ehdr) + sizeof(phdr);
}

static size_t note_make(uint8_t *at, bool big, const char *name, uint32_t type, const void *desc,
			uint32_t len)
{
	uint32_t head[3];

	SET32(head[0], (uint32_t)strlen(name) + 1);
	SET32(head[1], len);
	SET32(head[2], type);
	memcpy(at, head, 12);
	memset(at + 12, 0, 4);
	memcpy(at + 12, name, strlen(name));
	memcpy(at + 16, desc, len);
	return 16 + ((len + 3u) & ~3u);
}

static void test_notes(void)
{
	static uint8_t buf[300000], long_id[100];
	uint8_t id[20] = { 1, 2, 3 };
	struct identity *identity;
	size_t at, big;

	for (big = 0; big < 2; big++) {
		memset(buf, 0, sizeof(buf));
		at = elf_make(buf, big, 200000, 36, 1);
		note_make(buf + 200000, big, "GNU", NT_GNU_BUILD_ID, id, 20);
		identity = sample_read(buf, sizeof(buf), 0, NULL);
		tap_ok(identity->buildid_len == 20, "%s endian notes far behind are read",
		       big ? "big" : "little");
		identity_free(identity);
	}
	memset(buf, 0, sizeof(buf));
	at = elf_make(buf, false, 120, 400, 1);
	at += note_make(buf + at, false, "XYZ", NT_GNU_BUILD_ID, id, 20);
	at += note_make(buf + at, false, "GNU", NT_GNU_BUILD_ID, id, 20);
	memset(long_id, 7, sizeof(long_id));
	note_make(buf + at, false, "GNU", NT_GNU_BUILD_ID, long_id, sizeof(long_id));
	identity = sample_read(buf, sizeof(buf), 0, NULL);
	tap_ok(identity->buildid_len == 20 && identity->keys.count == 2,
	       "the first build-id stays, every one is a key, another owner's is none");
	identity_free(identity);
	elf_make(buf, false, 120, 400, 60000);
	identity = sample_read(buf, sizeof(buf), 0, NULL);
	tap_ok(!identity->buildid_len, "more headers than the kernel would run are not read");
	identity_free(identity);
	elf_make(buf, false, sizeof(buf) - 8, 400, 1);
	identity = sample_read(buf, sizeof(buf), 0, NULL);
	tap_ok(identity->type == IDENTITY_ELF && !identity->buildid_len,
	       "notes that end behind the file are not read");
	identity_free(identity);
	memset(buf, 0, sizeof(buf));
	at = elf_make(buf, false, 120, 40, 1);
	note_make(buf + at, false, "GNU", NT_GNU_BUILD_ID, id, 20);
	memset(buf + at + 4, 0xff, 4);
	identity = sample_read(buf, sizeof(buf), 0, NULL);
	tap_ok(!identity->buildid_len, "a note of 4 GB is not read");
	identity_free(identity);
}

/* 80 MB of zeroes behind the header of an object file. */
static void test_bomb(void)
{
	struct sample zst = sample_load("tests/data/identity/bomb.ko.zst");
	struct identity *identity = sample_read(zst.data, zst.len, 0, NULL);

	tap_ok(identity->type == IDENTITY_MODULE && identity->keys.overflow &&
		       !identity->signer_count,
	       "%zu bytes that unpack to more than 64 MiB are an overflow", zst.len);
	identity_free(identity);
	free(zst.data);
}

static void test_others(void)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *type;
	} cases[] = {
		{ "", 0, "data" },
		{ "#", 1, "data" },
		{ "#!/bin/sh\n", 10, "script" },
		{ "\177ELF", 4, "elf" },
		{ "\177ELG", 4, "data" },
		{ "M", 1, "data" },
		{ "MZ", 2, "dos" },
		{ "\x1f\x8b\x08", 3, "data" },
		{ "\xfd"
		  "7zXZ\0",
		  6, "data" },
		{ "\x28\xb5\x2f\xfd", 4, "data" },
		{ "!<arch>\n", 8, "data" },
		{ "!<arch>\ndebian-binary", 21, "deb" },
		{ "\xed\xab\xee\xdb", 4, "rpm" },
		{ "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8, "data" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct identity *identity =
			sample_read(cases[i].bytes, cases[i].len, IDENTITY_SHA256 | VERIFY, NULL);

		tap_ok(identity && identity->has_sha256 && !identity->keys.count &&
			       !strcmp(identity_type_name(identity->type), cases[i].type),
		       "%zu bytes, case %zu, are %s", cases[i].len, i, cases[i].type);
		identity_free(identity);
	}
	tap_ok(!identity_type_name(IDENTITY_TYPE_MAX), "there is no further type");
}

int main(void)
{
	test_unsigned();
	test_signed();
	test_modules();
	test_stacked();
	test_truncated();
	test_notes();
	test_bomb();
	test_others();
	return tap_done();
}
