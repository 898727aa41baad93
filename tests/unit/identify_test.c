/* SPDX-License-Identifier: MIT */
/*
 * Files of this machine and files that nobody here made: what is read of them is what the tools of
 * their trades say. A tool or a sample that is not there is a skipped test.
 */
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "loader/identify.h"
#include "loader/identity/package.h"
#include "loader/packages.h"
#include "tests/unit/identity_sample.h"
#include "tests/unit/tap.h"

#define NOTIFIER "build/samples/node-notifier/package/vendor/"
#define PTY "build/samples/node-pty/package/prebuilds/"

static char scratch[] = "/tmp/identify_test.XXXXXX";

/* What a command prints, at most 64 KiB of it; "" when it cannot be run. */
static const char *output(const char *format, ...)
{
	static char text[65536];
	char command[2048];
	va_list args;
	size_t len;
	FILE *pipe;

	va_start(args, format);
	(void)vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	pipe = popen(command, "r"); /* NOLINT(cert-env33-c) */
	len = pipe ? fread(text, 1, sizeof(text) - 1, pipe) : 0;
	text[len] = '\0';
	if (pipe)
		pclose(pipe);
	return text;
}

static bool have(const char *tool)
{
	return *output("command -v %s", tool) != '\0';
}

static const char *hex(const uint8_t *bytes, size_t len, bool upper)
{
	static char text[4][256];
	static unsigned int turn;
	char *at = text[turn++ % 4];
	size_t i;

	for (i = 0; i < len && i < 120; i++)
		(void)sprintf(at + 2 * i, upper ? "%02X" : "%02x", bytes[i]);
	at[2 * i] = '\0';
	return at;
}

static struct identity *file_read(const char *path)
{
	struct identity *identity = NULL;
	int fd = -1;

	if (!identify_open(path, &fd))
		(void)identify_fd(&identity, fd, IDENTITY_SHA256 | IDENTITY_VERIFY);
	if (fd >= 0)
		close(fd);
	if (!identity) {
		printf("Bail out! cannot read %s\n", path);
		exit(1);
	}
	return identity;
}

/* The certificates of a signature, as openssl prints their subjects, digests and serials. */
static void compare_certificates(const struct identity *identity, const char *path)
{
	size_t i;

	for (i = 0; i < identity->cert_count; i++) {
		const struct identity_cert *cert = identity->certs[i];
		char file[300], serial[256];
		const char *said;
		size_t j;
		FILE *der;

		(void)snprintf(file, sizeof(file), "%s/cert.der", scratch);
		der = fopen(file, "wb");
		fwrite(cert->der, 1, cert->der_len, der);
		fclose(der);
		said = output(
			"openssl x509 -inform der -in %s -noout -serial -subject -nameopt "
			"RFC2253,sep_comma_plus_space,utf8,-esc_msb; "
			"openssl x509 -inform der -in %s -noout -fingerprint -sha256 | tr -d :; "
			"openssl x509 -inform der -in %s -noout -fingerprint -sha1 | tr -d :; "
			"openssl x509 -inform der -in %s -noout -pubkey | openssl pkey -pubin "
			"-outform der | openssl dgst -sha256; "
			"date -u -d \"$(openssl x509 -inform der -in %s -noout -enddate | "
			"cut -d= -f2)\" +notAfter=%%s",
			file, file, file, file, file);
		for (j = 0; cert->serial[j]; j++)
			serial[j] = (char)(cert->serial[j] >= 'a' ? cert->serial[j] - 32 :
								    cert->serial[j]);
		serial[j] = '\0';
		tap_ok(strstr(said, hex(cert->sha256, 32, true)) &&
			       strstr(said, hex(cert->sha1, 20, true)) &&
			       strstr(said, hex(cert->spki_sha256, 32, false)) &&
			       strstr(said, serial) && strstr(said, cert->subject),
		       "%s: openssl says the same of certificate %zu, %s", path, i, cert->subject);
		(void)snprintf(file, sizeof(file), "notAfter=%lld\n", (long long)cert->not_after);
		tap_ok(strstr(said, file) != NULL, "%s: and of its last day", path);
	}
}

