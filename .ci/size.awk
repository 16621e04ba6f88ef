# Lines of Go by package, code and tests, of the product, the simulation and the test support, with a total of each. Blank
# lines, // comments and /* */ comments that fill lines are not counted.
function group(file) {
	if (file ~ /^(internal\/cloudsim|cmd\/staffeln-sim)\//) return "simulation"
	if (file ~ /^internal\/(testkit|simulation|chaos|e2e|queuemodel|evidence|inprocess|archtest)\//) return "test support"
	return "product"
}
FNR == 1 { inside = 0 }
{
	line = $0
	gsub(/^[ \t]+|[ \t]+$/, "", line)
	if (inside) { if (line ~ /\*\//) inside = 0; next }
	if (line == "" || line ~ /^\/\//) next
	if (line ~ /^\/\*/) { if (line !~ /\*\//) inside = 1; next }
	package = FILENAME
	if (!sub(/\/[^\/]*$/, "", package)) package = "."
	of = group(FILENAME)
	for (i = 0; i < 2; i++) {
		key = of SUBSEP (i ? package : "~ total")
		seen[key]
		if (FILENAME ~ /_test\.go$/) tests[key]++; else code[key]++
	}
}
END {
	for (key in seen) {
		split(key, part, SUBSEP)
		printf "%-12s  %-28s %6d code %6d tests\n", part[1], part[2], code[key], tests[key]
	}
}
