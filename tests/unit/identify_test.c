/* SPDX-License-Identifier: MIT */
/* Opening what is to be read, what only the kernel tells of a file, and how long it takes. */
#include <time.h>

#include "tests/unit/tap.h"
#include "tests/unit/tools.h"

static void test_special(void)
{
	char path[300];
	int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/fifo", scratch);
	mkfifo(path, 0600);
	tap_int(identify_open(path, &fd), -ENODEV, "a FIFO is refused, and nobody waits");
	tap_int(identify_open("/dev/zero", &fd), -ENODEV, "a device is refused");
	tap_int(identify_open("/", &fd), -EISDIR, "a directory is refused");
	tap_int(identify_open("/nowhere/at/all", &fd), -ENOENT, "what is not there is refused");
	tap_ok(fd == -1, "and no descriptor is handed out");
}

static void test_sparse(void)
{
	struct identity *identity;
	char path[300];
	FILE *file;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/sparse", scratch);
	file = fopen(path, "wb");
	fputs("\177ELF", file);
	fclose(file);
	if (truncate(path, 1ll << 40)) {
		tap_skip("a file of 1 TB", "the file system cannot have it");
		return;
	}
	identify_open(path, &fd);
	tap_ok(!identify_fd(&identity, fd, 0) && identity->type == IDENTITY_ELF &&
		       identity->size == 1ull << 40,
	       "a file of 1 TB is read as far as it has to be");
	identity_free(identity);
	close(fd);
}

/* security.ima and fs-verity, in the kernel's own layout. */
static void test_beside(void)
{
	static const uint8_t ima[] = { 3, 2, 4, 0xde, 0xad, 0xbe, 0xef, 0, 4, 1, 2, 3, 4 };
	static const uint8_t digest[32] = { 1, 2, 3 };
	struct identity_verity verity = { .algorithm = 1, .digest = digest, .digest_len = 32 };
	struct identity *identity = file_read("/bin/ls");
	__u32 before = identity->keys.count;

	tap_ok(!identity_add_ima(identity, ima, sizeof(ima)) &&
		       sample_has_key(identity, DEBAR_KEY_CERT_KEYID, ima + 3, 4),
	       "an IMA signature's key identifier is a key");
	tap_ok(!identity_add_ima(identity, ima, 5) && !identity_add_ima(identity, digest, 32) &&
		       identity->keys.count == before + 1,
	       "a cut one, and a digest, are not");
	tap_ok(!identity_add_verity(identity, &verity, 0) && identity->has_fsverity &&
		       sample_has_key(identity, DEBAR_KEY_FSVERITY, digest, 32),
	       "an fs-verity digest is a key");
	verity.digest_len = 65;
	tap_int(identity_add_verity(identity, &verity, 0), -EINVAL, "one of 65 bytes is none");
	identity_free(identity);
}

/* fs-verity's own tool signs; the kernel hands out what is in the file. */
static void test_verity_signature(void)
{
	struct identity *identity = file_read("/bin/ls");
	struct sample signature;
	struct identity_verity verity = { .algorithm = 1, .digest_len = 32 };
	uint8_t digest[32];
	const char *said;
	char path[300];
	size_t i;

	if (!have("fsverity")) {
		tap_skip("a signature of fs-verity", "fsverity is not installed");
		identity_free(identity);
		return;
	}
	said = output("cd %s && openssl req -x509 -newkey rsa:2048 -nodes -keyout v.key -out v.pem "
		      "-days 9 -subj /CN=Verity " QUIET
		      " && fsverity sign /bin/ls v.sig --key=v.key "
		      "--cert=v.pem | grep -o '[0-9a-f]\\{64\\}'",
		      scratch);
	for (i = 0; i < 32; i++)
		(void)sscanf(said + 2 * i, "%2hhx", &digest[i]);
	(void)snprintf(path, sizeof(path), "%s/v.sig", scratch);
	signature = sample_load(path);
	verity.digest = digest;
	verity.signature = signature.data;
	verity.signature_len = signature.len;
	tap_ok(!identity_add_verity(identity, &verity, IDENTITY_VERIFY) &&
		       identity->signer_count == 1 &&
		       !strcmp(identity->signers->issuer, "CN=Verity"),
	       "a built-in signature has its signer");
	tap_ok(identity->signers->digest_ok == IDENTITY_GOOD || !identity->signers->cert,
	       "and what it signs is the digest");
	identity_free(identity);
	free(signature.data);
}

/* Figures, and a bound so wide that only a change of kind crosses it. */
static void test_speed(void)
{
	struct timespec before, after;
	struct identity *identity;
	long long ns;
	int fd, i;

	identify_open("/bin/ls", &fd);
	for (i = 0; i < 10; i++) {
		(void)identify_fd(&identity, fd, 0);
		identity_free(identity);
	}
	clock_gettime(CLOCK_MONOTONIC, &before);
	for (i = 0; i < 1000; i++) {
		(void)identify_fd(&identity, fd, 0);
		identity_free(identity);
	}
	clock_gettime(CLOCK_MONOTONIC, &after);
	close(fd);
	ns = ((after.tv_sec - before.tv_sec) * 1000000000ll + after.tv_nsec - before.tv_nsec) /
	     1000;
	tap_ok(ns < 1000000, "an unsigned ELF file takes %lld ns, with the sanitizers on", ns);
}

int main(void)
{
	scratch_make();
	test_special();
	test_sparse();
	test_beside();
	test_verity_signature();
	test_speed();
	scratch_remove();
	return tap_done();
}
