/* SPDX-License-Identifier: MIT */
/*
 * Files that nobody here made, and ones that the tools of their trades made: what is read of them is
 * what those tools say. A tool or a sample that is not there is a skipped test.
 */
#include "tests/unit/tap.h"
#include "tests/unit/tools.h"

#define NOTIFIER "build/samples/node-notifier/package/vendor/"
#define PTY "build/samples/node-pty/package/prebuilds/"

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

/* A module of the distribution against modinfo, and where it is not compressed openssl and readelf. */
static void compare_module(const char *path)
{
	struct identity *identity = file_read(path);
	uint8_t serial[64];
	const char *said;
	size_t len = 0;

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
	if (!strcmp(path + strlen(path) - 3, ".ko")) {
		said = output("head -c -40 %s | tail -c $((0x$(tail -c 32 %s | od -An -tx1 -N4 | "
			      "tr -d ' \\n'))) | openssl cms -cmsout -noout -print -inform der",
			      path, path);
		tap_ok(strstr(said, hex(serial, len, true)) != NULL, "openssl names it, too");
		compare_elf(path);
	}
	identity_free(identity);
}

static void test_module(void)
{
	char *paths = strdup(output("for kernel in build/kernels/*/; do "
				    "find $kernel -name 'dummy.ko*' | sort | head -n 1; done"));
	char *line, *next;

	if (!*paths || !have("modinfo"))
		tap_skip("signed modules of the distribution", "no build/kernels, or no modinfo");
	else
		for (line = paths; (next = strchr(line, '\n')); line = next + 1) {
			*next = '\0';
			compare_module(line);
		}
	free(paths);
}

int main(void)
{
	scratch_make();
	test_samples();
	test_lookalike();
	test_elf();
	test_module();
	scratch_remove();
	return tap_done();
}
