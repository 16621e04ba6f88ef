# Lines of Go by package: code and tests. Blank lines, // comments and /* */ comments that fill lines are not counted.
FNR == 1 { inside = 0 }
{
	line = $0
	gsub(/^[ \t]+|[ \t]+$/, "", line)
	if (inside) { if (line ~ /\*\//) inside = 0; next }
	if (line == "" || line ~ /^\/\//) next
	if (line ~ /^\/\*/) { if (line !~ /\*\//) inside = 1; next }
	package = FILENAME
	if (!sub(/\/[^\/]*$/, "", package)) package = "."
	seen[package]
	if (FILENAME ~ /_test\.go$/) { tests[package]++; allTests++ } else { code[package]++; allCode++ }
}
END {
	for (package in seen) printf "%-28s %6d code %6d tests\n", package, code[package], tests[package]
	printf "%-28s %6d code %6d tests\n", "~ total", allCode, allTests
}
