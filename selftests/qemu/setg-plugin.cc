// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of gcc that keeps an error of the emulator out of comparisons of what gcc makes.
 *
 * QEMU's TCG (7.2) loses the flags when SETG, SETGE, SETL or SETLE takes a page fault on its
 * memory operand after a TEST, and then stores the wrong value; kernel and module have no part in
 * it. gcc begins its register allocator with one such store, to ira_conflicts_p: when that page is
 * not there, the allocator takes another way, and the code differs though it is right. Written
 * just before the pass, the page is there.
 */
#include <gcc-plugin.h>
#include <tree-pass.h>
#include <cstring>

int plugin_is_GPL_compatible;
extern bool ira_conflicts_p;

static void before_pass(void *pass, void *)
{
	if (!std::strcmp(static_cast<opt_pass *>(pass)->name, "ira"))
		*const_cast<volatile bool *>(&ira_conflicts_p) = true;
}

int plugin_init(struct plugin_name_args *info, struct plugin_gcc_version *)
{
	register_callback(info->base_name, PLUGIN_PASS_EXECUTION, before_pass, nullptr);
	return 0;
}
