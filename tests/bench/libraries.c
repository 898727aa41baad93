// SPDX-License-Identifier: MIT
/* libraries DIR COUNT: a process that maps that many libraries, DIR/0 and so on. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	char path[256];

	if (argc != 3)
		return 2;
	for (int i = 0; i < atoi(argv[2]); i++) {
		snprintf(path, sizeof(path), "%s/%d", argv[1], i);
		if (!dlopen(path, RTLD_NOW))
			return 1;
	}
	return 0;
}
