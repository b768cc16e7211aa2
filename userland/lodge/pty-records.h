/* SPDX-License-Identifier: GPL-2.0 */
/* Records of the pseudo-terminals in a guest, which its kernel tells lodge about. */
#ifndef LODGE_PTY_RECORDS_H
#define LODGE_PTY_RECORDS_H

struct poll_list;
struct pty_records;

struct pty_records *pty_records_open(const char *prefix, const char *guest);
char *pty_records_pass_on(const struct pty_records *records);
void pty_records_close_guest_end(struct pty_records *records);
void pty_records_poll(struct pty_records *records, struct poll_list *list);
void pty_records_move(struct pty_records *records);
void pty_records_close(struct pty_records *records);

#endif
