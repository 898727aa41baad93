// SPDX-License-Identifier: MIT
/* The dynamic program that is timed: libc and the loader are mapped, and nothing is done. */
int main(void)
{
	return 0;
}
