// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "image-build.h"
#include "util.h"

/* Without its lists apt does not know who a source is from: then only its name can tell. */
#define ASK_APT "apt-get indextargets --format " \
	"'$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)' 'Created-By: Packages' 2>/dev/null"

enum { ORIGIN, URI, RELEASE, COMPONENT, FIELDS };

static bool split(char *line, char *fields[FIELDS])
{
	size_t i;

	line[strcspn(line, "\n")] = '\0';
	for (i = 0; i < FIELDS; i++) {
		fields[i] = strsep(&line, "|");
		if (!fields[i])
			return false;
	}
	return true;
}

/* This machine's own code name: what its sources are named after. */
static char *own_suite(void)
{
	FILE *in cleanup_file = fopen("/etc/os-release", "re");
	char *line cleanup_free = NULL;
	size_t size = 0;

	while (in && getline(&line, &size, in) > 0) {
		if (!starts_with(line, "VERSION_CODENAME="))
			continue;
		line[strcspn(line, "\n")] = '\0';
		return xstrdup(strchr(line, '=') + 1);
	}
	return NULL;
}

/* What a release of this machine's is called in another suite: bookworm-updates, ... */
static char *in_suite(const char *release, const char *own, const char *suite)
{
	size_t length = own ? strlen(own) : 0;

	if (starts_with(release, suite))
		return xstrdup(release);
	if (!length || strncmp(release, own, length) ||
	    (release[length] && release[length] != '-'))
		return NULL;
	return xasprintf("%s%s", suite, release + length);
}

static bool is_there(char **sources, size_t n, const char *source)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!strcmp(sources[i], source))
			return true;
	return false;
}

static char **sources_of_host(const char *suite)
{
	char *own cleanup_free = own_suite();
	char *line cleanup_free = NULL;
	char **sources = xcalloc(1, sizeof(*sources));
	FILE *apt = popen(ASK_APT, "re");
	char *fields[FIELDS];
	size_t n = 0, size = 0;

	while (apt && getline(&line, &size, apt) > 0) {
		char *release cleanup_free = NULL;
		char *source;

		if (!split(line, fields) || (*fields[ORIGIN] && strcmp(fields[ORIGIN], "Debian")))
			continue;
		release = in_suite(fields[RELEASE], own, suite);
		if (!release)
			continue;
		source = xasprintf("deb %s %s %s", fields[URI], release, fields[COMPONENT]);
		if (is_there(sources, n, source)) {
			free(source);
			continue;
		}
		sources = xrealloc(sources, n + 2, sizeof(*sources));
		sources[n++] = source;
		sources[n] = NULL;
	}
	if (apt)
		pclose(apt);
	return sources;
}

/**
 * image_sources - where the packages of a suite come from
 * @suite: code name
 * @mirror: the archive, or NULL to take those that apt has here
 *
 * Return: lines as in sources.list, NULL behind the last; ends the program if there are none.
 */
char **image_sources(const char *suite, const char *mirror)
{
	char **sources;

	if (mirror) {
		sources = xcalloc(2, sizeof(*sources));
		sources[0] = starts_with(mirror, "deb ") ? xstrdup(mirror) :
			xasprintf("deb %s %s main", mirror, suite);
		return sources;
	}
	sources = sources_of_host(suite);
	if (!*sources)
		die("--suite: %s: apt on this machine has no source of it: name one with --mirror",
		    suite);
	return sources;
}
