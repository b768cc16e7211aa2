/* SPDX-License-Identifier: GPL-2.0 */
/* The guest kernel as a module of the host's kernel: each time it is loaded it is one guest. */
#ifndef LODGE_GUEST_MODULE_H
#define LODGE_GUEST_MODULE_H

void guest_module_load(const char *guest, const char *file, unsigned int number);
int guest_module_unload(unsigned int number);
void guest_module_clean(void);

#endif