/* A PE against osslsigncode: its digests and every signer's serial. */
static void compare_pe(const char *path, size_t signers)
{
	struct identity *identity = file_read(path);
	char *said = strdup(output("osslsigncode verify -ignore-crl -in %s 2>&1", path));
	size_t i, counted = 0;
	const char *at;

	tap_ok(identity->type == IDENTITY_PE && identity->signer_count == signers &&
		       !identity->problem,
	       "%s: a PE image with %zu signers", path, signers);
	for (at = said; (at = strstr(at, "Signature Index:")); at++)
		counted++;
	tap_ok(counted == signers, "%s: osslsigncode counts %zu signatures", path, counted);
	if (signers)
		tap_ok(strstr(said, hex(identity->authenticode, 32, true)) ||
			       strstr(said, hex(identity->authenticode_sha1, 20, true)),
		       "%s: osslsigncode calculates one of our digests", path);
	for (i = 0; i < signers; i++) {
		const struct identity_signer *signer = &identity->signers[i];
		uint8_t serial[64];
		size_t len = 0;

		for (; signer->serial[2 * len]; len++)
			(void)sscanf(signer->serial + 2 * len, "%2hhx", &serial[len]);
		tap_ok(strstr(said, hex(serial, len, true)) && signer->cert &&
			       signer->digest_ok == IDENTITY_GOOD &&
			       signer->signature_ok == IDENTITY_GOOD,
		       "%s: osslsigncode names serial %s, and the signature is good", path,
		       signer->serial);
	}
	tap_ok(!strncmp(output("sha256sum %s", path), hex(identity->sha256, 32, false), 64),
	       "%s: sha256sum says the same", path);
	compare_certificates(identity, path);
	identity_free(identity);
	free(said);
}

static void test_samples(void)
{
	struct identity *a, *b;

	if (access(NOTIFIER, R_OK) && system("scripts/samples >&2")) { /* NOLINT(cert-env33-c) */
		tap_skip("files signed by others", "scripts/samples could not fetch them");
		return;
	}
	a = file_read(NOTIFIER "snoreToast/snoretoast-x64.exe");
	tap_str(hex(a->authenticode, 32, false),
		"941b1523eeba8e82b9610aa80dfc610dd23c7ecbd90d706f91f980f5b15c0078",
		"snoretoast-x64 has the digest that is known of it");
	tap_str(a->signers->serial, "087cf87879faa94b9dcaba3c3a8b0d88", "and the serial");
	tap_str(hex(a->signers->cert->sha256, 32, false),
		"dbadb685c32a23a83231b8d6b19eeaf7363a5523ab2928a990ae17f877d42bfa",
		"and the certificate");
	tap_str(a->signers->cert->subject,
		"CN=K Desktop Environment e.V., O=K Desktop Environment e.V., L=Berlin, C=DE",
		"and the subject");
	tap_ok(a->signers->cert->not_after == 1599825600, "which expired on 2020-09-11");
	identity_free(a);
	a = file_read(PTY "win32-x64/conpty/OpenConsole.exe");
	b = file_read(PTY "win32-arm64/conpty/OpenConsole.exe");
	tap_ok(!strcmp(a->signers->cert->subject, b->signers->cert->subject) &&
		       memcmp(a->signers->cert->sha256, b->signers->cert->sha256, 32),
	       "two builds: one subject, two certificates");
	identity_free(a);
	identity_free(b);
	if (!have("osslsigncode")) {
		tap_skip("comparison with osslsigncode", "it is not installed");
		return;
	}
	compare_pe(NOTIFIER "snoreToast/snoretoast-x64.exe", 1);
	compare_pe(NOTIFIER "snoreToast/snoretoast-x86.exe", 1);
	compare_pe(NOTIFIER "notifu/notifu.exe", 0);
	compare_pe(PTY "win32-x64/conpty/OpenConsole.exe", 1);
	compare_pe(PTY "win32-arm64/conpty/OpenConsole.exe", 1);
}

#define QUIET ">/dev/null 2>&1"

