/* SPDX-License-Identifier: MIT */
/*
 * Every certificate the controller has seen, since certificate rules are evaluated over them and
 * compiled to whole certificates. Kept for as long as the controller runs.
 */
#ifndef DEBAR_CERTIFICATES_H
#define DEBAR_CERTIFICATES_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/policy.h"

struct certificates;
struct identity;

/*
 * A flood of new certificates must not fill the controller's memory. At this number all are
 * forgotten: those a rule matched are in the kernel's table by then, and stay in force.
 */
#define CERTIFICATES_MAX 16384

int certificates_new(struct certificates **ret_certificates);
void certificates_free(struct certificates *certificates);

/*
 * Takes @identity over if it has a certificate, or a signature without one, that is new; frees it
 * otherwise. *ret_new: facts of what was new, borrowed until the next call; count 0: nothing.
 */
int certificates_add(struct certificates *certificates, struct identity *identity,
		     struct policy_facts *ret_new);

/* Were some forgotten? Then a new policy has to see every content again. Asking clears it. */
bool certificates_forgot(struct certificates *certificates);

/*
 * What a person calls the subject of the certificate with this key: its CN, else its O. False: none of
 * these has that key, or it says neither.
 */
bool certificates_name(const struct policy_facts *facts, const struct debar_key *key,
		       char *ret_name, size_t size);

/* All of them, borrowed until the next certificates_add(). */
struct policy_facts certificates_facts(const struct certificates *certificates);

#endif
