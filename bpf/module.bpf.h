/* SPDX-License-Identifier: GPL-2.0-only */
/* Is it a module that the kernel reads? Since 6.17 a compressed one has a word of its own. */
#ifndef DEBAR_MODULE_BPF_H
#define DEBAR_MODULE_BPF_H

#include "bpf/kernel.bpf.h"

#include <bpf/bpf_core_read.h>

static __always_inline bool reads_module(int id)
{
	if (id == (int)bpf_core_enum_value(enum kernel_read_file_id, READING_MODULE))
		return true;
	return bpf_core_enum_value_exists(enum kernel_read_file_id___compressed,
					  READING_MODULE_COMPRESSED) &&
	       id == (int)bpf_core_enum_value(enum kernel_read_file_id___compressed,
					      READING_MODULE_COMPRESSED);
}

#endif