/* Look-alikes: signed, signed twice in both orders, stripped and signed by another. */
static void test_lookalike(void)
{
	static const char make[] =
		"cd %s && "
		"openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 30 "
		"-subj '/CN=Throw Away CA' " QUIET " && "
		"openssl req -newkey rsa:2048 -nodes -keyout a.key -out a.csr -subj "
		"'/C=RU/L=Moscow/O=AO Kaspersky Lab/serialNumber=1027739867473/CN=AO Kaspersky Lab' " QUIET
		" && openssl x509 -req -in a.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 "
		"-out a.pem " QUIET " && cat ca.pem >>a.pem && "
		"openssl req -x509 -newkey rsa:2048 -nodes -keyout b.key -out b.pem -days 30 "
		"-subj '/O=Somebody Else/CN=Else' " QUIET " && "
		"osslsigncode sign -certs a.pem -key a.key -h sha256 -in $OLDPWD/%s -out a.exe " QUIET
		" && osslsigncode sign -certs b.pem -key b.key -h sha1 -in $OLDPWD/%s -out b.exe " QUIET
		" && osslsigncode sign -nest -certs b.pem -key b.key -h sha384 -in a.exe -out ab.exe " QUIET
		" && osslsigncode sign -nest -certs a.pem -key a.key -h sha512 -in b.exe -out ba.exe " QUIET
		" && osslsigncode remove-signature -in a.exe -out s.exe " QUIET
		" && osslsigncode sign -certs b.pem -key b.key -h sha256 -in s.exe -out sb.exe " QUIET
		" && echo made";
	static const struct {
		const char *name;
		size_t signers;
	} files[] = { { "a", 1 }, { "b", 1 }, { "ab", 2 }, { "ba", 2 }, { "s", 0 }, { "sb", 1 } };
	struct identity *plain;
	size_t i;

	if (!have("osslsigncode")) {
		tap_skip("look-alikes of a banned subject", "osslsigncode is not installed");
		return;
	}
	if (!strstr(output(make, scratch, SAMPLE "pe/p64.exe", SAMPLE "pe/p64.exe"), "made")) {
		tap_ok(false, "osslsigncode signs");
		return;
	}
	plain = file_read(SAMPLE "pe/p64.exe");
	for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct identity *identity;
		char path[300];

		(void)snprintf(path, sizeof(path), "%s/%s.exe", scratch, files[i].name);
		identity = file_read(path);
		tap_ok(!memcmp(identity->authenticode, plain->authenticode, 32),
		       "%s: the Authenticode digest is that of the unsigned file", files[i].name);
		identity_free(identity);
		compare_pe(path, files[i].signers);
	}
	identity_free(plain);
}

static void compare_elf(const char *path)
{
	struct identity *identity = file_read(path);
	const char *said = output("readelf -n %s 2>/dev/null", path);

	tap_ok(identity->buildid_len &&
		       strstr(said, hex(identity->buildid, identity->buildid_len, false)),
	       "%s: readelf shows the same build-id", path);
	identity_free(identity);
}

static void test_elf(void)
{
	if (!have("readelf")) {
		tap_skip("comparison with readelf", "it is not installed");
		return;
	}
	compare_elf("/bin/bash");
	compare_elf("/bin/ls");
	compare_elf(SAMPLE "elf/t.so");
}

/* A module of the distribution against modinfo. */
static void test_module(void)
{
	char *path = strdup(output("find build/kernels/ -name '*.ko' | head -n 1"));
	struct identity *identity;
	uint8_t serial[64];
	const char *said;
	size_t len = 0;

	path[strcspn(path, "\n")] = '\0';
	if (!*path || !have("modinfo")) {
		tap_skip("a signed module of the distribution", "no build/kernels, or no modinfo");
		free(path);
		return;
	}
	identity = file_read(path);
	tap_ok(identity->type == IDENTITY_MODULE && identity->signer_count == 1 &&
		       !identity->signers->cert &&
		       sample_count_keys(identity, DEBAR_KEY_CERT_ISSUER_SERIAL) == 1,
	       "%s: a module signed without a certificate", path);
	said = output("modinfo ./%s | tr -d ':\\n\\t '", path);
	for (; identity->signers->serial[2 * len]; len++)
		(void)sscanf(identity->signers->serial + 2 * len, "%2hhx", &serial[len]);
	tap_ok(strstr(said, hex(serial, len, true)) != NULL, "modinfo names the same serial");
	tap_ok(strncmp(identity->signers->issuer, "CN=", 3) == 0, "of %s",
	       identity->signers->issuer);
	compare_elf(path);
	identity_free(identity);
	free(path);
}

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

/* Every program of this machine against dpkg's own files, as far as dpkg-query can say it. */
static void test_dpkg(void)
{
	static const char ask[] =
		"for d in /usr/bin /usr/sbin; do find $d -maxdepth 1 -type f; done | sort | head -n 400 | "
		"while read -r f; do echo \"$f ${f#/usr}\"; done | xargs dpkg-query -S 2>/dev/null | "
		"grep -v '^diversion '";
	struct packages *packages;
	char *said, *line, *next;
	size_t asked = 0, same = 0;
	bool changed;
	int root = open("/", O_PATH | O_DIRECTORY);

	if (!have("dpkg-query")) {
		tap_skip("comparison with dpkg-query", "it is not installed");
		close(root);
		return;
	}
	said = strdup(output("%s", ask));
	packages_new(&packages, root);
	tap_ok(!packages_refresh(packages, &changed) && changed, "dpkg's database is read");
	tap_ok(!packages_refresh(packages, &changed) && !changed, "and not again until it changes");
	for (line = said; (next = strchr(line, '\n')); line = next + 1) {
		const char *names[4];
		char *path = strstr(line, ": "), real[4096];
		size_t count, i;

		*next = '\0';
		if (!path)
			continue;
		*path = '\0';
		path += 2;
		line[strcspn(line, ":,")] = '\0';
		/* as the kernel names it; what is diverted, dpkg-query does not follow */
		if (!realpath(path, real) || strstr(real, "pg_config"))
			continue;
		asked++;
		count = package_owners(packages_table(packages), real, names, 4);
		for (i = 0; i < count && i < 4; i++)
			same += !strcmp(names[i], line);
	}
	tap_ok(asked > 50 && same == asked, "dpkg-query -S says the same of %zu of %zu files", same,
	       asked);
	packages_free(packages);
	free(said);
	close(root);
}

