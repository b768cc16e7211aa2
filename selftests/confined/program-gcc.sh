#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# gcc in a guest makes the same object as on the host, bit by bit.
. "$(dirname "$0")/program.sh"

plugin=$(dirname "$0")/../../build/vm/setg-plugin.so

cat >"$work/code.awk" <<'END'
BEGIN {
	print "#include <stdio.h>\n#include <string.h>\n#include <stdlib.h>\n"
	for (i = 0; i < 80; i++) {
		printf "static int f%d(int a, const char *s)\n{\n", i
		printf "\tint i, sum = %d;\n\tfor (i = 0; s[i]; i++)\n", i * 37
		printf "\t\tsum = sum * %d + (s[i] ^ a) %% %d;\n", i + 3, i + 7
		printf "\tif (sum & %d)\n\t\treturn printf(\"%%d %%s\\n\", sum, s);\n", i % 32
		printf "\treturn %s;\n}\n", i ? "f" (i - 1) "(sum, s + !!*s)" : "sum"
	}
	print "int main(int argc, char **argv)\n{\n\treturn f79(argc, argv[0]);\n}"
}
END
awk -f "$work/code.awk" >"$work/code.c"
compile=(gcc -O2 -fplugin="$plugin" -c "$work/code.c")
check "on the host" "${compile[@]}" -o "$work/host.o"
guest gcc 12M 256M
check "in the guest" inside "${compile[@]}" -o "$work/guest.o"
check "the objects are identical" cmp "$work/host.o" "$work/guest.o"
the_end
done_testing
