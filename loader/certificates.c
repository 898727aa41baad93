// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/certificates.h"
#include "loader/identity/identity.h"
#include "policy/cleanup.h"

struct certificates {
	size_t count, room;
	struct policy_cert_facts *facts; /* strings belong to the identities */
	size_t identity_count;
	struct identity **identities;
	bool forgot;
};

int certificates_new(struct certificates **ret_certificates)
{
	struct certificates *certificates = calloc(1, sizeof(*certificates));

	if (!certificates)
		return -ENOMEM;
	*ret_certificates = certificates;
	return 0;
}

static void forget(struct certificates *certificates)
{
	size_t i;

	for (i = 0; i < certificates->identity_count; i++)
		identity_free(certificates->identities[i]);
	certificates->identity_count = certificates->count = 0;
}

void certificates_free(struct certificates *certificates)
{
	if (!certificates)
		return;
	forget(certificates);
	free(certificates->identities);
	free(certificates->facts);
	free(certificates);
}

/* A name that a certificate gave itself is another fact than that a signature goes by it. */
static bool is_known(const struct certificates *certificates, const struct policy_cert_facts *fact)
{
	size_t i;

	for (i = 0; i < certificates->count; i++)
		if (!memcmp(&certificates->facts[i].key, &fact->key, sizeof(fact->key)) &&
		    !certificates->facts[i].sha256 == !fact->sha256)
			return true;
	return false;
}

static int append(struct certificates *certificates, const struct policy_cert_facts *facts,
		  size_t count)
{
	size_t i, want = certificates->count + count;
	struct policy_cert_facts *grown;

	if (want > certificates->room) {
		grown = realloc(certificates->facts, (want + 64) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		certificates->facts = grown;
		certificates->room = want + 64;
	}
	for (i = 0; i < count; i++)
		if (!is_known(certificates, &facts[i]))
			certificates->facts[certificates->count++] = facts[i];
	return 0;
}

static int keep(struct certificates *certificates, struct identity *identity)
{
	size_t bytes = (certificates->identity_count + 1) * sizeof(identity);
	struct identity **grown = realloc(certificates->identities, bytes);

	if (!grown)
		return -ENOMEM;
	certificates->identities = grown;
	certificates->identities[certificates->identity_count++] = identity;
	return 0;
}

static int add_all(struct certificates *certificates, const struct identity *identity)
{
	struct policy_cert_facts facts[3];
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < identity->cert_count; i++)
		ret = append(certificates, facts, identity_cert_facts(identity->certs[i], facts));
	for (i = 0; !ret && i < identity->signer_count; i++)
		if (!identity->signers[i].cert)
			ret = append(certificates, facts,
				     identity_signer_facts(&identity->signers[i], facts));
	return ret;
}

int certificates_add(struct certificates *certificates, struct identity *identity,
		     struct policy_facts *ret_new)
{
	size_t before;
	int ret;

	if (certificates->count >= CERTIFICATES_MAX) {
		forget(certificates);
		certificates->forgot = true;
	}
	before = certificates->count;
	*ret_new = (struct policy_facts){};
	ret = add_all(certificates, identity);
	if (!ret && certificates->count > before)
		ret = keep(certificates, identity);
	if (ret) {
		certificates->count = before;
		identity_free(identity);
		return ret;
	}
	if (certificates->count == before)
		identity_free(identity);
	ret_new->cert_count = certificates->count - before;
	ret_new->certs = certificates->facts + before;
	return 0;
}

bool certificates_forgot(struct certificates *certificates)
{
	bool forgot = certificates->forgot;

	certificates->forgot = false;
	return forgot;
}

static const char *attribute(const struct policy_cert_facts *fact, const char *name)
{
	for (size_t i = 0; i < fact->subject_count; i++)
		if (!strcmp(fact->subject[i].name, name))
			return fact->subject[i].value;
	return NULL;
}

bool certificates_name(const struct policy_facts *facts, const struct debar_key *key,
		       char *ret_name, size_t size)
{
	struct debar_key want = *key;

	if (want.kind != DEBAR_KEY_CERT_LEAF && want.kind != DEBAR_KEY_CERT_CHAIN)
		return false;		 /* by other names, it could be a forged one */
	want.kind = DEBAR_KEY_CERT_LEAF; /* it is known by the same digest */
	for (size_t i = 0; i < facts->cert_count; i++) {
		const struct policy_cert_facts *fact = &facts->certs[i];
		const char *name;

		if (memcmp(&fact->key, &want, sizeof(want)))
			continue;
		name = attribute(fact, "CN") ?: attribute(fact, "O");
		if (!name)
			return false;
		(void)snprintf(ret_name, size, "%s", name);
		return true;
	}
	return false;
}

struct policy_facts certificates_facts(const struct certificates *certificates)
{
	return (struct policy_facts){ .cert_count = certificates->count,
				      .certs = certificates->facts };
}