static void write_text(const char *name, const char *text)
{
	char path[600];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", scratch, name);
	file = fopen(path, "wb");
	if (file) {
		fputs(text, file);
		fclose(file);
	}
}

static const char *owner(const struct packages *packages, const char *path)
{
	const char *names[1];

	return package_owners(packages_table(packages), path, names, 1) ? names[0] : "nobody";
}

/* The root of a container that means no good. */
static void test_hostile_root(void)
{
	struct packages *packages;
	bool changed;
	int root;

	(void)output("cd %s && mkdir -p c/usr/bin c/var/lib/dpkg/info c/var/lib/rpm c/data && "
		     "ln -s usr/bin c/bin && ln -s ../../../../../../etc c/usr/escape && "
		     "ln -s / c/all && ln -s data c/opt && ln -s loop c/loop",
		     scratch);
	write_text("c/var/lib/dpkg/info/acme.list", "/bin/acme\n/opt/acme/agent\n");
	root = openat(AT_FDCWD, output("printf %%s %s/c", scratch), O_PATH | O_DIRECTORY);
	packages_new(&packages, root);
	tap_ok(!packages_refresh(packages, &changed) && changed, "a container's database is read");
	tap_str(owner(packages, "/usr/bin/acme"), "acme", "through its own merged /usr");
	tap_str(owner(packages, "/data/acme/agent"), "acme", "and through its own links");
	write_text("c/var/lib/dpkg/info/new.list", "/usr/bin/new\n");
	tap_ok(!packages_refresh(packages, &changed) && changed, "a new package is seen");
	tap_str(owner(packages, "/usr/bin/new"), "new", "and owns its file");
	(void)output("cd %s/c/var/lib/dpkg/info && ln -s /../../../../../etc/passwd link.list && "
		     "mkdir dir.list",
		     scratch);
	tap_ok(packages_refresh(packages, &changed) && !changed,
	       "a list that is a directory is refused");
	tap_str(owner(packages, "/usr/bin/new"), "new", "and the table that was there stays");
	(void)output("cd %s/c/var/lib/dpkg/info && rmdir dir.list && mkfifo fifo.list", scratch);
	tap_ok(packages_refresh(packages, &changed) && !changed, "a FIFO is refused, nobody waits");
	(void)output("rm %s/c/var/lib/dpkg/info/fifo.list", scratch);
	write_text("c/var/lib/rpm/rpmdb.sqlite", "SQLite format 3, or so it says");
	tap_ok(!packages_refresh(packages, &changed) && packages_problem(packages),
	       "a damaged RPM database is told, and the rest is read");
	packages_free(packages);
	close(root);
}

/* A database that rpm itself made. */
static void test_rpm(void)
{
	struct packages *packages;
	bool changed;
	int root;

	if (!have("rpm")) {
		tap_skip("an RPM database", "rpm is not installed");
		return;
	}
	(void)output(
		"mkdir -p %s/r/var/lib/rpm && rpm --root %s/r --dbpath /var/lib/rpm -i --nodeps "
		"--justdb --nosignature $PWD/%s 2>&1",
		scratch, scratch, SAMPLE "rpm/plain.rpm");
	root = openat(AT_FDCWD, output("printf %%s %s/r", scratch), O_PATH | O_DIRECTORY);
	packages_new(&packages, root);
	tap_ok(!packages_refresh(packages, &changed) && !packages_problem(packages),
	       "a database that rpm made is read");
	tap_str(owner(packages, "/opt/acme/f"), "acme-agent", "and its package owns its file");
	packages_free(packages);
	close(root);
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

static int removed(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

int main(void)
{
	if (!mkdtemp(scratch))
		return 1;
	test_special();
	test_sparse();
	test_samples();
	test_lookalike();
	test_elf();
	test_module();
	test_dpkg();
	test_hostile_root();
	test_rpm();
	test_beside();
	test_verity_signature();
	test_speed();
	nftw(scratch, removed, 16, FTW_DEPTH | FTW_PHYS);
	return tap_done();
}
