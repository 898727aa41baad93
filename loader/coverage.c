// SPDX-License-Identifier: MIT
#include <stdbool.h>

#include "loader/coverage.h"
#include "loader/kernel.h"
#include "policy/policy.h"

static const char *const gate_gaps[] = {
	"anything, once the controller has gone",
	"programs and libraries in memory (memfd)",
	"file systems that are not local (NFS, FUSE, 9p), and in their first second those that "
	"only another mount namespace has",
	"firmware, modules that are compressed or handed over in memory",
	"what was open before the start, and what is written to by another at the very moment it "
	"is mapped",
};

_Static_assert(sizeof(gate_gaps) / sizeof(gate_gaps[0]) < COVERAGE_GAPS_MAX, "too many gaps");

static bool has_names(const struct policy_book *book)
{
	for (size_t i = 0; book && i < policy_book_ban_count(book); i++)
		if (policy_book_ban(book, i)->rules[POLICY_DOMAIN] ||
		    policy_book_ban(book, i)->rules[POLICY_NETWORK])
			return true;
	return false;
}

size_t coverage_gaps(unsigned int parts, const struct policy_book *book,
		     const char *ret_gaps[COVERAGE_GAPS_MAX])
{
	size_t count = 0;

	if (!(parts & KERNEL_GATE))
		return 0;
	for (size_t i = 0; i < sizeof(gate_gaps) / sizeof(gate_gaps[0]); i++)
		ret_gaps[count++] = gate_gaps[i];
	if (!(parts & KERNEL_NETWORK) && has_names(book))
		ret_gaps[count++] = "names and networks: this kernel refuses the programs";
	return count;
}
