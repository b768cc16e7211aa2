# SPDX-License-Identifier: GPL-2.0
# Variables: csv, the samples of `make run`; picture, a name that ends in .png or .svg.

font = "DejaVu Sans"
if (picture[strlen(picture) - 3:*] eq ".svg") {
	set terminal svg size 1000,900 dynamic font font.",12" background "#ffffff"
} else {
	set terminal pngcairo size 1000,900 font font.",10" background "#ffffff"
}
set output picture
set datafile separator ","

c_resident = "#4878a8"
c_tables = "#7a8288"
c_store = "#e8a33d"
c_swap = "#b9a3cf"
c_limit = "#c03030"
c_fault = "#3b7d4f"
c_grid = "#e4e4e4"
c_text = "#404040"

of(name) = sprintf("< grep ',%s,' '%s'", name, csv)
MiB = 1048576.0

stats csv using 1 every ::1 nooutput
end = STATS_max

set border 3 linecolor rgb "#909090"
set tics nomirror out textcolor rgb c_text
set grid ytics linetype 1 linecolor rgb c_grid linewidth 1
set xrange [0:end]
set style fill solid 0.9 noborder
set lmargin 9
set rmargin 9
set key off

set multiplot

pane(top, height) = sprintf("set tmargin at screen %f; set bmargin at screen %f", \
			    top, top - height)

set label 1 "{/:Bold Three programs, each in a memory pool of its own}" \
	at screen 0.065, 0.975 left font font.",14"
set label 2 "redis-server, gcc and sqlite3 in confined guests; memory in MiB" \
	at screen 0.065, 0.948 left textcolor rgb c_text

# Redis: what it owns, from the bottom up.
eval pane(0.895, 0.32)
set format x ""
set yrange [0:115]
set key at screen 0.065, 0.936 left top horizontal Left reverse samplen 1.5 width -1.5 \
	textcolor rgb c_text maxrows 1
set label 3 "{/:Bold redis} 32 MiB" at graph 0.01, 0.93 left
plot of("redis") using 1:($6/MiB):(0) with filledcurves linecolor rgb c_resident title "resident", \
	"" using 1:($6/MiB):(($6+$12)/MiB) with filledcurves linecolor rgb c_tables \
		title "tables", \
	"" using 1:(($6+$12)/MiB):(($6+$12+$7)/MiB) with filledcurves linecolor rgb c_store \
		title "compressed store", \
	"" using 1:(($6+$12+$7)/MiB):(($6+$12+$7+$9)/MiB) with filledcurves linecolor rgb c_swap \
		title "swap file", \
	"" using 1:($3/MiB) with lines linewidth 1.6 dashtype 2 linecolor rgb c_limit title "limit of the pool"
unset label 1
unset label 2
set key off

eval pane(0.54, 0.11)
set yrange [0:*]
set ytics 5
set label 3 "{/:Bold gcc} 6 MiB"
plot of("gcc") using 1:($6/MiB):(0) with filledcurves linecolor rgb c_resident, \
	"" using 1:($6/MiB):(($6+$12)/MiB) with filledcurves linecolor rgb c_tables, \
	"" using 1:(($6+$12)/MiB):(($6+$12+$7)/MiB) with filledcurves linecolor rgb c_store, \
	"" using 1:(($6+$12+$7)/MiB):(($6+$12+$7+$9)/MiB) with filledcurves linecolor rgb c_swap, \
	"" using 1:($3/MiB) with lines linewidth 1.6 dashtype 2 linecolor rgb c_limit

eval pane(0.40, 0.11)
set label 3 "{/:Bold sqlite} 4 MiB"
plot of("sqlite") using 1:($6/MiB):(0) with filledcurves linecolor rgb c_resident, \
	"" using 1:($6/MiB):(($6+$12)/MiB) with filledcurves linecolor rgb c_tables, \
	"" using 1:(($6+$12)/MiB):(($6+$12+$7)/MiB) with filledcurves linecolor rgb c_store, \
	"" using 1:(($6+$12+$7)/MiB):(($6+$12+$7+$9)/MiB) with filledcurves linecolor rgb c_swap, \
	"" using 1:($3/MiB) with lines linewidth 1.6 dashtype 2 linecolor rgb c_limit

eval pane(0.26, 0.07)
set ytics 40
set yrange [0:80]
set label 3 "{/:Bold outside every guest}: the host's memory, untouched" at graph 0.01, 0.3 \
	textcolor rgb "#000000"
plot of("outside") using 1:($6/MiB) with lines linewidth 2 linecolor rgb "#606060"

eval pane(0.16, 0.10)
set format x "%g s"
set format y "%.0s%c"
set ytics autofreq 2000
set yrange [0:*]
set label 3 "{/:Bold faults} that brought a page back, by second" at graph 0.01, 0.94
set key at graph 0.995, 0.98 right top horizontal samplen 1.2 width 1 textcolor rgb c_text
plot of("redis") using 1:11 with lines linewidth 1.6 linecolor rgb c_fault title "redis", \
	of("gcc") using 1:11 with lines linewidth 1.2 linecolor rgb "#c06030" title "gcc", \
	of("sqlite") using 1:11 with lines linewidth 1.2 linecolor rgb "#4060c0" title "sqlite"
unset multiplot
