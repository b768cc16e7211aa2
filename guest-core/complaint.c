// SPDX-License-Identifier: GPL-2.0
/*
 * Why something was refused, in words: the last_error files.  What a writer wrote
 * is quoted, so it is shortened, and nothing in it reaches a terminal unseen.
 */
#include "guest-core/guest.h"

#define QUOTED_MAX	64

struct complaint guest_root_error;

void guest_core_init(void)
{
	complaint_init(&guest_root_error);
}

const char *error_words(int err)
{
	static const struct {
		int err;
		const char *words;
	} table[] = {
		{ -EPERM, "not permitted" },
		{ -ENOENT, "no such file" },
		{ -EINTR, "interrupted" },
		{ -EIO, "it cannot be read or written" },
		{ -ENXIO, "no such device" },
		{ -EAGAIN, "not now" },
		{ -ENOMEM, "the host has no memory for it" },
		{ -EACCES, "no permission" },
		{ -EBUSY, "in use" },
		{ -EEXIST, "exists already" },
		{ -ENODEV, "no such device" },
		{ -ENOTDIR, "not a directory" },
		{ -EISDIR, "a directory" },
		{ -EINVAL, "not a value that it can have" },
		{ -ENFILE, "too many open files" },
		{ -EMFILE, "too many open files" },
		{ -ETXTBSY, "in use" },
		{ -EFBIG, "too large a file" },
		{ -ENOSPC, "no space" },
		{ -EROFS, "a read-only file system" },
		{ -ERANGE, "too large a number" },
		{ -ENAMETOOLONG, "too long a name" },
		{ -ELOOP, "too many symbolic links" },
		{ -EOVERFLOW, "too large a file" },
		{ -EOPNOTSUPP, "not supported" },
		{ -EDQUOT, "a quota is used up" },
		{ -ESTALE, "the file has gone" },
		{ -ETIMEDOUT, "it took too long" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].err == err)
			return table[i].words;
	return "it failed";
}

void complaint_init(struct complaint *complaint)
{
	spin_lock_init(&complaint->lock);
	complaint->count = 0;
	complaint->text[0] = '\0';
}

/* Copy @text to @out in a form that is safe to print on a terminal. */
static void quote(char out[QUOTED_MAX + 4], const char *text)
{
	unsigned int i;

	for (i = 0; text[i] && i < QUOTED_MAX; i++)
		out[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	strscpy(out + i, text[i] ? "..." : "", QUOTED_MAX + 4 - i);
}

/* A complaint that begins with @field and @value, if there are such. */
static void __printf(5, 0) complaint_set(struct complaint *complaint, const char *name,
					 const char *field, const char *value,
					 const char *fmt, va_list args)
{
	char quoted[QUOTED_MAX + 4];
	size_t size = sizeof(complaint->text);
	int n;

	quote(quoted, value ? value : name);
	spin_lock(&complaint->lock);
	if (field)
		n = snprintf(complaint->text, size, "%s: %s: %s: ", name, field, quoted);
	else
		n = snprintf(complaint->text, size, "%s: ", quoted);
	vsnprintf(complaint->text + n, size - n, fmt, args);
	complaint->count++;
	spin_unlock(&complaint->lock);
}

int complain(struct complaint *complaint, int err, const char *name, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complaint_set(complaint, name, NULL, NULL, fmt, args);
	va_end(args);
	return err;
}

int guest_error(struct guest *guest, int err, const char *field, const char *value,
		const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	complaint_set(&guest->error, guest->name, field, value, fmt, args);
	va_end(args);
	return err;
}

void complaint_show(struct complaint *complaint, struct text *out)
{
	char text[sizeof(complaint->text)];

	spin_lock(&complaint->lock);
	strscpy(text, complaint->text, sizeof(text));
	spin_unlock(&complaint->lock);
	if (text[0])
		text_printf(out, "%s\n", text);
}
